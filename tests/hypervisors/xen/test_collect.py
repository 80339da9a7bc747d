"""What a pool shows, as the model has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from snapaudit.hypervisors.xen.lines import DEEPEST
from snapaudit.model.inventory import CoverageState, Inventory, LayerRole, PowerState, StrayKind
from tests.beds.xapi.deeds import Fault
from tests.beds.xapi.server import XapiBed
from tests.beds.xapi.table import NEVER, NULL
from tests.beds.xapi.world import BLOCK, GIB, META, World
from tests.hypervisors.contract import keeps
from tests.hypervisors.xen.visiting import collected, machine, shot, words

SEVEN = {f"{name}.get_all_records" for name in ("pool", "host", "SR", "PBD", "VM", "VBD", "VDI")}


def test_a_pool_is_read_by_seven_bulk_calls_and_nothing_is_scanned(bed: XapiBed) -> None:
    for number in range(5):
        bed.world.snapshot(bed.world.vm(f"vm{number}", disks=2), "s")
    collected(bed)
    about_it = {"session.login_with_password", "session.logout", "host.get_servertime"}
    assert set(bed.counts) == SEVEN | about_it
    assert set(bed.counts.values()) == {1}


def test_it_keeps_what_every_hypervisor_keeps(bed: XapiBed) -> None:
    everything(bed.world)
    found = keeps(lambda: collected(bed))
    assert found.manager_id == bed.world.db.get("pool", bed.world.pool)["uuid"]
    assert found.coverage.state is CoverageState.COMPLETE


def everything(world: World) -> None:
    """A bit of all that there is."""
    web = world.vm("web", disks=2)
    world.snapshot(web, "first")
    world.checkpoint(web, "second")
    world.clone(world.snapshot(web, "third"), "clone")
    world.vm("template", running=False, is_a_template=True)
    world.vm("built-in", running=False, disks=0, is_a_template=True, is_default_template=True)
    orphaned(world)
    world.disk("unused")


def orphaned(world: World) -> str:
    """A snapshot whose machine is gone."""
    gone = world.vm("gone", running=False)
    left = world.snapshot(gone, "left")
    ref = world.db.ref("VM", gone)
    for disk in world.disks(gone):
        record = world.vdi_record(disk)
        del world.db.classes["VBD"][record["VBDs"][0]]
        world.images[record["SR"]].remove(disk)
        del world.db.classes["VDI"][world.db.ref("VDI", disk)]
    del world.db.classes["VM"][ref]
    world.collect()
    return left


def test_machines_and_templates_are_shown_and_what_the_server_brings_is_not(bed: XapiBed) -> None:
    everything(bed.world)
    found = collected(bed)
    assert {(vm.name, vm.is_template) for vm in found.virtual_machines} == {
        ("web", False), ("clone", False), ("template", True), ("left (machine gone)", False),
    }  # fmt: skip


def test_a_snapshot_with_all_that_is_told_of_it(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web", tags=["prod"], name_description="notes")
    first = world.snapshot(vm, "first", name_description="why", age=timedelta(days=3))
    second = world.checkpoint(vm, "second", age=timedelta(days=1))
    found = collected(bed)
    web = machine(found, vm)
    assert (web.tags, web.notes, web.power_state) == (("prod",), "notes", PowerState.ON)
    assert web.current_snapshot_id == second
    assert [each.id for each in web.snapshots] == [first, second]
    old, new = web.snapshots
    assert (old.name, old.description, old.kind, old.has_memory) == (
        "first", "why", "snapshot", False,
    )  # fmt: skip
    assert (new.kind, new.has_memory, new.parent_id) == ("checkpoint", True, first)
    assert old.power_state is PowerState.ON
    assert old.is_quiesced is False
    assert old.created_at == world.vm_record(first)["snapshot_time"]
    assert old.protections == new.protections == ()


def test_a_quiesced_snapshot(bed: XapiBed) -> None:
    vm = bed.world.vm("web")
    by_info = bed.world.snapshot(vm, "a", snapshot_info={"disk-snapshot-type": "quiesced"})
    by_id = bed.world.snapshot(vm, "b", transportable_snapshot_id="xyz")
    untold = bed.world.snapshot(vm, "c", snapshot_info={})
    found = collected(bed)
    told = [shot(found, each).is_quiesced for each in (by_info, by_id, untold)]
    assert told == [True, True, None]
    assert shot(found, untold).power_state is PowerState.UNKNOWN


def test_i10_a_snapshot_without_a_date_has_no_age(bed: XapiBed) -> None:
    dateless = bed.world.snapshot(bed.world.vm("web"), "s", snapshot_time=NEVER)
    assert shot(collected(bed), dateless).created_at is None


# Lines --------------------------------------------------------------------------------------------


def test_a_layer_is_what_was_written_since_its_snapshot(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web", blocks=range(100))
    first = world.snapshot(vm, "first", write=range(30))
    second = world.snapshot(vm, "second", write=range(7))
    found = collected(bed)
    (disk,) = machine(found, vm).disks
    sizes = [(layer.role, layer.snapshot_id, layer.size_bytes) for layer in disk.layers]
    assert sizes == [
        (LayerRole.BASE, None, 100 * BLOCK + META),
        (LayerRole.DELTA, first, 30 * BLOCK + 2 * META),
        (LayerRole.DELTA, second, 7 * BLOCK + 2 * META),
    ]
    assert shot(found, first).size_bytes == 30 * BLOCK + 2 * META
    assert shot(found, first).pinned_bytes == 100 * BLOCK + META


def test_what_the_garbage_collector_does_is_no_change_to_a_line(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web", disks=2)
    shots = [world.snapshot(vm, f"s{number}", write=range(9)) for number in range(4)]
    for gone in (shots[1], shots[2]):
        bed.office.deeds.destroy_vm(world.db.ref("VM", gone))
    for ref, _ in list(world.db.where("VDI", lambda each: not each["VBDs"] and each["managed"])):
        bed.office.deeds.destroy_vdi(ref)
    before = paths(collected(bed), vm)
    for _ in range(3):
        world.collect(steps=1)
        assert paths(collected(bed), vm) == before
    world.collect()
    assert paths(collected(bed), vm) == before
    assert [len(each) for each in before] == [3, 3]


def paths(found: Inventory, vm: str) -> list[list[str]]:
    return [[layer.path for layer in disk.layers] for disk in machine(found, vm).disks]


def test_the_base_that_a_fast_clone_shares_is_a_template(bed: XapiBed) -> None:
    world = bed.world
    golden = world.vm("golden", running=False, is_a_template=True, blocks=range(50))
    clone = world.clone(golden, "clone")
    world.write(clone, range(5))
    later = world.snapshot(clone, "later")
    found = collected(bed)
    (disk,) = machine(found, clone).disks
    assert [layer.role for layer in disk.layers] == [
        LayerRole.TEMPLATE, LayerRole.BASE, LayerRole.DELTA,
    ]  # fmt: skip
    assert disk.layers[0].size_bytes == 50 * BLOCK + META
    assert "clones" not in words(shot(found, later).protections)


def test_a_little_work_for_the_collector_is_nothing_to_speak_of(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web", blocks=range(4))
    shots = [world.snapshot(vm, f"s{number}", write=range(4)) for number in range(3)]
    destroyed(bed, shots[1])
    web = machine(collected(bed), vm)
    assert web.consolidation_needed is False
    assert [trait.partition(":")[0] for trait in web.traits] == ["uncoalesced"]
    world.collect()
    assert machine(collected(bed), vm).traits == ()


@pytest.mark.parametrize("why", ["many", "large", "off", "no room"])
def test_u9_a_collector_that_does_not_keep_up_is_seen(bed: XapiBed, why: str) -> None:
    world = bed.world
    blocks = range(GIB // BLOCK if why == "large" else 4)
    vm = world.vm("web", blocks=blocks)
    shots = [world.snapshot(vm, f"s{number}", write=blocks) for number in range(7)]
    for gone in shots[1:6] if why == "many" else shots[1:2]:
        destroyed(bed, gone)
    record = world.db.get("SR", world.default_sr)
    record["other_config"] |= {"gc": "false"} if why == "off" else {}
    record["sm_config"] |= {"gc_no_space": "1"} if why == "no room" else {}
    web = machine(collected(bed), vm)
    assert web.consolidation_needed is True
    (disk,) = web.disks
    depth = len(world.images[world.default_sr].by_uuid) - len(web.snapshots)
    assert len(disk.layers) == depth
    assert LayerRole.PHANTOM in {layer.role for layer in disk.layers}


def destroyed(bed: XapiBed, snapshot: str) -> None:
    """A snapshot that somebody deleted with all of its disks; nothing is collected yet."""
    world = bed.world
    disks = world.disks(snapshot)
    bed.office.deeds.destroy_vm(world.db.ref("VM", snapshot))
    for disk in disks:
        bed.office.deeds.destroy_vdi(world.db.ref("VDI", disk))


def test_a_line_near_its_limit_shows_all_its_images(bed: XapiBed) -> None:
    vm = bed.world.vm("web", blocks=range(2))
    for number in range(DEEPEST - 2):
        bed.world.snapshot(vm, f"s{number}", write=range(1))
    (disk,) = machine(collected(bed), vm).disks
    assert len(disk.layers) == DEEPEST - 1


# Wrong records ------------------------------------------------------------------------------------


def test_b13_a_line_that_leads_to_nothing_has_an_unknown_size(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web")
    one = world.snapshot(vm, "s")
    world.vdi_record(world.disks(vm)[0])["sm_config"] = {"vhd-parent": "merged-away"}
    found = collected(bed)
    assert "unknown-chain" in words(machine(found, vm).protections)
    assert machine(found, vm).consolidation_needed is None
    assert shot(found, one).size_bytes is None
    assert "merged-away" in shot(found, one).reclaimable_bytes.basis


def test_b13_a_line_in_a_circle_has_an_unknown_size(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web")
    one = world.snapshot(vm, "s")
    live = world.vdi_record(world.disks(vm)[0])
    base = world.vdi_record(live["sm_config"]["vhd-parent"])
    base["sm_config"] = {"vhd-parent": live["uuid"]}
    found = collected(bed)
    assert shot(found, one).size_bytes is None
    assert shot(found, one).reclaimable_bytes.max is None
    assert "unknown-chain" in words(shot(found, one).protections)


def test_storage_that_keeps_no_lines_has_unknown_sizes(bed: XapiBed) -> None:
    sr = bed.world.sr("zfs", kind="zfs-vol")
    one = bed.world.snapshot(bed.world.vm("web", sr=sr), "s")
    found = shot(collected(bed), one)
    assert found.size_bytes is None
    assert "zfs-vol" in found.reclaimable_bytes.basis


@pytest.mark.parametrize("told", [-1, 0])
def test_r8_a_size_that_is_nought_or_not_told_is_unknown(bed: XapiBed, told: int) -> None:
    world = bed.world
    vm = world.vm("web")
    one = world.snapshot(vm, "s")
    world.vdi_record(world.disks(vm)[0])["physical_utilisation"] = told
    assert shot(collected(bed), one).size_bytes is None


def test_a_record_without_a_uuid_is_a_gap(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web")
    world.vm_record(world.snapshot(vm, "s"))["uuid"] = ""
    found = collected(bed)
    assert found.coverage.state is CoverageState.PARTIAL
    assert "has no UUID" in (found.coverage.reason or "")


def test_c6_what_changes_while_it_is_read_is_read_once_more(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web")
    one = world.snapshot(vm, "s")
    bed.office.before["VBD.get_all_records"] = lambda: destroyed(bed, one)
    found = collected(bed)
    assert found.coverage.state is CoverageState.COMPLETE
    assert machine(found, vm).snapshots == ()
    assert bed.counts["VM.get_all_records"] == 2
    assert bed.counts["SR.get_all_records"] == 1


def test_c6_what_changes_again_is_a_gap(bed: XapiBed) -> None:
    world = bed.world
    first, second = world.vm("one"), world.vm("two")
    gone = [world.snapshot(first, "s"), world.snapshot(second, "s")]

    def again() -> None:
        destroyed(bed, gone.pop())
        if gone:
            bed.office.before["VM.get_all_records"] = lambda: bed.office.before.update(
                {"VBD.get_all_records": again}
            )

    bed.office.before["VBD.get_all_records"] = again
    found = collected(bed)
    assert found.coverage.state is CoverageState.PARTIAL
    assert "changed while it was read" in (found.coverage.reason or "")


def test_a_reference_that_leads_nowhere_for_good_protects_its_machine(bed: XapiBed) -> None:
    vm = bed.world.vm("web")
    bed.world.vm_record(vm)["VBDs"].append("OpaqueRef:nothing")
    found = collected(bed)
    assert found.coverage.state is CoverageState.COMPLETE
    assert "inconsistent" in words(machine(found, vm).protections)


def test_c2_a_list_without_the_control_domains_was_cut(bed: XapiBed) -> None:
    world = bed.world
    world.vm("web")
    domain = next(ref for ref, _ in world.db.where("VM", lambda each: each["is_control_domain"]))
    del world.db.classes["VM"][domain]
    assert collected(bed).coverage.state is CoverageState.SUSPICIOUS


def test_c2_a_pool_without_any_machine_is_suspicious(bed: XapiBed) -> None:
    assert collected(bed).coverage.state is CoverageState.SUSPICIOUS


def test_a_coordinator_that_tells_of_no_pool_is_not_believed(bed: XapiBed) -> None:
    bed.world.db.get("pool", bed.world.pool)["master"] = NULL
    bed.world.vm("web")
    found = collected(bed)
    assert found.coverage.state is CoverageState.PARTIAL
    assert found.clock_skew_seconds is None


# What is left over --------------------------------------------------------------------------------


def test_a_snapshot_whose_machine_is_gone_is_told_and_protected(bed: XapiBed) -> None:
    bed.world.vm("web")
    left = orphaned(bed.world)
    found = collected(bed)
    orphan = machine(found, f"orphan:{left}")
    assert orphan.name == "left (machine gone)"
    assert shot(found, left).id == left
    assert {"orphan"} <= words(orphan.protections)
    assert {"orphan"} <= words(shot(found, left).protections)
    assert found.strays == ()


def test_a_disk_snapshot_that_no_snapshot_uses_stands_in_its_line_as_a_phantom(
    bed: XapiBed,
) -> None:
    world = bed.world
    vm = world.vm("web")
    leaf = world.snapshot_disk(world.db.ref("VDI", world.disks(vm)[0]), world.now())
    found = collected(bed)
    (disk,) = machine(found, vm).disks
    phantom = disk.layers[-1]
    assert phantom.role is LayerRole.PHANTOM
    assert phantom.path.endswith(world.db.get("VDI", leaf)["uuid"])
    assert found.strays == ()
    assert machine(found, vm).consolidation_needed is False


def test_images_that_nothing_uses_are_strays(bed: XapiBed) -> None:
    world = bed.world
    world.vm("web")
    world.disk("unused", blocks=range(3))
    world.disk("forgotten", is_a_snapshot=True, snapshot_of="OpaqueRef:gone")
    world.disk("old memory", type="suspend")
    for kind in ("cbt_metadata", "ha_statefile", "metadata", "redo_log", "rrd", "pvs_cache"):
        world.disk(kind, type=kind)
    world.checkpoint(world.vm("other"), "with memory")
    iso = world.sr("isos", kind="iso", content_type="iso")
    world.disk("debian.iso", sr=iso)
    found = collected(bed)
    assert {(each.name, each.kind) for each in found.strays} == {
        ("unused", StrayKind.VOLUME),
        ("forgotten", StrayKind.OVERLAY),
        ("old memory", StrayKind.MEMORY),
    }
    assert {store.name for store in found.datastores} == {"local"}


# Storage, hosts, clock ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "config", "is_"),
    [
        ("ext", {}, "thin"), ("nfs", {}, "thin"), ("smb", {}, "thin"), ("lvm", {}, "thick"),
        ("lvmoiscsi", {}, "thick"), ("lvmohba", {}, "thick"),
        ("lvmoiscsi", {"allocation": "thin"}, "thin"),
    ],
)  # fmt: skip
def test_storage_is_thin_or_thick(
    bed: XapiBed, kind: str, config: dict[str, str], is_: str
) -> None:
    bed.world.sr("data", kind=kind, sm_config=config)
    store = next(each for each in collected(bed).datastores if each.name == "data")
    assert store.kind == f"{kind} ({is_})"


def test_r7_on_thick_storage_a_snapshot_costs_all_of_the_disk(bed: XapiBed) -> None:
    sr = bed.world.sr("san", kind="lvmoiscsi")
    one = bed.world.snapshot(bed.world.vm("web", sr=sr, blocks=range(4)), "s")
    found = shot(collected(bed), one)
    assert found.size_bytes == 8 * GIB + META
    assert found.reclaimable_bytes.max == 4 * BLOCK + META + META


@pytest.mark.parametrize("unknown", ["physical_size", "physical_utilisation"])
@pytest.mark.parametrize("told", [0, -1])
def test_storage_that_does_not_tell_how_full_it_is(bed: XapiBed, unknown: str, told: int) -> None:
    bed.world.db.get("SR", bed.world.default_sr)[unknown] = told
    assert collected(bed).datastores[0].free_bytes is None


def test_storage_that_no_host_has_attached_is_stale_and_protects(bed: XapiBed) -> None:
    world = bed.world
    sr = world.sr("away")
    vm = world.vm("web", sr=sr, running=False)
    for pbd in world.db.get("SR", sr)["PBDs"]:
        world.db.get("PBD", pbd)["currently_attached"] = False
    found = collected(bed)
    store = next(each for each in found.datastores if each.name == "away")
    assert not store.accessible
    assert store.stale_reason
    assert "storage-offline" in words(machine(found, vm).protections)
    assert machine(found, vm).disks[0].layers[0].exists is None


def test_c5_a_host_in_maintenance(bed: XapiBed) -> None:
    bed.world.vm("web")
    bed.world.db.get("host", bed.world.host("two"))["enabled"] = False
    found = {host.name: host.in_maintenance for host in collected(bed).hosts}
    assert found == {"host-1": False, "two": True}


@pytest.mark.parametrize(("skew", "told"), [(0, 0.0), (1, 0.0), (7200, 7200.0), (-600, -600.0)])
def test_i10_the_clock_is_the_coordinators(bed: XapiBed, skew: int, told: float) -> None:
    bed.world.vm("web")
    bed.world.skew = timedelta(seconds=skew)
    found = collected(bed).clock_skew_seconds
    assert found is not None
    assert abs(found - told) <= 1


def test_a_garbage_collector_that_is_switched_off_gives_nothing_back(bed: XapiBed) -> None:
    world = bed.world
    one = world.snapshot(world.vm("web"), "s")
    world.db.get("SR", world.default_sr)["other_config"] = {"gc": "false"}
    found = shot(collected(bed), one)
    assert found.reclaimable_bytes.max == META
    assert "switched off" in found.reclaimable_bytes.basis


def test_a_disk_that_is_never_merged_is_told(bed: XapiBed) -> None:
    vm = bed.world.vm("web")
    bed.world.vdi_record(bed.world.disks(vm)[0])["other_config"] = {"leaf-coalesce": "false"}
    assert "leaf-coalesce" in machine(collected(bed), vm).traits[0]


def refuse_schedules(bed: XapiBed) -> None:
    bed.office.faults["VMSS.get_all_records"] = [Fault("INTERNAL_ERROR")]


def forget_schedules(bed: XapiBed) -> None:
    bed.office.unknown.add("VMSS.get_all_records")


@pytest.mark.parametrize(
    ("trouble", "is_protected"),
    [(lambda _: None, True), (refuse_schedules, True), (forget_schedules, False)],
)
def test_schedules_are_read_where_a_snapshot_names_one(
    bed: XapiBed, trouble: Callable[[XapiBed], None], is_protected: bool
) -> None:
    schedule = bed.world.db.add("VMSS", name_label="nightly")
    vm = bed.world.vm("web", snapshot_schedule=schedule)
    one = bed.world.snapshot(vm, "s", is_vmss_snapshot=True)
    trouble(bed)
    found = shot(collected(bed), one)
    assert ("scheduled" in words(found.protections)) == is_protected
    assert bed.counts["VMSS.get_all_records"] == 1
