"""Deltas that no snapshot explains: seen in the chains, whatever the server's mark says."""

from __future__ import annotations

import pytest

from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.model.inventory import LayerRole, VirtualMachine
from tests.builders import GIB
from tests.hypervisors.vsphere.looks import but, named, seen, words
from tests.hypervisors.vsphere.raws import (
    DISK,
    Files,
    device,
    line,
    raw_store,
    raw_vm,
    service,
    snapshot_layout,
    tree,
    worked,
)
from tests.hypervisors.vsphere.raws import around as surroundings

BASE, TEMPLATE, DELTA, PHANTOM = (
    LayerRole.BASE,
    LayerRole.TEMPLATE,
    LayerRole.DELTA,
    LayerRole.PHANTOM,
)


def roles(vm: VirtualMachine) -> list[tuple[LayerRole, str | None]]:
    return [(layer.role, layer.snapshot_id) for layer in vm.disks[0].layers]


def chain(*names: str, **changes: object) -> RawObject:
    """A machine without snapshots that runs on these images, base first."""
    files = Files()
    return raw_vm(
        layout=files.layout({DISK: [files.image(name, GIB) for name in names]}), values=changes
    )


def test_each_layer_is_explained_by_the_snapshot_that_caused_it() -> None:
    vm = named(seen(service(worked())))
    assert roles(vm) == [(BASE, None), (DELTA, "A"), (DELTA, "B")]
    assert (vm.consolidation_needed, vm.consolidation_doubt) == (False, None)


def test_layers_carry_path_place_size_and_format() -> None:
    base, first, _ = named(seen(service(worked()))).disks[0].layers
    assert (base.path, base.datastore_id) == ("[ds1] web01/web01.vmdk", "datastore-1")
    assert (base.size_bytes, base.format, base.exists) == (40 * GIB, "flat", True)
    assert (first.path, first.format) == ("[ds1] web01/web01-000001.vmdk", "delta")


@pytest.mark.parametrize("mark", [True, False, None])
def test_a_delta_without_any_snapshot_is_a_phantom_whatever_the_mark_says(mark: bool) -> None:
    machine = chain("web01.vmdk", "web01-000001.vmdk")
    vm = named(seen(service(but(machine, {"runtime.consolidationNeeded": mark}))))
    assert roles(vm) == [(BASE, None), (PHANTOM, None)]
    assert (vm.consolidation_needed, vm.consolidation_doubt) == (True, None)


def test_the_devices_of_a_machine_with_a_phantom_are_read_though_nothing_else_asks_for_them() -> (
    None
):
    vm = named(seen(service(chain("web01.vmdk", "web01-000001.vmdk"))))
    assert vm.disks[0].capacity_bytes == 40 * GIB


def test_the_mark_alone_is_enough() -> None:
    vm = named(seen(service(but(worked(), {"runtime.consolidationNeeded": True}))))
    assert vm.consolidation_needed is True
    assert PHANTOM not in [role for role, _ in roles(vm)]


@pytest.mark.parametrize(("mark", "needed"), [(False, False), (None, False), (True, True)])
def test_without_a_mark_chains_that_are_explained_say_no(mark: bool | None, needed: bool) -> None:
    vm = named(seen(service(but(worked(), {"runtime.consolidationNeeded": mark}))))
    assert vm.consolidation_needed is needed


def test_inv_07_without_chains_nobody_knows_whether_consolidation_is_needed() -> None:
    for path in ("layoutEx", "runtime.consolidationNeeded"):
        machine = raw_vm(missing={path: "NoPermission: System.Read"})
        assert named(seen(service(machine))).consolidation_needed is None
    assert named(seen(service(but(worked(), {"layoutEx": None})))).consolidation_needed is None


def test_a_chain_longer_than_the_tree_explains_has_a_phantom_above_the_explained_delta() -> None:
    files = Files()
    base, first, second = (files.image(f"web01-00000{n}.vmdk", GIB, "delta") for n in range(3))
    layout = files.layout(
        {DISK: [base, first, second]}, snapshot_layout("A", files.state("a"), {DISK: [base]})
    )
    vm = named(seen(service(raw_vm(layout=layout, snapshots=line("A")))))
    assert roles(vm) == [(BASE, None), (DELTA, "A"), (PHANTOM, None)]
    assert vm.consolidation_needed is True
    assert vm.snapshots[0].size_bytes == 2 * GIB


def test_after_a_revert_the_running_delta_is_the_one_of_the_snapshot_that_was_reverted_to() -> None:
    files = Files()
    base = files.image("web01.vmdk", 40 * GIB)
    left, right = (files.image(f"web01-00000{n}.vmdk", GIB, "delta") for n in (1, 2))
    layout = files.layout(
        {DISK: [base, right]},
        snapshot_layout("A", files.state("a"), {DISK: [base]}),
        snapshot_layout("B", files.state("b"), {DISK: [base, left]}),
    )
    reverted = tree(*line("A", "B").snapshots, current="A")
    vm = named(seen(service(raw_vm(layout=layout, snapshots=reverted))))
    assert roles(vm) == [(BASE, None), (DELTA, "A")]
    assert {shot.id: shot.pinned_bytes for shot in vm.snapshots} == {"A": 0, "B": GIB}


def test_a_single_image_with_the_name_of_a_delta_is_a_phantom_and_a_person_decides() -> None:
    vm = named(seen(service(chain("web01-000003.vmdk"))))
    assert roles(vm) == [(PHANTOM, None)]
    assert "nothing is known below it" in (vm.consolidation_doubt or "")


def test_an_independent_disk_has_no_phantoms_whatever_it_stands_on() -> None:
    machine = chain("web01.vmdk", "web01-000001.vmdk")
    disks = (device(mode="independent_nonpersistent"),)
    vm = named(seen(service(but(machine, {"config.hardware.device": disks}))))
    assert (PHANTOM, None) not in roles(vm)
    assert vm.consolidation_needed is False
    assert vm.traits == ("independent-disk: Hard disk 1",)


def test_rule_5_a_linked_clones_own_base_is_the_first_image_in_its_own_folder() -> None:
    machine = chain("[ds1] gold/gold.vmdk", "[ds1] gold/gold-000001.vmdk", "web01.vmdk")
    vm = named(seen(service(machine)))
    assert roles(vm) == [(TEMPLATE, None), (TEMPLATE, None), (BASE, None)]
    assert vm.consolidation_needed is False


def test_rule_5_a_clone_on_another_machines_image_is_none_of_phantoms_by_its_name() -> None:
    files = Files("[ds1] gold")
    gold = raw_vm("gold", layout=files.layout({DISK: [files.image("gold.vmdk", GIB)]}))
    machine = chain("[ds1] gold/gold.vmdk", "web01-000001.vmdk")
    vm = named(seen(service(machine, gold)))
    assert roles(vm) == [(TEMPLATE, None), (BASE, None)]


def test_a_delta_above_an_image_elsewhere_that_nobody_else_uses_is_for_a_person_to_decide() -> None:
    vm = named(seen(service(chain("[ds1] data/disk.vmdk", "web01-000001.vmdk"))))
    assert roles(vm) == [(TEMPLATE, None), (PHANTOM, None)]
    assert "nothing proves" in (vm.consolidation_doubt or "")


def test_a_disk_that_lies_elsewhere_as_a_whole_has_its_base_there_without_proof() -> None:
    machine = chain("[ds1] data/disk.vmdk", "[ds1] data/disk-000001.vmdk")
    vm = named(seen(service(machine)))
    assert roles(vm) == [(BASE, None), (PHANTOM, None)]
    assert "[ds1] data/disk.vmdk" in (vm.consolidation_doubt or "")


def test_an_image_that_a_snapshot_of_the_machine_froze_is_proven_to_be_its_own() -> None:
    files = Files("[ds1] data")
    base, first, second = (files.image(f"disk-00000{n}.vmdk", GIB) for n in range(3))
    layout = files.layout(
        {DISK: [base, first, second]}, snapshot_layout("A", files.state("a"), {DISK: [base]})
    )
    vm = named(seen(service(raw_vm(layout=layout, snapshots=line("A")))))
    assert roles(vm) == [(BASE, None), (DELTA, "A"), (PHANTOM, None)]
    assert vm.consolidation_doubt is None


def test_grd_12_phantoms_that_other_machines_stand_on_are_not_merged() -> None:
    files = Files("[ds1] clone")
    foreign = files.image("[ds1] web01/web01-000001.vmdk", GIB)
    own = files.image("clone.vmdk", GIB, "delta")
    clone = raw_vm("clone", layout=files.layout({DISK: [foreign, own]}))
    vm = named(seen(service(chain("web01.vmdk", "web01-000001.vmdk"), clone)))
    assert "shared-backing" in words(vm.consolidation_protections)


def test_consolidation_that_is_switched_off_is_told() -> None:
    machine = but(worked(), {"disabledMethod": ("ConsolidateVMDisks_Task",)})
    vm = named(seen(service(machine)))
    assert words(vm.consolidation_protections) == {"method-disabled"}
    assert vm.protections == ()


def test_a_machine_whose_files_are_not_told_shows_its_disks_by_their_devices() -> None:
    disk = device(file="[ds1] web01/web01-000001.vmdk", parents=("[ds1] web01/web01.vmdk",))
    machine = but(worked(), {"layoutEx": None, "config.hardware.device": (disk,)})
    vm = named(seen(service(machine)))
    assert [(one.path, one.size_bytes) for one in vm.disks[0].layers] == [
        ("[ds1] web01/web01.vmdk", None),
        ("[ds1] web01/web01-000001.vmdk", None),
    ]
    assert [shot.size_bytes for shot in vm.snapshots] == [None, None]


def test_an_image_on_another_datastore_is_placed_there() -> None:
    machine = chain("[fast] web01/web01.vmdk", datastore=("datastore-1", "datastore-2"))
    stores = (*surroundings(), raw_store("datastore-2", "fast"))
    vm = named(seen(service(machine, around=stores)))
    assert [layer.datastore_id for layer in vm.disks[0].layers] == ["datastore-2"]
