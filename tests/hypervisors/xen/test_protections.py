"""Each protection by its word: what brings it about, and that nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from snapaudit.model.inventory import Inventory
from tests.beds.xapi.server import XapiBed
from tests.beds.xapi.world import World
from tests.hypervisors.xen.visiting import collected, machine, shot, words

Change = Callable[[World, str, str], object]
"""Given the world, the machine ``web`` and its snapshot ``s``."""


def vm(key: str, value: object) -> Change:
    """Set a field of the machine."""
    return lambda world, vm, _: world.vm_record(vm).update({key: value})


def snap(key: str, value: object) -> Change:
    """Set a field of the snapshot."""
    return lambda world, _, one: world.vm_record(one).update({key: value})


def leaf(key: str, value: object) -> Change:
    """Set a field of the snapshot's disk."""
    return lambda world, _, one: world.vdi_record(world.disks(one)[0]).update({key: value})


def live(key: str, value: object) -> Change:
    """Set a field of the machine's disk."""
    return lambda world, vm, _: world.vdi_record(world.disks(vm)[0]).update({key: value})


def itself(world: World, _: str, one: str) -> None:
    disk = world.disks(one)[0]
    world.vdi_record(disk)["snapshot_of"] = world.db.ref("VDI", disk)


def attached_elsewhere(world: World, _: str, one: str) -> None:
    other = world.vm("other", disks=0)
    world.attach(world.db.ref("VM", other), world.db.ref("VDI", world.disks(one)[0]), 0)


def not_owned(world: World, _: str, one: str) -> None:
    for use in world.vm_record(one)["VBDs"]:
        world.db.get("VBD", use)["other_config"] = {}


def no_image(world: World, _: str, one: str) -> None:
    disk = world.disks(one)[0]
    world.images[world.default_sr].remove(disk)
    del world.db.classes["VDI"][world.db.ref("VDI", disk)]


def no_memory(world: World, _: str, one: str) -> None:
    world.vm_record(one).update(power_state="Suspended", suspend_VDI="OpaqueRef:gone")


def lost_parent(world: World, _: str, one: str) -> None:
    world.vm_record(one)["parent"] = "OpaqueRef:gone"


def cloned(world: World, _: str, one: str) -> None:
    world.clone(one, "clone")


def detached(world: World, vm: str, _: str) -> None:
    record = world.vm_record(vm)
    record["VBDs"].clear()


def full(world: World, *_: str) -> None:
    record = world.db.get("SR", world.default_sr)
    record.update(type="lvm", sm_config={"gc_no_space": "1"})


def offline(world: World, *_: str) -> None:
    for pbd in world.db.get("SR", world.default_sr)["PBDs"]:
        world.db.get("PBD", pbd)["currently_attached"] = False


def mirrored(world: World, vm: str, _: str) -> None:
    world.vdi_record(world.disks(vm)[0])["sm_config"]["base_mirror"] = "x"


def maintenance(world: World, *_: str) -> None:
    world.db.get("host", world.master)["enabled"] = False


def scheduled(world: World, vm: str, one: str) -> None:
    world.vm_record(vm)["snapshot_schedule"] = world.db.add("VMSS", name_label="nightly")
    world.vm_record(one)["is_vmss_snapshot"] = True


OF_MACHINE: dict[str, tuple[str, Change]] = {
    "busy machine": ("busy", vm("current_operations", {"task": "migrate_send"})),
    "busy snapshot": ("busy", snap("current_operations", {"task": "export"})),
    "busy disk": ("busy", live("current_operations", {"task": "mirror"})),
    "busy snapshot's disk": ("busy", leaf("current_operations", {"task": "copy"})),
    "mirrored": ("busy", mirrored),
    "blocked": ("blocked", vm("blocked_operations", {"destroy": "mine"})),
    "replica by tag": ("replica", vm("tags", ["Continuous Replication"])),
    "restored copy by tag": ("replica", vm("tags", ["Disaster Recovery"])),
    "MCS by key": ("provisioned", vm("other_config", {"CitrixProvisioningSchemeId": "x"})),
    "MCS by tag": ("provisioned", vm("tags", ["CitrixProvisioningSchemeId:x"])),
    "offline": ("storage-offline", offline),
    "full": ("no-room", full),
    "host in maintenance": ("maintenance", maintenance),
    "live disk is a snapshot": ("inconsistent", live("is_a_snapshot", True)),
    "live disk of another": ("inconsistent", live("snapshot_of", "OpaqueRef:x")),
}  # fmt: skip

OF_SNAPSHOT: dict[str, tuple[str, Change]] = {
    "blocked": ("blocked", snap("blocked_operations", {"destroy": "keep"})),
    "not allowed": ("not-allowed", snap("allowed_operations", ["clone"])),
    "held by its tag": ("held", snap("tags", ["snapaudit:hold"])),
    "backup by the snapshot": ("backup", snap("other_config", {"xo:backup:job": "1"})),
    "backup by its disk": ("backup", leaf("other_config", {"xo:backup:exported": "true"})),
    "delta base": ("backup", leaf("other_config", {"xo:base_delta_vdi": "x"})),
    "copy": ("backup", snap("other_config", {"xo:copy_of": "x"})),
    "map of changed blocks": ("cbt", leaf("type", "cbt_metadata")),
    "scheduled": ("scheduled", scheduled),
    "clones": ("clones", cloned),
    "detached": ("detached-disk", detached),
    "no snapshot": ("inconsistent", leaf("is_a_snapshot", False)),
    "of itself": ("inconsistent", itself),
    "elsewhere": ("inconsistent", attached_elsewhere),
    "not owned": ("inconsistent", not_owned),
    "image gone": ("inconsistent", no_image),
    "memory gone": ("inconsistent", no_memory),
    "parent gone": ("inconsistent", lost_parent),
    "runs": ("inconsistent", snap("power_state", "Running")),
    "may run": ("inconsistent", snap("resident_on", "OpaqueRef:host")),
    "no template": ("inconsistent", snap("is_a_template", False)),
    "missing": ("inconsistent", leaf("missing", True)),
    "odd type": ("inconsistent", leaf("type", "redo_log")),
}


@pytest.mark.parametrize("name", OF_MACHINE)
def test_inv_08_what_protects_a_machine_protects_its_snapshots(bed: XapiBed, name: str) -> None:
    word, change = OF_MACHINE[name]
    found, web, one = _changed(bed, change)
    assert word in words(machine(found, web).protections)
    assert word in words(shot(found, one).protections)
    assert all(": " in each for each in machine(found, web).protections)
    assert machine(found, web).busy is (word == "busy")


@pytest.mark.parametrize("name", OF_SNAPSHOT)
def test_inv_08_what_protects_a_snapshot(bed: XapiBed, name: str) -> None:
    word, change = OF_SNAPSHOT[name]
    found, web, one = _changed(bed, change)
    assert word in words(shot(found, one).protections)
    assert words(machine(found, web).protections) == set()
    assert all(": " in each for each in shot(found, one).protections)


def _changed(bed: XapiBed, change: Change) -> tuple[Inventory, str, str]:
    web = bed.world.vm("web")
    one = bed.world.snapshot(web, "s")
    assert shot(collected(bed), one).protections == ()
    change(bed.world, web, one)
    return collected(bed), web, one


def test_u3_the_newest_that_a_job_has_exported_is_named_as_the_base_of_the_next(
    bed: XapiBed,
) -> None:
    web = bed.world.vm("web")
    marks = {"xo:backup:job": "j", "xo:backup:exported": "true"}
    old = bed.world.snapshot(web, "old", other_config=marks, age=timedelta(days=9))
    new = bed.world.snapshot(web, "new", other_config=marks, age=timedelta(days=2))
    found = collected(bed)
    told = {each.id: " ".join(each.protections) for each in machine(found, web).snapshots}
    assert "next backup stands on it" in told[new]
    assert "next backup stands on it" not in told[old]


def test_u6_tracked_changes_count_where_a_backup_product_owns_the_snapshot(bed: XapiBed) -> None:
    web = bed.world.vm("web")
    plain, backup = bed.world.snapshot(web, "a"), bed.world.snapshot(web, "b")
    for one in (plain, backup):
        bed.world.vdi_record(bed.world.disks(one)[0])["cbt_enabled"] = True
    bed.world.vm_record(backup)["other_config"] = {"xo:backup:job": "1"}
    found = collected(bed)
    assert "cbt" not in words(shot(found, plain).protections)
    assert "cbt" in words(shot(found, backup).protections)


@pytest.mark.parametrize("why", ["disabled", "gone", "none"])
def test_a_schedule_that_is_over_protects_nothing(bed: XapiBed, why: str) -> None:
    world = bed.world
    web = world.vm("web")
    one = world.snapshot(web, "s")
    scheduled(world, web, one)
    schedule = world.vm_record(web)["snapshot_schedule"]
    match why:
        case "disabled":
            world.db.get("VMSS", schedule)["enabled"] = False
        case "gone":
            del world.db.classes["VMSS"][schedule]
        case _:
            world.vm_record(web)["snapshot_schedule"] = "OpaqueRef:NULL"
    assert "scheduled" not in words(shot(collected(bed), one).protections)


def test_u1_a_clone_of_the_machine_protects_no_snapshot_above_what_they_share(
    bed: XapiBed,
) -> None:
    world = bed.world
    web = world.vm("web")
    world.clone(web, "clone")
    world.write(web, range(5))
    later = world.snapshot(web, "later")
    assert shot(collected(bed), later).protections == ()


def test_u1_a_clone_of_one_snapshot_protects_that_one_alone(bed: XapiBed) -> None:
    world = bed.world
    web = world.vm("web")
    shots = [world.snapshot(web, name) for name in ("a", "b", "c")]
    world.clone(shots[1], "clone")
    world.collect()
    found = collected(bed)
    told = ["clones" in words(shot(found, each).protections) for each in shots]
    assert told == [False, True, False]
    assert "clone disk of clone" in " ".join(shot(found, shots[1]).protections)


def test_a_replica_is_one_by_key_and_by_a_start_that_is_blocked(bed: XapiBed) -> None:
    web = bed.world.vm("web", other_config={"xo:backup:job": "1"})
    assert "replica" not in words(machine(collected(bed), web).protections)
    bed.world.vm_record(web)["blocked_operations"] = {"start": "replica"}
    assert "replica" in words(machine(collected(bed), web).protections)


def test_names_alone_protect_nothing(bed: XapiBed) -> None:
    one = bed.world.snapshot(bed.world.vm("web"), "[XO Backup nightly] web")
    assert shot(collected(bed), one).protections == ()
