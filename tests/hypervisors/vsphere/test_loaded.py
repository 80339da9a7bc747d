"""Sizes and all their edge rules through the simulator: an estate written down, saved and loaded.

The layouts are those of the unit tests, but they cross the wire: from the simulator's own XML over
TLS and through the bulk reader. An estate that was loaded is as read-only as a photograph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from snapaudit.hypervisors.vsphere.hypervisor import VsphereHypervisor
from snapaudit.hypervisors.vsphere.raw import RawChain, RawFile, RawLayout, RawSnapshot, RawTree
from snapaudit.model.endpoint import Account, Endpoint, Tls
from snapaudit.model.inventory import CoverageState, Inventory, LayerRole, Snapshot, VirtualMachine
from tests.beds.simulator import Simulator
from tests.beds.vmodels import GIB, Disk, Fleet
from tests.hypervisors.contract import keeps
from tests.hypervisors.vsphere.looks import named, words
from tests.hypervisors.vsphere.raws import (
    DISK,
    Files,
    line,
    raw_snapshot,
    snapshot_layout,
    tree,
)

pytestmark = pytest.mark.bed

Form = dict[str, Any]


def reference(kind: str, moid: str) -> Form:
    return {"type": kind, "value": moid}


def file_form(file: RawFile) -> Form:
    form: Form = {"key": file.key, "name": file.name, "type": file.type, "size": file.size}
    form |= {"uniqueSize": file.unique_size or 0, "backingObjectId": file.backing_object_id or ""}
    return form if file.is_accessible is None else {**form, "accessible": file.is_accessible}


def chain_form(chain: RawChain) -> Form:
    return {"key": chain.key, "chain": [{"fileKey": list(unit)} for unit in chain.units]}


def layout_form(layout: RawLayout) -> Form:
    """As vim.vm.FileLayoutEx has it."""
    snapshots = [
        {
            "key": reference("VirtualMachineSnapshot", one.moid),
            "dataKey": one.data_key,
            "memoryKey": one.memory_key,
            "disk": [chain_form(chain) for chain in one.disks],
        }
        for one in layout.snapshots
    ]
    return {
        "file": [file_form(file) for file in layout.files.values()],
        "disk": [chain_form(chain) for chain in layout.disks],
        "snapshot": snapshots,
        "timestamp": "2026-06-01T12:00:00Z",
    }


def tree_form(made: RawTree) -> Form:
    """As vim.vm.SnapshotInfo has it."""
    form: Form = {"rootSnapshotList": list(nodes(made, None))}
    if made.current is not None:
        form["currentSnapshot"] = reference("VirtualMachineSnapshot", made.current)
    return form


def nodes(made: RawTree, parent: str | None) -> Iterator[Form]:
    for one in made.snapshots:
        if one.parent == parent:
            yield {**node_form(one), "childSnapshotList": list(nodes(made, one.moid))}


def node_form(one: RawSnapshot) -> Form:
    assert one.created_at is not None
    return {
        "snapshot": reference("VirtualMachineSnapshot", one.moid),
        "vm": reference("VirtualMachine", "vm-0"),
        "name": one.name,
        "description": one.description,
        "id": one.id,
        "createTime": one.created_at.isoformat(),
        "state": one.state,
        "quiesced": one.quiesced,
    }


# The estate -------------------------------------------------------------------------------------


def put(fleet: Fleet, name: str, layout: RawLayout, made: RawTree, *disks: Disk) -> None:
    """A machine with this layout and tree; the moids of snapshots get the machine's name."""
    fleet.machine(name, *(disks or (Disk(used=40 * GIB, thick=True),)))
    fleet.put(name, "layoutEx", layout_form(layout))
    fleet.put(name, "snapshot", tree_form(made))


def marked(name: str) -> tuple[str, str]:
    """Two ids of snapshots, which are unique in an estate."""
    return f"{name}-A", f"{name}-B"


def files_of(name: str) -> Files:
    return Files(f"[datastore1] {name}")


def put_worked(fleet: Fleet) -> None:
    """40 GiB, a snapshot with 4 GiB of memory, 7 GiB written, another snapshot, 2 GiB written."""
    files, (a, b) = files_of("worked"), marked("worked")
    base = files.image("d.vmdk", 40 * GIB)
    first, second = files.image("d-1.vmdk", 7 * GIB), files.image("d-2.vmdk", 2 * GIB)
    memory = files.memory("a.vmem", 4 * GIB)
    layout = files.layout(
        {DISK: [base, first, second]},
        snapshot_layout(a, files.state("a.vmsn"), {DISK: [base]}, memory=memory),
        snapshot_layout(b, files.state("b.vmsn"), {DISK: [base, first]}),
    )
    put(fleet, "worked", layout, tree(raw_snapshot(a, state="poweredOn"), raw_snapshot(b, a)))


def put_shared(fleet: Fleet) -> None:
    """Rule 1: three chains hold the same delta."""
    files, (a, b) = files_of("shared"), marked("shared")
    base, common = files.image("d.vmdk", 40 * GIB), files.image("d-1.vmdk", 7 * GIB, "delta")
    left, right = (files.image(f"d-{n}.vmdk", GIB, "delta") for n in (2, 3))
    made = tree(raw_snapshot(a), raw_snapshot(b, a), raw_snapshot("shared-C", a))
    layout = files.layout(
        {DISK: [base, common, right]},
        snapshot_layout(a, files.state("a.vmsn"), {DISK: [base]}),
        snapshot_layout(b, files.state("b.vmsn"), {DISK: [base, common, left]}),
        snapshot_layout("shared-C", files.state("c.vmsn"), {DISK: [base, common]}),
    )
    put(fleet, "shared", layout, made)


def put_added(fleet: Fleet) -> None:
    """Rule 2: one disk came after the first snapshot, and one key has become another disk's."""
    files, (a, b) = files_of("added"), marked("added")
    base, other = files.image("d.vmdk", 40 * GIB), files.image("other.vmdk", 10 * GIB)
    first, second = (files.image(f"d-{n}.vmdk", 7 * GIB, "delta") for n in (1, 2))
    late, written = files.image("late.vmdk", 100 * GIB), files.image("l-1.vmdk", 3 * GIB, "delta")
    another = files.image("another.vmdk", 200 * GIB)
    layout = files.layout(
        {DISK: [base, first, second], DISK + 1: [late, written], DISK + 2: [another]},
        snapshot_layout(a, files.state("a.vmsn"), {DISK: [base], DISK + 2: [other]}),
        snapshot_layout(b, files.state("b.vmsn"), {DISK: [base, first], DISK + 1: [late]}),
    )
    put(fleet, "added", layout, line(a, b), Disk(), Disk(), Disk())


def put_left_out(fleet: Fleet) -> None:
    """Rule 3: an independent disk, and one that maps a LUN."""
    files, (a, _) = files_of("left-out"), marked("left-out")
    base, delta = files.image("d.vmdk", 40 * GIB), files.image("d-1.vmdk", 7 * GIB, "delta")
    alone, lun = files.image("i.vmdk", 500 * GIB), files.image("lun.vmdk", 2000 * GIB, "rdm")
    on_lun = files.image("lun-1.vmdk", 50 * GIB, "delta")
    layout = files.layout(
        {DISK: [base, delta], DISK + 1: [alone], DISK + 2: [lun, on_lun]},
        snapshot_layout(a, files.state("a.vmsn"), {DISK: [base], DISK + 2: [lun]}),
    )
    disks = Disk(), Disk(mode="independent_persistent"), Disk(rdm="virtualMode")
    put(fleet, "left-out", layout, line(a), *disks)


def put_unlisted(fleet: Fleet) -> None:
    """Rule 4: a file that stands in a chain and not in the list."""
    files, (a, _) = files_of("unlisted"), marked("unlisted")
    base, delta = files.image("d.vmdk", 40 * GIB), files.image("d-1.vmdk", 7 * GIB, "delta")
    layout = files.layout(
        {DISK: [base, (*delta, 99)]}, snapshot_layout(a, files.state("a"), {DISK: [base]})
    )
    put(fleet, "unlisted", layout, line(a))


def put_unreachable(fleet: Fleet) -> None:
    """Rule 4: a file that is not accessible."""
    files, (a, _) = files_of("unreachable"), marked("unreachable")
    base, delta = files.image("d.vmdk", 40 * GIB), files.image("d-1.vmdk", 7 * GIB, "delta")
    lost = files.add("lost.vmdk", 5 * GIB, is_accessible=False)
    layout = files.layout(
        {DISK: [base, (*delta, lost)]}, snapshot_layout(a, files.state("a"), {DISK: [base]})
    )
    put(fleet, "unreachable", layout, line(a))


def put_one_unit(fleet: Fleet) -> None:
    """An object store, where the delta is no file of its own."""
    files, (a, _) = files_of("one-unit"), marked("one-unit")
    base = files.image("d.vmdk", 40 * GIB)
    layout = files.layout({DISK: [base]}, snapshot_layout(a, files.state("a"), {DISK: [base]}))
    put(fleet, "one-unit", layout, line(a))


def put_bases(fleet: Fleet) -> None:
    """Rules 6 and 7: bases of several sizes below the same delta, which an array shares in part."""
    for name, base_bytes in (("thick", 40 * GIB), ("thin", 38 * GIB), ("sparse", 10 * GIB)):
        files, (a, _) = files_of(name), marked(name)
        base = files.image("d.vmdk", base_bytes)
        delta = files.image("d-1.vmdk", 7 * GIB, "delta", unique_size=GIB)
        layout = files.layout(
            {DISK: [base, delta]}, snapshot_layout(a, files.state("a"), {DISK: [base]})
        )
        put(fleet, name, layout, line(a))


def put_clones(fleet: Fleet) -> None:
    """Rule 5, by the simulator's own hand: a gold image, and a linked clone with a snapshot."""
    fleet.machine("gold", Disk(used=40 * GIB, thick=True))
    fleet.snapshot("gold", "for clones", age=timedelta(days=90), written=2 * GIB)
    fleet.snapshot("gold", "later", age=timedelta(days=40), written=GIB)
    fleet.clone("clone", of="gold", snapshot="for clones")
    fleet.snapshot("clone", "of the clone", age=timedelta(days=9), written=3 * GIB)


def put_troubled(fleet: Fleet) -> None:
    """Consolidation, phantoms and a running point that nobody tells."""
    fleet.machine("left-behind")
    fleet.snapshot("left-behind", "gone", written=4 * GIB)
    fleet.left_behind("left-behind", "gone")
    files, (a, _) = files_of("nowhere"), marked("nowhere")
    base, delta = files.image("d.vmdk", 40 * GIB), files.image("d-1.vmdk", GIB, "delta")
    layout = files.layout(
        {DISK: [base, delta]}, snapshot_layout(a, files.state("a"), {DISK: [base]})
    )
    put(fleet, "nowhere", layout, tree(raw_snapshot(a), current="none"))


def estate() -> Fleet:
    fleet = Fleet()
    for build in (put_worked, put_shared, put_added, put_left_out, put_unreachable, put_one_unit):
        build(fleet)
    for build in (put_bases, put_clones, put_troubled):
        build(fleet)
    return fleet


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Inventory:
    """The estate as it is collected from a simulator that loaded it from files."""
    return loaded(estate(), tmp_path_factory.mktemp("estate"))


def loaded(fleet: Fleet, folder: Path) -> Inventory:
    saved = folder / "saved"
    saved.mkdir()
    with Simulator(play=fleet.write(folder / "fleet")) as simulator:
        simulator.tell("save", path=saved)
    with Simulator(load=saved) as simulator:
        return visited(simulator)


def visited(simulator: Simulator) -> Inventory:
    endpoint = Endpoint(
        name="vc1",
        kind="vsphere",
        url=simulator.url,
        account=Account(username=simulator.username),
        tls=Tls(ca_file=str(simulator.ca_file)),
        options={"tags": False, "creators": False},
    )
    now = datetime.now(UTC)
    return VsphereHypervisor().collect(endpoint, simulator.password, now, lambda _: None)


def shots(vm: VirtualMachine) -> Mapping[str, Snapshot]:
    """By the last letter of their ids."""
    return {shot.id[-1]: shot for shot in vm.snapshots}


def growth(inventory: Inventory, name: str) -> dict[str, int | None]:
    return {letter: shot.size_bytes for letter, shot in shots(named(inventory, name)).items()}


# What is seen of it -----------------------------------------------------------------------------


def test_the_whole_estate_is_seen(seen: Inventory) -> None:
    assert (seen.gaps, seen.coverage.state) == ((), CoverageState.COMPLETE)
    assert len(seen.virtual_machines) == 13


def test_what_every_hypervisor_keeps_is_kept_by_a_vcenter_and_by_a_single_host() -> None:
    for is_host in (False, True):
        with Simulator(vms=3, snapshots=2, esx=is_host) as simulator:
            found = keeps(partial(visited, simulator))
        assert [len(vm.snapshots) for vm in found.virtual_machines] == [2, 2, 2]
        assert found.coverage.state is CoverageState.COMPLETE


def test_worked_case(seen: Inventory) -> None:
    assert growth(seen, "worked") == {"A": 11 * GIB, "B": 2 * GIB}
    memory = {letter: shot.has_memory for letter, shot in shots(named(seen, "worked")).items()}
    assert memory == {"A": True, "B": False}


def test_rule_1_a_file_in_many_chains_counts_once(seen: Inventory) -> None:
    assert growth(seen, "shared") == {"A": 8 * GIB, "B": 0, "C": GIB}


def test_rule_2_disks_added_since_are_not_charged(seen: Inventory) -> None:
    assert growth(seen, "added") == {"A": 7 * GIB, "B": 10 * GIB}
    assert shots(named(seen, "added"))["A"].pinned_bytes == 10 * GIB


def test_rule_3_independent_disks_and_mapped_luns_are_left_out(seen: Inventory) -> None:
    assert growth(seen, "left-out") == {"A": 7 * GIB}
    assert named(seen, "left-out").traits == (
        "independent-disk: Hard disk 2",
        "raw-device: Hard disk 3",
    )


@pytest.mark.parametrize(("name", "least"), [("unreachable", 7 * GIB), ("one-unit", 0)])
def test_rule_4_inv_07_what_is_not_known_is_unknown_and_protects(
    seen: Inventory, name: str, least: int
) -> None:
    (shot,) = named(seen, name).snapshots
    assert (shot.size_bytes, shot.reclaimable_bytes.max) == (None, None)
    assert words(shot.protections) == {"unknown-size"}
    assert shot.reclaimable_bytes.basis.startswith(f"unknown, at least {least:,} bytes: ")


def test_rule_4_inv_07_a_file_that_is_not_listed_might_be_anybodys(tmp_path: Path) -> None:
    fleet = Fleet()
    put_unlisted(fleet)
    put_worked(fleet)
    found = loaded(fleet, tmp_path)
    (shot,) = named(found, "unlisted").snapshots
    assert (shot.size_bytes, words(shot.protections)) == (None, {"unknown-size"})
    assert "at least 7,516,192,768 bytes: file 99" in shot.reclaimable_bytes.basis
    assert words(named(found, "worked").protections) == {"unread-others"}
    assert growth(found, "worked") == {"A": 11 * GIB, "B": 2 * GIB}


def test_rule_5_a_clone_is_charged_for_what_it_wrote_and_its_base_is_its_own(
    seen: Inventory,
) -> None:
    vm = named(seen, "clone")
    (shot,) = vm.snapshots
    assert shot.size_bytes is not None
    assert 3 * GIB <= shot.size_bytes < 3 * GIB + 2**20
    roles = [layer.role for layer in vm.disks[0].layers]
    assert roles == [LayerRole.TEMPLATE, LayerRole.BASE, LayerRole.DELTA]
    assert (vm.consolidation_needed, vm.protections, shot.protections) == (False, (), ())


def test_grd_12_a_gold_image_that_a_clone_stands_on_is_protected(seen: Inventory) -> None:
    vm = named(seen, "gold")
    assert words(vm.protections) == {"clone-parent"}
    first, later = vm.snapshots
    assert "shared-backing" in words(first.protections)
    assert "shared-backing" not in words(later.protections)


@pytest.mark.parametrize(("name", "least"), [("thick", 7), ("thin", 5), ("sparse", 0)])
def test_rule_6_and_7_what_comes_back_depends_on_the_base(
    seen: Inventory, name: str, least: int
) -> None:
    (shot,) = named(seen, name).snapshots
    gain = shot.reclaimable_bytes
    assert (gain.min, gain.max) == (least * GIB, 7 * GIB)


def test_rule_8_sizes_stand_beside_the_capacity_they_are_a_share_of(seen: Inventory) -> None:
    vm = named(seen, "thick")
    assert [disk.capacity_bytes for disk in vm.disks] == [40 * GIB]


def test_deltas_that_a_removal_left_behind_are_phantoms(seen: Inventory) -> None:
    vm = named(seen, "left-behind")
    assert (vm.snapshots, vm.consolidation_needed) == ((), True)
    assert [layer.role for layer in vm.disks[0].layers] == [LayerRole.BASE, LayerRole.PHANTOM]


def test_a_running_point_that_nobody_tells_protects(seen: Inventory) -> None:
    vm = named(seen, "nowhere")
    assert (words(vm.protections), vm.current_snapshot_id) == ({"running-point"}, None)


def test_real_ages_are_told(seen: Inventory) -> None:
    first, later = named(seen, "gold").snapshots
    assert first.created_at is not None
    assert later.created_at is not None
    assert timedelta(days=49) < later.created_at - first.created_at < timedelta(days=51)
