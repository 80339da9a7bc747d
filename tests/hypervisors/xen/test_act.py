"""A snapshot is deleted: just that one, with all of its images, and each call once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from snapaudit.errors import AccessDenied, UsageError
from snapaudit.hypervisors.xen.act import XenActuator
from snapaudit.model.endpoint import Account, Tls
from snapaudit.model.inventory import VirtualMachine
from snapaudit.model.journal import Event
from snapaudit.model.plan import Decision, VmId
from tests.beds.xapi.office import User
from tests.beds.xapi.server import XapiBed
from tests.beds.xapi.world import BLOCK, GIB
from tests.hypervisors.xen.office import Office, with_memory
from tests.hypervisors.xen.visiting import PASSWORD, collected, endpoint, machine, words

DESTROY, IMAGE, SHUT_DOWN = "Async.VM.destroy", "Async.VDI.destroy", "Async.VM.hard_shutdown"


@pytest.mark.parametrize("which", [0, 1, 2])
def test_inv_04_a_snapshot_goes_alone_from_any_place_in_the_line(
    office: Office, bed: XapiBed, which: int
) -> None:
    world = bed.world
    vm = world.vm("web", disks=2)
    shots = [world.snapshot(vm, name) for name in ("a", "b", "c")]
    images = [world.disks(shot) for shot in shots]
    content = [world.images[world.default_sr].read(disk) for disk in world.disks(vm)]
    plan = office.plan()
    office.keep_only(plan, "abc"[which])
    assert office.ends(plan) == [Event.DONE]
    assert office.sent == [DESTROY, IMAGE, IMAGE]
    left = [shot for number, shot in enumerate(shots) if number != which]
    assert [shot.id for shot in machine(collected(bed), vm).snapshots] == left
    assert not any(world.db.has("VDI", image) for image in images[which])
    assert all(world.db.has("VDI", i) for n, each in enumerate(images) if n != which for i in each)
    assert [world.images[world.default_sr].read(d) for d in world.disks(vm)] == content
    assert collected(bed).strays == ()


def test_a_whole_line_goes_oldest_first_in_one_run(office: Office, bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web")
    for name in ("a", "b", "c"):
        world.snapshot(vm, name)
    for number in range(12):
        world.snapshot(world.vm(f"young{number}"), "young", age=timedelta(hours=1))
    plan = office.plan()
    assert [action.snapshot_name for action in office.read(plan).actions] == ["a", "b", "c"]
    assert office.ends(plan) == [Event.DONE] * 3
    world.collect()
    assert [image.uuid for image in world.images[world.default_sr].line(*world.disks(vm))] == (
        world.disks(vm)
    )


def test_u7_a_checkpoint_loses_its_memory_first(office: Office, bed: XapiBed) -> None:
    office.rules = with_memory()
    world = bed.world
    vm = world.vm("web")
    one = world.checkpoint(vm, "with memory")
    memory = world.db.get("VDI", world.vm_record(one)["suspend_VDI"])["uuid"]
    assert office.ends(office.plan()) == [Event.DONE]
    assert office.sent == [SHUT_DOWN, DESTROY, IMAGE]
    assert not world.db.has("VDI", memory)
    assert world.vm_record(vm)["power_state"] == "Running"


def test_u7_a_checkpoint_is_not_planned_without_a_rule_that_means_memory(
    office: Office, bed: XapiBed
) -> None:
    bed.world.checkpoint(bed.world.vm("web"), "with memory")
    assert office.read(office.plan()).actions == ()


def test_the_memory_that_a_shut_down_leaves_is_destroyed_too(office: Office, bed: XapiBed) -> None:
    office.rules = with_memory()
    world = bed.world
    one = world.checkpoint(world.vm("web"), "with memory")
    memory = world.vm_record(one)["suspend_VDI"]
    bed.office.deeds.keeps_memory = True
    assert office.ends(office.plan()) == [Event.DONE]
    assert office.sent == [SHUT_DOWN, DESTROY, IMAGE, IMAGE]
    assert memory not in world.db.classes["VDI"]


def test_inv_14_the_first_intent_names_every_image(office: Office, bed: XapiBed) -> None:
    office.rules = with_memory()
    one = bed.world.checkpoint(bed.world.vm("web", disks=3), "with memory")
    disks, record = bed.world.disks(one), bed.world.vm_record(one)
    memory = bed.world.db.get("VDI", record["suspend_VDI"])["uuid"]
    seen: list[tuple[str, str]] = []

    def look() -> None:
        [intent] = office.journal.entries
        assert intent.event is Event.INTENT
        seen.append((str(intent.detail["about.disks"]), str(intent.detail["about.memory"])))

    bed.office.before[SHUT_DOWN] = look
    assert office.ends(office.plan()) == [Event.DONE]
    assert seen == [(" ".join(sorted(disks)), memory)]


def test_tasks_are_waited_for_and_destroyed(office: Office, bed: XapiBed) -> None:
    bed.office.task_seconds = 20.0
    bed.world.snapshot(bed.world.vm("web"), "a")
    assert office.ends(office.plan()) == [Event.DONE]
    assert bed.world.db.classes["task"] == {}
    assert bed.counts["task.cancel"] == 0
    # Looks at growing intervals: far fewer than one each half second.
    assert bed.counts["task.get_record"] < 2 * 20


def test_the_session_is_ended_after_the_run(office: Office, bed: XapiBed) -> None:
    bed.world.snapshot(bed.world.vm("web"), "a")
    office.ends(office.plan())
    assert bed.office.sessions == {}


def test_an_image_that_somebody_else_destroyed_meanwhile_is_no_failure(
    office: Office, bed: XapiBed
) -> None:
    world = bed.world
    one = world.snapshot(world.vm("web", disks=2), "a")
    gone = world.db.ref("VDI", min(world.disks(one)))
    bed.office.before[IMAGE] = lambda: (bed.office.deeds.destroy_vdi(gone), None)[1]
    assert office.ends(office.plan()) == [Event.DONE]


def test_what_comes_back_lies_between_the_bounds_of_the_plan(office: Office, bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web", blocks=range(100))
    world.snapshot(vm, "a", write=range(60))
    world.snapshot(vm, "b", write=range(30, 90))
    plan = office.plan()
    office.keep_only(plan, "a")
    [action] = [each for each in office.read(plan).actions if each.decision is Decision.APPLY]
    before = world.used()
    assert office.ends(plan) == [Event.DONE]
    world.collect()
    freed = before - world.used()
    assert action.frees_bytes.min <= freed <= (action.frees_bytes.max or 0)
    assert freed > 0


# Waiting for the garbage collector ----------------------------------------------------------------


def large(bed: XapiBed) -> str:
    """A machine whose two snapshots each hold more than a little."""
    vm = bed.world.vm("web", blocks=range(GIB // BLOCK))
    for name in ("a", "b"):
        bed.world.snapshot(vm, name, write=range(GIB // BLOCK))
    return vm


def test_r2_after_a_large_deletion_the_collector_is_waited_for(
    office: Office, bed: XapiBed
) -> None:
    large(bed)
    plan = office.plan()
    began = office.clock.waited
    when: list[float] = []

    def collect() -> None:
        if office.clock.waited - began > 300 and not when:
            when.append(office.clock.waited)
            bed.world.collect()

    bed.office.always = collect
    assert office.ends(plan) == [Event.DONE, Event.DONE]
    assert when
    later = bed.asked.index(DESTROY, bed.asked.index(DESTROY) + 1)
    assert bed.asked[:later].count("VDI.get_all_records_where") > 10


def test_r2_a_collector_that_never_comes_holds_nothing_up_for_ever(
    office: Office, bed: XapiBed
) -> None:
    large(bed)
    plan = office.plan()
    report = office.apply(plan)
    events = [(each.event, each.guard and str(each.guard)) for each in report.outcomes]
    assert events == [(Event.DONE, None), (Event.REFUSED, "linear-chain")]
    assert 1700 < office.clock.waited < 3 * 1800


def test_r7_thick_storage_without_the_room_for_the_merge_is_left_alone(
    office: Office, bed: XapiBed
) -> None:
    world = bed.world
    sr = world.sr("san", kind="lvmoiscsi", size=24 * GIB)
    world.snapshot(world.vm("web", sr=sr), "a")
    [refusal] = office.read(office.plan()).refusals
    assert str(refusal.guard) == "room-to-merge"
    assert "san" in refusal.reason


def test_r1_a_full_repository_is_left_alone(office: Office, bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web")
    world.snapshot(vm, "a")
    plan = office.plan()
    record = world.db.get("SR", world.default_sr)
    record["physical_utilisation"] = record["physical_size"] - 10
    [outcome] = office.apply(plan).outcomes
    assert str(outcome.guard) == "room-to-merge"
    assert office.sent == []


# Who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["read-only", "vm-operator"])
def test_an_account_that_may_not_delete_is_refused_before_anything_is_sent(
    office: Office, bed: XapiBed, role: str
) -> None:
    bed.world.snapshot(bed.world.vm("web"), "a")
    bed.office.users["audit"] = User(PASSWORD, role)
    office.more = {"account": Account(username="audit")}
    plan = office.plan()
    with pytest.raises(AccessDenied) as caught:
        office.apply(plan)
    assert "audit may not call VM.destroy" in str(caught.value)
    assert "vm-admin" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert office.sent == []
    assert bed.office.sessions == {}


def test_grd_36_the_account_that_deletes_may_be_another(office: Office, bed: XapiBed) -> None:
    bed.world.snapshot(bed.world.vm("web"), "a")
    bed.office.users |= {"audit": User(PASSWORD, "read-only"), "clean": User(PASSWORD, "vm-admin")}
    office.more = {
        "account": Account(username="audit"),
        "enforce_as": Account(username="clean"),
    }
    assert office.ends(office.plan()) == [Event.DONE]


def test_grd_35_without_proof_of_who_answers_nothing_is_changed(bed: XapiBed) -> None:
    with pytest.raises(UsageError) as caught:
        XenActuator(endpoint(bed, tls=Tls(verify=False)), PASSWORD)
    assert "nobody proves who answers" in str(caught.value)
    assert not bed.counts


def test_a_machine_that_is_gone_is_not_in_what_is_observed(bed: XapiBed) -> None:
    bed.world.vm("web")
    hand = XenActuator(endpoint(bed), PASSWORD)
    seen = hand.observe(VmId("nobody"))
    hand.close()
    assert seen.virtual_machines == ()
    assert seen.coverage.reason is None


def test_one_machine_is_observed_as_the_whole_pool_shows_it(bed: XapiBed) -> None:
    world = bed.world
    vm = world.vm("web", disks=2, sr=None)
    other = world.sr("other")
    world.attach(world.db.ref("VM", vm), world.disk("data", sr=other, blocks=range(3)), 5)
    world.snapshot(vm, "a")
    one = world.checkpoint(vm, "b")
    world.clone(one, "clone")
    world.vm("unrelated")
    hand = XenActuator(endpoint(bed), PASSWORD)
    seen = hand.observe(VmId(vm))
    hand.close()
    [found] = seen.virtual_machines
    whole = machine(collected(bed), vm)
    assert _bare(found) == _bare(whole)
    assert [words(each.protections) for each in found.snapshots] == [
        words(each.protections) for each in whole.snapshots
    ]
    assert bed.counts["SR.scan"] == 0


def _bare(vm: VirtualMachine) -> VirtualMachine:
    """Without the sentences of protections: whose disk a clone is, the one reading cannot know."""
    bare = tuple(replace(each, protections=()) for each in vm.snapshots)
    return replace(vm, snapshots=bare)


@pytest.mark.parametrize("vm_id", ['x" or true or field "uuid"="y', "orphan:1", "", "x" * 65])
def test_b10_an_id_that_is_none_is_never_put_into_a_query(bed: XapiBed, vm_id: str) -> None:
    bed.world.vm("web")
    hand = XenActuator(endpoint(bed), PASSWORD)
    seen = hand.observe(VmId(vm_id))
    hand.close()
    assert seen.virtual_machines == ()
    assert bed.counts["VM.get_all_records_where"] == 0
