"""The collector against every kind of snapshot and trouble on a real libvirtd with real QEMU."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from snapaudit.hypervisors.libvirt import LIBVIRT
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import (
    CoverageState,
    DiskLayer,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    StrayKind,
    VirtualMachine,
)
from tests.beds.zoo import Zoo
from tests.beds.zoo.records import KIB, StagedMachine
from tests.hypervisors.contract import keeps

pytestmark = pytest.mark.bed

_STATES = {
    "running": PowerState.ON,
    "disk-snapshot": PowerState.ON,
    "paused": PowerState.PAUSED,
    "shutoff": PowerState.OFF,
}
_POWER = {"on": PowerState.ON, "off": PowerState.OFF, "paused": PowerState.PAUSED}


def read(url: str, **options: str | bool) -> Inventory:
    endpoint = Endpoint(name="bed", kind="libvirt", url=url, options=options)
    return LIBVIRT.collect(endpoint, None, datetime.now(UTC), lambda _: None)


@dataclass(frozen=True)
class Seen:
    zoo: Zoo
    inventory: Inventory

    def vm(self, name: str) -> VirtualMachine:
        return next(vm for vm in self.inventory.virtual_machines if vm.name == name)

    def snapshot(self, machine: str, name: str) -> Snapshot:
        return next(s for s in self.vm(machine).snapshots if s.name == name)

    def layer(self, machine: str, path: Path) -> DiskLayer:
        layers = (layer for disk in self.vm(machine).disks for layer in disk.layers)
        return next(layer for layer in layers if layer.path == str(path))

    def words(self, machine: str, name: str) -> set[str]:
        return {text.partition(":")[0] for text in self.snapshot(machine, name).protections}

    @property
    def staged(self) -> list[StagedMachine]:
        return list(self.zoo.machines.values())


@pytest.fixture(scope="module")
def seen(libvirt_zoo: Zoo) -> Seen:
    return Seen(libvirt_zoo, read(libvirt_zoo.bed.uri))


def used(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_the_contract_of_every_hypervisor_is_kept(libvirt_zoo: Zoo) -> None:
    keeps(lambda: read(libvirt_zoo.bed.uri))


def test_every_machine_is_listed_with_its_state(seen: Seen) -> None:
    assert {vm.name for vm in seen.inventory.virtual_machines} == set(seen.zoo.machines)
    for machine in seen.staged:
        assert seen.vm(machine.name).power_state is _POWER[machine.power], machine.name


def test_every_snapshot_is_listed_with_kind_parent_state_memory_and_time(seen: Seen) -> None:
    for machine in seen.staged:
        found = {s.name for s in seen.vm(machine.name).snapshots if s.kind != "unregistered"}
        assert found == {staged.name for staged in machine.snapshots}, machine.name
        assert seen.vm(machine.name).current_snapshot_id == machine.current
        for staged in machine.snapshots:
            snapshot = seen.snapshot(machine.name, staged.name)
            assert snapshot.kind == staged.kind, (machine.name, staged.name)
            assert snapshot.parent_id == staged.parent
            assert snapshot.power_state is _STATES[staged.state]
            assert snapshot.has_memory is staged.has_memory
            assert snapshot.created_at is not None
            # libvirt keeps whole seconds.
            begun = seen.zoo.began_at - timedelta(seconds=1)
            assert begun < snapshot.created_at <= seen.zoo.ended_at


def test_every_chain_is_whole_base_first_running_or_not(seen: Seen) -> None:
    for machine in seen.staged:
        chains = {
            disk.label: tuple(Path(layer.path) for layer in disk.layers)
            for disk in seen.vm(machine.name).disks
        }
        assert chains == dict(machine.chains), machine.name


def test_size_of_an_external_snapshot_is_what_its_files_use(seen: Seen) -> None:
    for machine in seen.staged:
        for staged in machine.snapshots:
            if staged.kind != "external":
                continue
            files = [*staged.overlays.values()]
            files += [staged.memory_file] if staged.memory_file else []
            snapshot = seen.snapshot(machine.name, staged.name)
            assert snapshot.size_bytes == sum(used(path) for path in files), machine.name
            assert staged.written_bytes is not None
            assert snapshot.size_bytes >= staged.written_bytes


def test_internal_snapshot_pins_the_data_that_was_staged_for_it(seen: Seen) -> None:
    for machine in seen.staged:
        for staged in machine.snapshots:
            if staged.kind != "internal" or staged.name in machine.dataless:
                continue
            snapshot = seen.snapshot(machine.name, staged.name)
            assert snapshot.pinned_bytes is not None
            assert staged.pinned_bytes is not None
            # Its own tables come on top, and its memory where it has any.
            assert snapshot.pinned_bytes >= staged.pinned_bytes, (machine.name, staged.name)
            if not staged.has_memory:
                assert snapshot.pinned_bytes <= staged.pinned_bytes + 256 * KIB


def test_phantom_overlays_are_found_and_nothing_else_is_called_one(seen: Seen) -> None:
    for machine in seen.staged:
        phantoms = {
            Path(layer.path)
            for disk in seen.vm(machine.name).disks
            for layer in disk.layers
            if layer.role is LayerRole.PHANTOM
        }
        assert phantoms == set(machine.phantoms), machine.name
        # What lay below an image that is gone, nobody can say.
        expected = None if machine.missing else bool(machine.phantoms)
        assert seen.vm(machine.name).consolidation_needed is expected, machine.name


def test_snapshot_made_behind_libvirts_back_is_found_with_its_size(seen: Seen) -> None:
    for machine in seen.staged:
        hidden = [s for s in seen.vm(machine.name).snapshots if s.kind == "unregistered"]
        assert {s.name for s in hidden} == set(machine.unregistered), machine.name
        for snapshot in hidden:
            assert snapshot.created_at is not None
            assert (snapshot.pinned_bytes or 0) >= 512 * KIB
            assert "unregistered" in seen.words(machine.name, snapshot.name)


def test_record_without_data_is_named_so(seen: Seen) -> None:
    for machine in seen.staged:
        for name in machine.dataless:
            assert "no-data" in seen.words(machine.name, name)
            assert seen.snapshot(machine.name, name).size_bytes is None


def test_template_with_clones_that_are_off_is_protected(seen: Seen) -> None:
    assert seen.words("template", "golden") == {"shared-backing"}
    assert seen.vm("template").is_template
    for clone in ("clone-a", "clone-b"):
        roles = [layer.role for layer in seen.vm(clone).disks[0].layers]
        assert roles == [LayerRole.TEMPLATE, LayerRole.BASE]


def test_overlay_that_another_machine_stands_on_is_protected(seen: Seen) -> None:
    assert seen.words("lender", "golden") == {"shared-backing"}
    assert "borrower" in " ".join(seen.snapshot("lender", "golden").protections)


def test_overlay_with_an_internal_snapshot_inside_is_protected(seen: Seen) -> None:
    assert "internal-inside" in seen.words("mixed", "between")


def test_states_that_forbid_changes_are_protections(seen: Seen) -> None:
    expected = {
        "checkpointed": "checkpoints",
        "managed-save": "managed-save",
        "transient": "transient",
        "commit-ready": "busy",
        "backup-running": "busy",
        "broken": "broken-chain",
    }
    for machine, word in expected.items():
        (staged,) = seen.zoo.machines[machine].snapshots
        assert word in seen.words(machine, staged.name), machine
    assert "paused" in seen.words("paused", "warm")


def test_snapshots_that_nothing_forbids_are_not_protected(seen: Seen) -> None:
    for machine in ("external-running", "external-off", "internal-off", "internal-running"):
        for snapshot in seen.vm(machine).snapshots:
            assert snapshot.protections == (), machine


def test_checkpoint_is_seen_and_is_no_snapshot(seen: Seen) -> None:
    for machine in seen.staged:
        found = tuple(point.name for point in seen.vm(machine.name).checkpoints)
        assert found == machine.checkpoints


def test_broken_chain_names_the_image_that_is_gone(seen: Seen) -> None:
    for machine in seen.staged:
        for path in machine.missing:
            assert seen.layer(machine.name, path).exists is False
            assert any(str(path) in text for text in seen.vm(machine.name).protections)


def test_orphan_and_leftover_memory_are_strays_and_images_in_use_are_not(seen: Seen) -> None:
    storage = seen.zoo.storage
    strays = {Path(stray.path): stray for stray in seen.inventory.strays}
    assert strays[storage.orphan].kind is StrayKind.VOLUME
    assert strays[storage.leftover_memory].kind is StrayKind.MEMORY
    assert strays[storage.orphan].size_bytes == used(storage.orphan)
    in_use = {p for machine in seen.staged for chain in machine.chains.values() for p in chain}
    assert in_use.isdisjoint(strays)


def test_files_the_pool_has_not_listed_are_seen_in_its_folder(seen: Seen) -> None:
    storage = seen.zoo.storage
    strays = {Path(stray.path) for stray in seen.inventory.strays}
    assert storage.unlisted in strays
    assert storage.vanished not in strays
    assert all(store.stale_reason is None for store in seen.inventory.datastores)


def test_fill_level_is_that_of_the_file_system_now(seen: Seen) -> None:
    for store in seen.inventory.datastores:
        assert store.path is not None
        system = os.statvfs(store.path)
        assert store.capacity_bytes == system.f_blocks * system.f_frsize


def test_local_host_is_seen_completely(seen: Seen) -> None:
    assert seen.inventory.coverage.state is CoverageState.COMPLETE, seen.inventory.gaps
    assert seen.inventory.blind_spots == ()


# The same daemon, seen from afar -----------------------------------------------------------------


def test_remote_reading_says_what_it_cannot_see(libvirt_zoo: Zoo) -> None:
    found = Seen(libvirt_zoo, read(libvirt_zoo.bed.tcp_uri()))
    assert found.inventory.blind_spots
    assert all(store.stale_reason for store in found.inventory.datastores)
    internal = found.snapshot("internal-off", "first")
    assert internal.size_bytes is None
    assert "another machine" in internal.reclaimable_bytes.basis
    running = found.zoo.machines["external-running"].snapshot("first")
    size = found.snapshot("external-running", "first").size_bytes
    assert size == used(running.overlays["vda"])


def test_images_are_read_through_the_pool_where_that_is_asked_for(libvirt_zoo: Zoo) -> None:
    near = Seen(libvirt_zoo, read(libvirt_zoo.bed.uri))
    afar = Seen(libvirt_zoo, read(libvirt_zoo.bed.tcp_uri(), images="download"))
    for machine, name in (("internal-off", "first"), ("internal-running", "live")):
        assert (
            afar.snapshot(machine, name).pinned_bytes == near.snapshot(machine, name).pinned_bytes
        )
    assert [s.name for s in afar.vm("unregistered").snapshots] == ["hidden"]


def test_image_for_which_no_time_is_left_is_unknown_and_the_host_is_not_lost(
    libvirt_zoo: Zoo,
) -> None:
    endpoint = Endpoint(
        name="bed", kind="libvirt", url=libvirt_zoo.bed.uri, deadline=timedelta(microseconds=1)
    )
    found = LIBVIRT.collect(endpoint, None, datetime.now(UTC), lambda _: None)
    assert found.coverage.state is CoverageState.PARTIAL
    assert len(found.virtual_machines) == len(libvirt_zoo.machines)
    snapshot = Seen(libvirt_zoo, found).snapshot("internal-off", "first")
    assert snapshot.size_bytes is None
    assert "longer deadline" in snapshot.reclaimable_bytes.basis


def test_all_is_read_without_the_right_to_change_anything(libvirt_zoo: Zoo) -> None:
    from snapaudit.hypervisors.libvirt.client import Client, sdk

    client = Client("bed", libvirt_zoo.bed.uri)
    client.connect(None, None)
    with pytest.raises(sdk().libvirtError, match="read only"):
        client._connection.listAllStoragePools()[0].refresh()
    client.close()


def test_template_is_found_in_the_xml_of_no_machine(libvirt_zoo: Zoo) -> None:
    """The clone is off and its XML names its top image alone: the graph must know the rest."""
    xml = libvirt_zoo.bed.ro.lookupByName("clone-a").XMLDesc()
    disk = ElementTree.fromstring(xml).find("devices/disk")
    assert disk is not None
    assert disk.find("backingStore/source") is None
