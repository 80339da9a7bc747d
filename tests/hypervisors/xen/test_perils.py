"""What must stay: each peril is refused while planning, and again when it comes after the plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from snapaudit.model.journal import Event
from snapaudit.model.plan import Guard
from tests.beds.xapi.server import XapiBed
from tests.beds.xapi.world import World
from tests.hypervisors.xen.office import Office
from tests.hypervisors.xen.test_protections import OF_MACHINE, OF_SNAPSHOT

PERILS = {f"machine: {name}": each for name, each in OF_MACHINE.items()} | {
    f"snapshot: {name}": each for name, each in OF_SNAPSHOT.items()
}


def staged(office: Office) -> tuple[World, str, str]:
    world = office.bed.world
    web = world.vm("web")
    return world, web, world.snapshot(web, "s")


@pytest.mark.parametrize("name", PERILS)
def test_inv_08_what_comes_to_protect_after_the_plan_forbids_it(
    office: Office, bed: XapiBed, name: str
) -> None:
    _, change = PERILS[name]
    world, web, one = staged(office)
    plan = office.plan()
    assert len(office.read(plan).actions) == 1
    change(world, web, one)
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.REFUSED
    again = office.read(office.plan())
    assert again.actions == ()
    assert office.sent == []


def rename(world: World, _: str, one: str) -> None:
    world.vm_record(one)["name_label"] = "other"


def describe(world: World, _: str, one: str) -> None:
    world.vm_record(one)["name_description"] = "why"


def rename_machine(world: World, web: str, _: str) -> None:
    world.vm_record(web)["name_label"] = "db"


def give_a_child(world: World, web: str, _: str) -> None:
    world.snapshot(web, "later")


def redate(world: World, _: str, one: str) -> None:
    world.vm_record(one)["snapshot_time"] -= timedelta(days=1)


def move(world: World, web: str, _: str) -> None:
    """The disk lies in another repository by now, under another UUID, as a migration leaves it."""
    new = world.disk("moved", sr=world.sr("other"), blocks=range(3))
    use = world.db.get("VBD", world.vm_record(web)["VBDs"][0])
    use["VDI"] = new
    world.db.get("VDI", new)["VBDs"] = list(world.vm_record(web)["VBDs"])


def other_pool(world: World, *_: str) -> None:
    world.db.get("pool", world.pool)["uuid"] = world.db.uuid()


CHANGES: dict[str, tuple[Callable[[World, str, str], Any], str]] = {
    "renamed": (rename, "name"),
    "described": (describe, "description"),
    "machine renamed": (rename_machine, "name of the machine"),
    "child": (give_a_child, "children"),
    "other time": (redate, "created at"),
    "moved": (move, "chain of disk"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_grd_01_what_differs_from_the_plan_is_named(
    office: Office, bed: XapiBed, name: str
) -> None:
    change, words = CHANGES[name]
    world, web, one = staged(office)
    plan = office.plan()
    change(world, web, one)
    office.refuses(plan, Guard.UNCHANGED, words)


def test_i5_an_address_that_leads_to_another_pool_refuses_the_run(
    office: Office, bed: XapiBed
) -> None:
    staged(office)
    plan = office.plan()
    other_pool(bed.world)
    office.refuses_all(plan, "another manager")


def test_i1_a_snapshot_that_was_taken_again_is_another_one(office: Office, bed: XapiBed) -> None:
    world, web, one = staged(office)
    plan = office.plan()
    at = world.vm_record(one)["snapshot_time"]
    disks = world.disks(one)
    bed.office.deeds.destroy_vm(world.db.ref("VM", one))
    for disk in disks:
        bed.office.deeds.destroy_vdi(world.db.ref("VDI", disk))
    again = world.snapshot(web, "s", snapshot_time=at)
    assert office.ends(plan) == [Event.ALREADY_GONE]
    assert office.sent == []
    assert world.db.has("VM", again)


def test_i2_i3_two_machines_with_one_id_are_left_alone(office: Office, bed: XapiBed) -> None:
    world, web, _ = staged(office)
    plan = office.plan()
    other = world.vm("other")
    world.vm_record(other)["uuid"] = web
    assert office.ends(plan) == [Event.REFUSED]
    assert office.sent == []


def test_i7_u8_a_machine_that_was_reverted_is_left_alone(office: Office, bed: XapiBed) -> None:
    world, web, one = staged(office)
    world.snapshot(web, "later")
    world.vm_record(web)["parent"] = world.db.ref("VM", one)
    plan = office.read(office.plan())
    assert plan.actions == ()
    assert {str(each.guard) for each in plan.refusals} == {"linear-chain"}


def test_u8_a_branched_tree_is_left_alone(office: Office, bed: XapiBed) -> None:
    world, web, one = staged(office)
    second = world.snapshot(web, "second")
    third = world.snapshot(web, "third")
    world.vm_record(third)["parent"] = world.db.ref("VM", one)
    plan = office.read(office.plan())
    assert plan.actions == ()
    assert second in {each.snapshot_id for each in plan.refusals}


def test_u2_a_template_is_left_alone(office: Office, bed: XapiBed) -> None:
    world = bed.world
    world.snapshot(world.vm("golden", running=False, is_a_template=True), "s")
    plan = office.read(office.plan())
    assert plan.actions == ()
    assert len(plan.refusals) == 1


@pytest.mark.parametrize("tag", ["snapaudit:hold"])
def test_u11_a_machine_that_is_tagged_is_held(office: Office, bed: XapiBed, tag: str) -> None:
    world, web, _ = staged(office)
    plan = office.plan()
    world.vm_record(web)["tags"].append(tag)
    office.refuses(plan, Guard.HELD, "snapaudit:hold")


def test_u11_a_young_snapshot_is_left_alone(office: Office, bed: XapiBed) -> None:
    world = bed.world
    world.snapshot(world.vm("web"), "s", age=timedelta(hours=80))
    plan = office.plan()
    assert len(office.read(plan).actions) == 1
    world.skew = timedelta(minutes=50)
    assert len(office.read(office.plan()).actions) == 1
    world.skew = timedelta(hours=2)
    [refusal] = office.read(office.plan()).refusals
    assert refusal.guard is Guard.MIN_AGE
    assert "clock" in refusal.reason


def test_u4_a_backup_products_name_is_believed_by_the_rules(office: Office, bed: XapiBed) -> None:
    """Names are hints: the snapshot is not protected, and no rule offers it all the same."""
    bed.world.snapshot(bed.world.vm("web"), "[XO Backup nightly] web")
    assert office.read(office.plan()).actions == ()


def test_c3_a_machine_that_cannot_be_read_keeps_the_pool_from_being_changed(
    office: Office, bed: XapiBed
) -> None:
    world, _, _ = staged(office)
    plan = office.plan()
    world.vm_record(world.vm("broken"))["uuid"] = ""
    again = office.read(office.plan())
    assert {each.guard for each in again.refusals} == {Guard.WHOLE_VIEW}
    assert office.ends(plan) in ([Event.DONE], [Event.REFUSED])


def test_c1_a_pool_that_does_not_answer_is_missing_and_not_empty(
    office: Office, bed: XapiBed
) -> None:
    staged(office)
    bed.trouble.unheard.add("VM.get_all_records")
    assert str(office.view(office.endpoint).coverage.state) == "missing"
    assert office.read(office.plan()).actions == ()
    assert office.sent == []


def test_u9_a_line_that_waits_for_the_collector_in_earnest_is_left_alone(
    office: Office, bed: XapiBed
) -> None:
    world, web, _ = staged(office)
    plan = office.plan()
    doomed = [world.snapshot(web, f"d{number}", age=timedelta(hours=1)) for number in range(7)]
    for one in doomed[:6]:
        disks = world.disks(one)
        bed.office.deeds.destroy_vm(world.db.ref("VM", one))
        for disk in disks:
            bed.office.deeds.destroy_vdi(world.db.ref("VDI", disk))
    again = office.read(office.plan())
    assert again.actions == ()
    told = {each.snapshot_name: each.guard for each in again.refusals}
    # The collector alone merges what no snapshot needs.
    assert told == {"s": Guard.LINEAR_CHAIN, None: Guard.PROTECTED}
    assert office.ends(plan) == [Event.REFUSED]


def test_r8_a_size_that_is_not_told_is_never_small(office: Office, bed: XapiBed) -> None:
    world, web, _ = staged(office)
    world.vdi_record(world.disks(web)[0])["physical_utilisation"] = 0
    [refusal] = office.read(office.plan()).refusals
    assert refusal.guard is Guard.KNOWN_SIZE


def test_inv_06_what_somebody_else_deleted_is_already_gone(office: Office, bed: XapiBed) -> None:
    world, _, one = staged(office)
    plan = office.plan()
    disks = world.disks(one)
    bed.office.deeds.destroy_vm(world.db.ref("VM", one))
    for disk in disks:
        bed.office.deeds.destroy_vdi(world.db.ref("VDI", disk))
    assert office.ends(plan) == [Event.ALREADY_GONE]
    assert office.sent == []


def test_inv_06_records_that_went_without_their_images_are_not_gone(
    office: Office, bed: XapiBed
) -> None:
    world, _, one = staged(office)
    plan = office.plan()
    bed.office.deeds.destroy_vm(world.db.ref("VM", one))
    office.refuses(plan, Guard.UNCHANGED, "still in use")
