"""Every rule that keeps a snapshot from being deleted, each told by its word, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from snapaudit.errors import AccessDenied
from snapaudit.hypervisors.vsphere.collect import collect_one
from snapaudit.hypervisors.vsphere.raw import RawFork, RawLayout, RawManagedBy, RawObject
from snapaudit.hypervisors.vsphere.tags import Tags
from snapaudit.model.endpoint import Endpoint
from tests.builders import GIB, NOW, ago
from tests.hypervisors.vsphere.looks import ENDPOINT, HOST, but, named, seen, words
from tests.hypervisors.vsphere.raws import (
    DISK,
    Files,
    MemoryService,
    Unit,
    around,
    device,
    line,
    raw_host,
    raw_snapshot,
    raw_store,
    raw_vm,
    service,
    snapshot_layout,
    tree,
    worked,
)


def protected(values: Mapping[str, object], **changes: Any) -> set[str]:
    """The words on the worked machine with these values."""
    return words(named(seen(service(but(worked(), values)), **changes)).protections)


def test_an_ordinary_machine_has_no_protection() -> None:
    assert protected({}) == set()


_SIMPLE: list[tuple[str, dict[str, object]]] = [
    ("template", {"config.template": True}),
    ("instant-clone", {"config.forkConfigInfo": RawFork(True, None, None, None)}),
    ("instant-clone", {"config.forkConfigInfo": RawFork(False, "group", None, None)}),
    ("instant-clone", {"config.forkConfigInfo": RawFork(False, None, "group", "persistent")}),
    ("instant-clone", {"runtime.instantCloneFrozen": True}),
    ("instant-clone", {"runtime.quiescedForkParent": True}),
    ("managed-by", {"config.managedBy": RawManagedBy("com.example.agent", "eam")}),
    ("replicated", {"config.repConfig": "GID-1"}),
    ("fault-tolerant", {"runtime.faultToleranceState": "running"}),
    ("busy", {"runtime.snapshotInBackground": True}),
    ("busy", {"runtime.question": "The disk is full. Retry?"}),
    ("method-disabled", {"disabledMethod": ("RelocateVM_Task",)}),
    ("method-disabled", {"disabledMethod": ("CreateSnapshot_Task",)}),
    ("method-disabled", {"disabledMethod": ("RemoveAllSnapshots_Task",)}),
    ("not-connected", {"runtime.connectionState": "disconnected"}),
    ("not-connected", {"runtime.connectionState": None}),
    ("suspended", {"runtime.powerState": "suspended"}),
    ("keep-until", {"config.annotation": "keep-until 2099-01-01"}),
]


@pytest.mark.parametrize(("word", "values"), _SIMPLE)
def test_inv_08_what_a_machine_is_or_does_protects_it(word: str, values: dict[str, object]) -> None:
    assert protected(values) == {word}


def test_methods_that_are_off_by_nature_protect_nothing() -> None:
    assert protected({"disabledMethod": ("PowerOnVM_Task", "MarkAsTemplate")}) == set()


def test_a_single_host_never_migrates_and_that_is_no_backup() -> None:
    raw = but(worked(), {"disabledMethod": ("MigrateVM_Task",)})
    host = MemoryService([raw, *around()], about=HOST)
    assert named(seen(host)).protections == ()


def test_all_protections_are_told_at_once_and_hold_for_each_snapshot() -> None:
    every = dict(pair for _, values in _SIMPLE for pair in values.items())
    raw = but(worked(), {**every})
    vm = named(seen(service(raw)))
    expected = {word for word, _ in _SIMPLE if word != "suspended"}
    assert expected <= words(vm.protections)
    assert all(set(vm.protections) <= set(shot.protections) for shot in vm.snapshots)


def test_a_product_that_the_endpoint_names_does_not_protect_its_machines() -> None:
    values = {"config.managedBy": RawManagedBy("com.example.agent", "eam")}
    options = Endpoint(
        name="vc1", kind="vsphere", url="", options={"managed_by": "x, com.example.agent"}
    )
    assert protected(values, endpoint=options) == set()


@pytest.mark.parametrize("name", ["cp-template-1", "CP-Replica-2", "cp-parent-3"])
def test_inv_08_machines_of_horizon_are_known_by_their_names(name: str) -> None:
    assert words(named(seen(service(raw_vm(name, snapshots=None))), name).protections) == {
        "horizon"
    }


def test_inv_08_machines_of_horizon_are_known_by_their_folder() -> None:
    folder = RawObject(
        "Folder", "group-h", {"name": "ClonePrepReplicaVmFolder", "parent": "group-v2"}
    )
    machine = raw_vm(values={"parent": "group-h"})
    found = named(seen(service(machine, around=(*around(), folder))))
    assert words(found.protections) == {"horizon"}
    assert found.folder == "DC/shop/ClonePrepReplicaVmFolder"


def test_inv_08_a_running_point_that_nobody_knows_protects() -> None:
    snapshots = tree(*line("A", "B").snapshots, current="none")
    raw = but(worked(), {"snapshot": snapshots})
    vm = named(seen(service(raw)))
    assert words(vm.protections) == {"running-point"}
    assert vm.current_snapshot_id is None


def test_inv_08_a_datastore_in_maintenance_protects() -> None:
    store = raw_store(maintenanceMode="enteringMaintenance")
    others = (one for one in around() if one.moid != store.moid)
    vm = named(seen(service(worked(), around=(store, *others))))
    assert words(vm.protections) == {"maintenance"}


def test_c5_a_host_in_maintenance_protects() -> None:
    resting = but(raw_host(), {"runtime.inMaintenanceMode": True})
    others = (one for one in around() if one.moid != resting.moid)
    vm = named(seen(service(worked(), around=(resting, *others))))
    assert words(vm.protections) == {"maintenance"}
    assert "host-1.example.org" in vm.protections[0]


def test_inv_08_disks_that_several_machines_write_or_a_guest_drives_itself_protect() -> None:
    shared = device(sharing="sharingMultiWriter"), device(DISK + 1, rdm="physicalMode")
    found = protected({"config.hardware.device": shared})
    assert found == {"shared-disk", "raw-device"}


# Tasks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "is_busy"),
    [("success", False), ("error", False), ("running", True), ("queued", True), (None, True)],
)
def test_inv_08_a_task_that_is_not_known_to_be_over_makes_busy(state: str, is_busy: bool) -> None:
    raw = but(worked(), {"recentTask": ("task-1",)})
    values = {} if state is None else {"info.state": state, "info.descriptionId": "backup"}
    found = service(raw)
    found.objects.append(RawObject("Task", "task-1", values))
    vm = named(seen(found))
    assert (vm.busy, words(vm.protections)) == (is_busy, {"busy"} if is_busy else set())


def test_a_task_that_is_gone_by_now_is_over() -> None:
    raw = but(worked(), {"recentTask": ("task-1",)})
    assert named(seen(service(raw))).busy is False


def test_inv_07_tasks_that_cannot_be_asked_for_at_all_are_not_known_to_be_over() -> None:
    class Forgetful(MemoryService):
        def read_of(
            self, kind: str, moids: Iterable[str], paths: Sequence[str]
        ) -> Iterator[RawObject]:
            if kind == "Task":
                raise AccessDenied("tasks: System.View is missing")
            return super().read_of(kind, moids, paths)

    raw = but(worked(), {"recentTask": ("task-1",)})
    vm = named(seen(Forgetful([raw, *around()])))
    assert (vm.busy, words(vm.protections)) == (True, {"busy"})


def test_inv_07_tasks_that_may_not_be_seen_leave_open_whether_it_is_busy() -> None:
    machine = raw_vm(missing={"recentTask": "NoPermission: System.View"})
    vm = named(seen(service(machine)))
    assert (vm.busy, words(vm.protections)) == (None, {"unread"})


# Backup -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "VEEAM BACKUP TEMPORARY SNAPSHOT",
        "nightly GX_BACKUP 4",
        "NBU_SNAPSHOT web01",
        "Consolidate Helper- 0",
        "smvi_1",
        "TSM-VM Snapshot Mon",
        "_VCB-BACKUP_",
    ],
)
def test_inv_08_a_young_snapshot_with_a_products_name_is_a_backup_under_way(name: str) -> None:
    young = tree(raw_snapshot("A", name=name, created_at=ago("2h")))
    old = tree(raw_snapshot("A", name=name, created_at=ago("25h")))
    assert "backup-running" in protected({"snapshot": young})
    assert "backup-running" not in protected({"snapshot": old})


def attached(other: Unit, files: Files) -> RawObject:
    """A proxy that has a disk of another machine attached beside its own."""
    own = files.image("[ds1] proxy/proxy.vmdk", GIB)
    return raw_vm("proxy", layout=files.layout({DISK: [own], DISK + 1: [other]}))


def test_inv_08_a_proxy_that_holds_a_disk_of_it_is_a_backup_under_way() -> None:
    files = Files()
    frozen = files.image("[ds1] web01/web01.vmdk", 40 * GIB)
    vm = named(seen(service(worked(), attached(frozen, files))))
    assert words(vm.protections) == {"backup-running"}
    assert "proxy" in vm.protections[0]


# Clones -----------------------------------------------------------------------------------------


def clone(name: str = "clone1", of: str = "web01.vmdk", snapshots: bool = False) -> RawObject:
    """A linked clone that stands on an image of web01."""
    files = Files(f"[ds1] {name}")
    foreign = files.image(f"[ds1] web01/{of}", 40 * GIB)
    own = files.image(f"{name}.vmdk", 3 * GIB, "delta")
    if not snapshots:
        return raw_vm(name, layout=files.layout({DISK: [foreign, own]}))
    delta = files.image(f"{name}-000001.vmdk", GIB, "delta")
    frozen = snapshot_layout("C", files.state("c.vmsn"), {DISK: [foreign, own]})
    layout = files.layout({DISK: [foreign, own, delta]}, frozen)
    return raw_vm(name, layout=layout, snapshots=line("C"))


def test_grd_12_a_machine_whose_disks_clones_stand_on_keeps_all_its_snapshots() -> None:
    vm = named(seen(service(worked(), clone(), clone("clone2"))))
    assert words(vm.protections) == {"clone-parent"}
    assert "clone1 and 1 more" in vm.protections[0]


def test_grd_12_deleting_a_snapshot_writes_into_what_it_froze_and_takes_what_was_written() -> None:
    """A writes into the base and takes the first delta, which the clone stands on; B as well."""
    vm = named(seen(service(worked(), clone(of="web01-000001.vmdk"))))
    assert {shot.id: "shared-backing" in words(shot.protections) for shot in vm.snapshots} == {
        "A": True,
        "B": True,
    }
    on_base = named(seen(service(worked(), clone())))
    assert {shot.id: "shared-backing" in words(shot.protections) for shot in on_base.snapshots} == {
        "A": True,
        "B": False,
    }


def test_grd_12_a_clones_own_later_snapshot_stays_deletable_though_it_shares_the_base() -> None:
    vm = named(seen(service(worked(), clone(snapshots=True), clone("clone2"))), "clone1")
    assert vm.protections == ()
    assert [shot.protections for shot in vm.snapshots] == [()]


def test_grd_12_a_clone_known_only_by_what_a_snapshot_of_it_froze_counts() -> None:
    files = Files("[ds1] clone1")
    foreign = files.image("[ds1] web01/web01.vmdk", 40 * GIB)
    alone = files.image("clone1.vmdk", GIB)
    frozen = snapshot_layout("C", files.state("c.vmsn"), {DISK: [foreign]})
    other = raw_vm("clone1", layout=files.layout({DISK: [alone]}, frozen), snapshots=line("C"))
    assert "clone-parent" in words(named(seen(service(worked(), other))).protections)


def test_grd_12_one_machine_that_could_not_be_read_protects_all_others() -> None:
    blind = raw_vm("hidden", missing={"layoutEx": "NoPermission: System.Read"})
    found = seen(service(worked(), blind))
    vm = named(found)
    assert words(vm.protections) == {"unread-others"}
    assert "hidden" in vm.protections[0]
    assert words(named(found, "hidden").protections) == {"unread"}


def test_grd_12_a_chain_with_a_file_that_is_not_listed_counts_as_unread() -> None:
    files = Files("[ds1] odd")
    layout = files.layout({DISK: [files.image("odd.vmdk", GIB), (77,)]})
    vm = named(seen(service(worked(), raw_vm("odd", layout=layout))))
    assert words(vm.protections) == {"unread-others"}


def test_files_that_a_snapshot_left_in_the_layout_when_it_went_are_no_riddle() -> None:
    files = Files("[ds1] odd")
    base = files.image("odd.vmdk", GIB)
    layout = files.layout({DISK: [base]}, snapshot_layout("gone", 77, {DISK: [base, (78,)]}))
    vm = named(seen(service(worked(), raw_vm("odd", layout=layout))))
    assert vm.protections == ()


def test_files_of_one_name_in_two_datacenters_are_two_files() -> None:
    other = raw_vm("web01", moid="vm-2", values={"datastore": ("datastore-2",)})
    stores = (*around(), raw_store("datastore-2"))
    found = seen(service(worked(), other, around=stores))
    assert [vm.protections for vm in found.virtual_machines] == [(), ()]


def test_grd_12_one_volume_that_two_datacenters_mount_is_one_place() -> None:
    other = clone()
    raw = but(other, {"datastore": ("datastore-2",)})
    twin = raw_store("datastore-2", url="ds:///vmfs/volumes/datastore-1/")
    for found in (
        seen(service(worked(), raw, around=(*around(), twin))),
        collect_one(service(worked(), raw, around=(*around(), twin)), ENDPOINT, "vm-web01", NOW),
    ):
        assert "clone-parent" in words(named(found).protections)


def test_grd_12_a_datastore_without_a_url_is_one_place_as_well() -> None:
    store = raw_store(url=None)
    others = (one for one in around() if one.moid != store.moid)
    vm = named(seen(service(worked(), clone(), around=(store, *others))))
    assert words(vm.protections) == {"clone-parent"}
    apart = but(clone(), {"datastore": ("datastore-2",)})
    stores = (store, raw_store("datastore-2", url=None), *around()[2:], raw_host())
    assert named(seen(service(worked(), apart, around=stores))).protections == ()


def test_grd_12_one_object_is_one_file_though_its_folder_has_two_names() -> None:
    files, others = Files("[vsan] web01"), Files("[vsan] clone1")
    base = (files.add("web01.vmdk", GIB, "diskDescriptor", backing_object_id="object-1"),)
    path = "[vsan] 5f0e-uuid/web01.vmdk"
    foreign = (others.add(path, GIB, "diskDescriptor", backing_object_id="object-1"),)
    own = others.image("clone1.vmdk", GIB)
    machines = (
        raw_vm("web01", layout=files.layout({DISK: [base]})),
        raw_vm("clone1", layout=others.layout({DISK: [foreign, own]})),
    )
    stores = (*around(), raw_store("datastore-1", "vsan", type="vsan"))
    unique = {one.moid: one for one in stores}
    vm = named(seen(service(*machines, around=tuple(unique.values()))))
    assert words(vm.protections) == {"clone-parent"}


# What people wrote ------------------------------------------------------------------------------


def test_inv_08_a_custom_attribute_that_keeps_a_machine_protects_it() -> None:
    machine = raw_vm(values={"customValue": ((7, "2099-12-31"), (8, "blue"))})
    vm = named(seen(service(machine, fields={7: "Keep Until", 8: "colour"})))
    assert words(vm.protections) == {"keep-until"}
    assert [(one.name, one.value) for one in vm.attributes] == [
        ("Keep Until", "2099-12-31"),
        ("colour", "blue"),
    ]


def test_inv_08_a_tag_that_keeps_a_machine_protects_it() -> None:
    tags = Tags(names={"vm-web01": ("keep-until-2099-12-31",)})
    vm = named(seen(service(worked()), tags=lambda _: tags))
    assert (words(vm.protections), vm.tags) == ({"keep-until"}, ("keep-until-2099-12-31",))


def test_inv_08_a_mark_in_a_snapshots_description_protects_that_snapshot_alone() -> None:
    shots = line("A", "B").snapshots
    kept = raw_snapshot("A", description="keep until 2099-12-31, ask Ada")
    raw = but(worked(), {"snapshot": tree(kept, shots[1])})
    vm = named(seen(service(raw)))
    found = {shot.id: words(shot.protections) for shot in vm.snapshots}
    assert found == {"A": {"keep-until"}, "B": set()}


# What is not known ------------------------------------------------------------------------------


def test_inv_07_an_unknown_size_protects_the_snapshot() -> None:
    machine = worked()
    layout = machine.values["layoutEx"]
    assert isinstance(layout, RawLayout)
    files = {key: file for key, file in layout.files.items() if not file.name.endswith(".vmem")}
    less = RawLayout(files, layout.disks, layout.snapshots, NOW)
    vm = named(seen(service(but(machine, {"layoutEx": less}))))
    found = {shot.id: words(shot.protections) for shot in vm.snapshots}
    assert found == {"A": {"unknown-size"}, "B": set()}


def test_inv_07_a_machine_of_which_something_could_not_be_read_is_protected() -> None:
    machine = raw_vm(missing={"config.managedBy": "NoPermission: System.Read"})
    vm = named(seen(service(machine)))
    assert words(vm.protections) == {"unread"}
    assert "config.managedBy" in vm.protections[0]


def test_a_path_that_the_servers_release_does_not_know_is_no_protection() -> None:
    machine = raw_vm(missing={"runtime.instantCloneFrozen": "InvalidProperty"})
    found = seen(service(machine))
    assert (named(found).protections, found.gaps) == ((), ())
