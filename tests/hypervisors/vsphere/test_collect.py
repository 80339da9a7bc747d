"""A vCenter read in two phases: what is seen, what is not, and that nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from snapaudit.errors import AccessDenied, Unreachable
from snapaudit.hypervisors.vsphere import paths
from snapaudit.hypervisors.vsphere.collect import collect, collect_one
from snapaudit.hypervisors.vsphere.creators import Creators
from snapaudit.hypervisors.vsphere.extras import Extras
from snapaudit.hypervisors.vsphere.orphans import Orphans
from snapaudit.hypervisors.vsphere.raw import About, RawObject
from snapaudit.hypervisors.vsphere.tags import Tags
from snapaudit.hypervisors.vsphere.visiting import UNASKED, tags_of
from snapaudit.model.inventory import CoverageState, Gap, PowerState
from snapaudit.ports import Step
from snapaudit.rules.scene import unread_of
from tests.builders import GIB, NOW
from tests.hypervisors.contract import keeps
from tests.hypervisors.vsphere.looks import ENDPOINT, HOST, but, named, seen, words
from tests.hypervisors.vsphere.raws import (
    DISK,
    Files,
    MemoryService,
    around,
    raw_host,
    raw_snapshot,
    raw_store,
    raw_vm,
    service,
    snapshot_layout,
    tree,
    worked,
)

PARTIAL, COMPLETE, SUSPICIOUS = (
    CoverageState.PARTIAL,
    CoverageState.COMPLETE,
    CoverageState.SUSPICIOUS,
)


def test_what_every_hypervisor_keeps_is_kept() -> None:
    found = keeps(lambda: seen(service(worked(), raw_vm("db"))))
    assert found.coverage.state is COMPLETE
    blind = raw_vm("hidden", missing={"layoutEx": "NoPermission: System.Read"})
    assert keeps(lambda: seen(service(worked(), blind))).coverage.state is PARTIAL
    assert keeps(lambda: seen(service())).coverage.state is SUSPICIOUS


def test_a_machine_is_told_with_host_cluster_folder_and_state() -> None:
    found = seen(service(worked()))
    vm = named(found)
    assert (vm.id, vm.host_id, vm.power_state) == ("vm-web01", "host-1", PowerState.ON)
    assert (vm.folder, vm.busy, vm.is_template) == ("DC/shop", False, False)
    (host,) = found.hosts
    assert (host.name, host.cluster, host.in_maintenance) == ("host-1.example.org", "prod", False)
    assert (found.hypervisor, found.manager_id) == ("vsphere", "vc-uuid")


def test_a_host_outside_a_cluster_has_none() -> None:
    alone = RawObject("ComputeResource", "domain-c1", {"name": "host-1.example.org"})
    others = tuple(one for one in around() if one.moid != "domain-c1")
    assert [host.cluster for host in seen(service(around=(*others, alone))).hosts] == [None]


def test_a_machine_in_a_vapp_is_filed_where_the_vapp_is() -> None:
    vapp = RawObject("VirtualApp", "resgroup-v1", {"name": "suite", "parentFolder": "group-v2"})
    machine = but(worked(), {"parent": None, "parentVApp": "resgroup-v1"})
    found = seen(service(machine, around=(*around(), vapp)))
    assert named(found).folder == "DC/shop/suite"


def test_b13_folders_that_lie_in_each_other_end_somewhere() -> None:
    circle = RawObject("Folder", "group-x", {"name": "x", "parent": "group-x"})
    machine = but(worked(), {"parent": "group-x"})
    assert (named(seen(service(machine, around=(*around(), circle)))).folder or "")[:3] == "x/x"


def test_names_are_shown_as_people_gave_them() -> None:
    shots = tree(raw_snapshot("A", name="before 50%25 %2f after%5c, %41 stays"))
    vm = named(seen(service(but(worked(), {"name": "web%2f01", "snapshot": shots}))), "web/01")
    assert vm.snapshots[0].name == "before 50% / after\\, %41 stays"


def test_inv_02_a_renamed_snapshot_keeps_its_identity_and_another_one_does_not() -> None:
    one = raw_snapshot("A", id=1)
    others = [
        one._replace(moid="Z"),
        one._replace(id=2),
        one._replace(created_at=NOW),
        one._replace(created_at=None),
    ]

    def identity(shot: object, uuid: str = "vc-uuid", **values: object) -> str | None:
        machine = but(worked(), {"snapshot": tree(shot), **values})  # type: ignore[arg-type] # one snapshot
        told = About(uuid, "VMware vCenter Server", "VirtualCenter", "8.0")
        return named(seen(service(machine, about=told))).snapshots[0].identity

    same = one._replace(name="renamed", description="other")
    assert identity(one) == identity(same)
    every = [identity(one), *map(identity, others), identity(one, "another-vc")]
    every += [identity(one, **{path: "x"}) for path in ("config.instanceUuid", "config.uuid")]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("memory", "state", "expected"),
    [
        (True, "poweredOff", True),
        (False, "poweredOn", True),
        (False, "suspended", True),
        (False, "poweredOff", False),
        (False, "", None),
    ],
)
def test_memory_is_told_by_its_file_and_before_that_by_the_state(
    memory: bool, state: str, expected: bool | None
) -> None:
    files = Files()
    base, delta = files.image("a.vmdk", GIB), files.image("a-000001.vmdk", GIB)
    memory_key = files.memory("a.vmem", GIB) if memory else -1
    frozen = snapshot_layout("A", files.state("a.vmsn"), {DISK: [base]}, memory=memory_key)
    layout = files.layout({DISK: [base, delta]}, frozen)
    machine = raw_vm(layout=layout, snapshots=tree(raw_snapshot("A", state=state)))
    assert named(seen(service(machine))).snapshots[0].has_memory is expected


def test_traits_are_the_platforms_own_words() -> None:
    values = {"config.changeTrackingEnabled": True, "config.keyId": "key-1"}
    assert named(seen(service(but(worked(), values)))).traits == ("change-tracking", "encrypted")


# Datastores -------------------------------------------------------------------------------------


def test_a_datastore_promises_what_is_used_and_what_is_not_yet() -> None:
    (store,) = seen(service(worked())).datastores
    assert (store.capacity_bytes, store.free_bytes) == (1000 * GIB, 400 * GIB)
    assert store.provisioned_bytes == 700 * GIB
    assert (store.kind, store.host_ids) == ("VMFS", ("host-1",))


def test_inv_07_figures_of_a_datastore_that_is_not_accessible_mean_nothing() -> None:
    stores = (raw_host(), raw_store(accessible=False))
    (store,) = seen(service(around=stores)).datastores
    assert (store.accessible, store.capacity_bytes, store.free_bytes) == (False, None, None)
    assert (store.provisioned_bytes, store.stale_reason) == (
        None,
        "the datastore is not accessible",
    )


def test_inv_07_what_a_datastore_promises_is_unknown_where_that_is_not_told() -> None:
    (store,) = seen(service(around=(raw_host(), raw_store(uncommitted=None)))).datastores
    assert store.provisioned_bytes is None


# Phases -----------------------------------------------------------------------------------------


def test_machine_that_a_datastore_lists_and_nobody_is_shown_is_a_gap() -> None:
    store = raw_store()
    listing = replace(store, values={**store.values, "vm": ("vm-web01", "vm-secret", "vm-new")})
    found = seen(service(worked(), raw_vm("new"), around=(raw_host(), listing)))
    assert found.coverage.state is CoverageState.PARTIAL
    assert "1 that datastores list are not visible to this account (vm-secret)" in str(found.gaps)


def test_devices_are_asked_for_only_where_snapshots_or_consolidation_make_them_matter() -> None:
    marked = raw_vm("marked", values={"runtime.consolidationNeeded": True})
    unset = raw_vm("unset", values={"runtime.consolidationNeeded": None})
    found = service(worked(), raw_vm("plain"), marked, unset)
    seen(found)
    assert found.asked == [
        (paths.VIRTUAL_MACHINE, ("vm-web01", "vm-marked", "vm-unset"), paths.HEAVY),
        (paths.VIRTUAL_MACHINE, ("vm-plain",), ("layoutEx",)),
        (paths.DATASTORE, ("datastore-1",), ("vm",)),
    ]


def test_a_search_for_unused_files_asks_for_the_devices_of_all() -> None:
    found = service(worked(), raw_vm("plain"))
    machines: list[RawObject] = []

    def search(_stores: object, raws: Sequence[RawObject], _at: object) -> Orphans:
        machines.extend(raws)
        return Orphans(gaps=(Gap(subject="unused files", reason="cut"),), blind_spots=("x",))

    inventory = seen(found, orphans=search)
    assert all("config.hardware.device" in raw.values for raw in machines)
    assert [len(machines), inventory.coverage.state] == [2, PARTIAL]
    assert "x" in inventory.blind_spots


def test_c6_a_machine_that_vanishes_between_the_phases_is_no_gap() -> None:
    found = seen(service(worked(), raw_vm("brief"), vanishing=frozenset({"vm-brief"})))
    assert [vm.name for vm in found.virtual_machines] == ["web01"]
    assert (found.gaps, found.coverage.state) == ((), COMPLETE)


# What is not seen -------------------------------------------------------------------------------


def test_inv_22_a_right_that_is_missing_is_a_gap_that_names_object_and_privilege() -> None:
    missing = dict.fromkeys(("layoutEx", "config.template"), "NoPermission: System.Read")
    found = seen(service(raw_vm("db%2f1", missing=missing)))
    assert found.gaps == (
        Gap(
            subject="virtual machine db/1",
            reason="this account lacks System.Read for it: config.template, layoutEx",
        ),
    )
    assert found.coverage.state is PARTIAL
    assert "virtual machine db/1" in (found.coverage.reason or "")


def test_inv_22_an_unreadable_path_is_never_read_as_no_snapshots() -> None:
    found = seen(service(raw_vm(missing={"snapshot": "NoPermission: System.Read"})))
    assert found.coverage.state is PARTIAL
    assert words(named(found).protections) == {"unread"}


def test_inv_22_other_objects_that_cannot_be_read_are_gaps_as_well() -> None:
    host = replace(raw_host(), missing={"runtime.inMaintenanceMode": "SystemError"})
    others = tuple(one for one in around() if one.moid != "host-1")
    found = seen(service(worked(), around=(host, *others)))
    assert found.gaps == (
        Gap(
            subject="host host-1.example.org",
            reason="could not be read (SystemError): runtime.inMaintenanceMode",
        ),
    )


def test_c4_a_host_or_datastore_that_the_account_may_not_see_is_a_gap() -> None:
    others = tuple(one for one in around() if one.moid not in ("host-1", "datastore-1"))
    found = seen(service(worked(), around=others))
    (gap,) = found.gaps
    for part in ("host host-1", "datastore datastore-1", "[ds1]"):
        assert part in gap.reason
    assert named(found).host_id is None


def test_inv_22_a_machine_whose_files_nobody_tells_is_a_gap() -> None:
    machine = but(worked(), {"layoutEx": None, "runtime.connectionState": "inaccessible"})
    (gap,) = seen(service(machine)).gaps
    assert gap.reason == "its files are not told (connection state: inaccessible)"


def test_c2_not_one_visible_machine_is_suspicious() -> None:
    found = seen(service())
    assert found.coverage.state is SUSPICIOUS
    assert "may not see" in (found.coverage.reason or "")


def test_custom_attributes_whose_names_may_not_be_read_are_a_gap() -> None:
    class Closed(MemoryService):
        def custom_fields(self) -> Mapping[int, str]:
            raise AccessDenied("the names of custom attributes: System.View is missing")

    found = seen(Closed([worked(), *around()]))
    assert [gap.subject for gap in found.gaps] == ["custom attributes"]


def test_tags_that_could_not_be_read_are_a_gap_since_one_might_hold_a_machine() -> None:
    found = seen(service(worked()), tags=lambda _: Tags(gap="the login was refused"))
    assert found.gaps == (Gap(subject="tags", reason="the login was refused"),)


def test_a_server_without_tags_is_a_blind_spot_and_no_gap() -> None:
    found = seen(service(worked()), tags=lambda _: Tags(blind_spot="it has no tags to read"))
    assert (found.gaps, found.coverage.state) == ((), COMPLETE)
    assert "it has no tags to read" in found.blind_spots


def test_tags_that_nobody_asked_for_are_a_blind_spot_and_prove_no_machine_untagged() -> None:
    there, without = service(worked()), replace(ENDPOINT, options={"tags": False})
    found = seen(there, tags=tags_of(without, there, without.account, None))
    assert UNASKED in found.blind_spots
    assert "tags" in unread_of(found)


def test_makers_that_could_not_be_asked_for_are_a_blind_spot_and_no_gap() -> None:
    found = seen(service(worked()), creators=lambda *_: Creators(gap="no task history"))
    assert (found.gaps, found.coverage.state) == ((), COMPLETE)
    assert any("no task history" in spot for spot in found.blind_spots)


def test_a_maker_that_is_known_is_told() -> None:
    found = seen(service(worked()), creators=lambda *_: Creators(names={"A": "VC\\ada"}))
    assert [shot.creator for shot in named(found).snapshots] == ["VC\\ada", None]


def test_machines_of_other_managers_on_the_same_datastores_are_a_blind_spot() -> None:
    assert any("other vCenters" in spot for spot in seen(service(worked())).blind_spots)


def test_an_endpoint_that_cannot_be_read_at_all_is_an_error_and_no_empty_inventory() -> None:
    class Down(MemoryService):
        def read(self, wanted: Mapping[str, Sequence[str]]) -> Iterator[RawObject]:
            raise Unreachable("vc1: nothing answered")

    with pytest.raises(Unreachable):
        seen(Down([]))


# The manager ------------------------------------------------------------------------------------


def test_i10_the_servers_clock_is_held_against_ours() -> None:
    found = seen(service(worked(), now=NOW + timedelta(seconds=75, milliseconds=400)))
    assert found.clock_skew_seconds == 75


def test_s2_a_connection_that_nobody_verified_is_told() -> None:
    assert seen(service(worked(), is_verified=False)).connection_verified is False


def test_a_single_host_goes_by_its_own_id_or_by_its_hardware() -> None:
    assert seen(service(worked(), about=HOST)).manager_id == "host-uuid"
    nameless = replace(HOST, uuid=None)
    assert seen(service(worked(), about=nameless)).manager_id == "hardware-host-1"


def test_inv_07_a_vcenter_that_tells_no_id_is_a_gap() -> None:
    nameless = About(None, "VMware vCenter Server", "VirtualCenter", "8.0")
    found = seen(service(worked(), about=nameless))
    assert (found.manager_id, found.coverage.state) == (None, PARTIAL)


def test_progress_is_told() -> None:
    steps: list[Step] = []
    collect(service(worked()), ENDPOINT, NOW, steps.append)
    assert [(step.phase, step.seen) for step in steps] == [("reading", 0), ("understanding", 1)]


# One machine ------------------------------------------------------------------------------------


def test_grd_10_one_machine_looks_as_it_does_among_all() -> None:
    found = service(worked(), raw_vm("db"))
    one = collect_one(found, ENDPOINT, "vm-web01", NOW)
    assert one.virtual_machines == (named(seen(found)),)
    assert (one.coverage.state, one.manager_id) == (COMPLETE, "vc-uuid")


def test_grd_26_tags_are_asked_for_at_the_last_look_too() -> None:
    extras = Extras(tags=lambda moids: Tags(names=dict.fromkeys(moids, ("snapaudit:hold",))))
    found = collect_one(service(worked()), ENDPOINT, "vm-web01", NOW, extras)
    assert named(found).tags == ("snapaudit:hold",)


def test_a_machine_that_is_gone_is_not_in_it_and_that_is_no_gap() -> None:
    found = collect_one(service(worked()), ENDPOINT, "vm-gone", NOW)
    assert (found.virtual_machines, found.coverage.state) == ((), COMPLETE)


def test_grd_12_only_machines_on_the_same_datastores_are_looked_at() -> None:
    far = raw_vm("far", values={"datastore": ("datastore-2",)})
    found = service(
        worked(), raw_vm("near"), far, around=(*around(), raw_store("datastore-2", "ds2"))
    )
    collect_one(found, ENDPOINT, "vm-web01", NOW)
    assert [moids for kind, moids, _ in found.asked if kind == paths.VIRTUAL_MACHINE] == [
        ("vm-web01",),
        ("vm-near",),
    ]


def test_grd_12_a_neighbour_that_could_not_be_read_protects_at_the_last_look_too() -> None:
    blind = raw_vm("hidden", missing={"layoutEx": "NoPermission: System.Read"})
    found = collect_one(service(worked(), blind), ENDPOINT, "vm-web01", NOW)
    assert found.coverage.state is PARTIAL
    assert words(named(found).protections) == {"unread-others"}
