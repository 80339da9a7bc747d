"""What goes wrong on the way: crashes, lost answers, busy disks, and whoever else is at work."""

from __future__ import annotations

import itertools
import math
import os
import signal
from collections.abc import Callable
from datetime import timedelta

import pytest

from snapaudit.enforce.ground import Patience
from snapaudit.errors import CallRefused, HypervisorError, RefusedError
from snapaudit.hypervisors.xen import calls
from snapaudit.hypervisors.xen.act import XenActuator
from snapaudit.model.acting import Call
from snapaudit.model.inventory import LayerRole
from snapaudit.model.journal import Event
from snapaudit.model.plan import VmId
from tests.beds.xapi.deeds import Fault
from tests.beds.xapi.server import XapiBed
from tests.beds.xapi.table import NULL
from tests.beds.xapi.world import World
from tests.enforce.fake.peril import Killed, Peril
from tests.hypervisors.xen.office import CHANGING, Office, with_memory
from tests.hypervisors.xen.visiting import PASSWORD, collected, endpoint, machine

SHUT_DOWN, DESTROY, IMAGE = CHANGING
MOST_STEPS = 60


def staged(office: Office, kind: str) -> str:
    """A machine with a snapshot of two disks, or a checkpoint; its UUID."""
    office.rules = with_memory()
    world = office.bed.world
    vm = world.vm("web", disks=2)
    world.snapshot(vm, "kept", age=office.limits.min_age / 2)
    if kind == "checkpoint":
        world.checkpoint(vm, "target")
    else:
        world.snapshot(vm, "target")
    return vm


def is_done(office: Office, vm: str) -> None:
    """The target and its images are gone, and nothing else is."""
    world = office.bed.world
    names = [shot.name for shot in machine(collected(office.bed), vm).snapshots]
    assert names == ["kept"]
    assert collected(office.bed).strays == ()
    images = world.images[world.default_sr].by_uuid.values()
    assert sum(not image.is_hidden for image in images) == 4
    assert world.vm_record(vm)["power_state"] == "Running"


# Crashes ------------------------------------------------------------------------------------------


def test_tst_03_inv_19_killed_at_any_step_it_ends_as_if_it_had_not_been(
    office: Office, bed: XapiBed
) -> None:
    """A checkpoint of two disks: the longest way there is."""
    undisturbed = 4
    for at in itertools.count(1):
        assert at < MOST_STEPS
        with XapiBed(bed.folder) as fresh:
            folder = office.folder / f"{at}"
            folder.mkdir(parents=True)
            one = Office(folder, fresh)
            vm = staged(one, "checkpoint")
            plan = one.plan()
            one.peril = Peril(at=at)
            try:
                one.apply(plan)
            except Killed:
                one.peril = Peril()
                one.finish(plan)
            else:
                break
            is_done(one, vm)
            assert len(one.sent) == undisturbed, one.sent
    assert at > 3 * undisturbed


def test_a_crash_between_records_and_images_is_finished_from_the_journal(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "snapshot")
    plan = office.plan()
    interrupted(office, plan)
    assert office.sent == [DESTROY]
    [disk, _] = machine(collected(bed), vm).disks
    assert [layer.role for layer in disk.layers] == [
        LayerRole.BASE, LayerRole.DELTA, LayerRole.PHANTOM,
    ]  # fmt: skip
    report = office.apply(plan)
    assert [each.event for each in report.outcomes] == [Event.DONE]
    assert "half of it is done" in report.settled[0]
    assert office.sent == [DESTROY, IMAGE, IMAGE]
    is_done(office, vm)


def interrupted(office: Office, plan: object) -> None:
    """Apply, and be killed once the snapshot's records are gone and before any image is."""
    done = office.bed.office.deeds.destroy_vm
    known = dict(office.bed.office.deeds.known)

    def destroy(ref: str) -> str:
        office.peril = Peril(at=len(office.peril.steps) + 1)
        told = done(ref)
        stop.at = len(stop.steps) + 1
        return told

    stop = office.peril = Peril()
    office.bed.office.deeds.known = known | {"VM.destroy": destroy}
    with pytest.raises(Killed):
        office.apply(plan)  # type: ignore[arg-type]
    office.bed.office.deeds.known = known
    office.peril = Peril()


def test_without_the_journal_such_an_image_is_told_and_never_touched(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "snapshot")
    interrupted(office, office.plan())
    with_other_journal = Office(office.folder / "other", bed, rules=office.rules)
    found = machine(collected(bed), vm)
    phantoms = [layer for disk in found.disks for layer in disk.layers if _is_phantom(layer.role)]
    assert len(phantoms) == 2
    plan = with_other_journal.plan()
    assert with_other_journal.read(plan).actions == ()
    hand = XenActuator(endpoint(bed), PASSWORD)
    action = office.read(office.folder / "plans" / _plan_name(office)).actions[0]
    seen = hand.observe(VmId(vm))
    assert hand.next_call(action, seen, ()) is None
    hand.close()
    assert office.sent == [DESTROY]


def _is_phantom(role: LayerRole) -> bool:
    return role is LayerRole.PHANTOM


def _plan_name(office: Office) -> str:
    [path] = (office.folder / "plans").glob("*.json")
    return path.name


# Lost answers, and a server that is started anew --------------------------------------------------


@pytest.mark.parametrize("method", CHANGING)
@pytest.mark.parametrize("trouble", ["unanswered", "unheard"])
def test_p5_p6_a_lost_answer_is_unknown_until_somebody_looks(
    office: Office, bed: XapiBed, method: str, trouble: str
) -> None:
    vm = staged(office, "checkpoint")
    plan = office.plan()
    getattr(bed.trouble, trouble).add(method)
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.UNKNOWN
    assert "no answer to" in outcome.reason
    assert bed.counts[method] == 1
    getattr(bed.trouble, trouble).clear()
    office.finish(plan)
    is_done(office, vm)
    times = {SHUT_DOWN: 1, DESTROY: 1, IMAGE: 2}
    times[method] += trouble == "unheard"
    assert {each: office.sent.count(each) for each in CHANGING} == times


def test_p7_a_task_that_outlasts_all_patience_is_unknown_and_not_cancelled(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "snapshot")
    plan = office.plan()
    office.patience = Patience(watch=timedelta(minutes=10), drain=timedelta(minutes=1))
    bed.office.task_seconds = 3600
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.UNKNOWN
    assert outcome.task_id == next(iter(bed.world.db.classes["task"].values()))["uuid"]
    assert bed.counts["task.cancel"] == 0
    bed.office.task_seconds = 0
    [stays] = office.apply(plan).settled
    assert "something still goes on" in stays
    office.clock.sleep(3600)
    office.finish(plan)
    is_done(office, vm)


@pytest.mark.parametrize("method", CHANGING)
def test_p10_a_server_that_is_started_anew_right_before_a_call_gets_no_call(
    office: Office, bed: XapiBed, method: str
) -> None:
    """Its references are given out anew: the old one of the snapshot names a machine by now."""
    vm = staged(office, "checkpoint")
    plan = office.plan()
    before = machines(bed.world)
    bed.office.before[method] = bed.office.restart
    office.apply(plan)
    assert machines(bed.world) == before
    # What was refused before anything changed has failed; a new plan tries it again.
    office.finish(plan if method == IMAGE else office.plan())
    is_done(office, vm)
    assert machines(bed.world) == before


def machines(world: World) -> dict[str, str]:
    """Every machine, with its power state."""
    return {
        each["uuid"]: each["power_state"]
        for each in world.db.classes["VM"].values()
        if not each["is_a_snapshot"]
    }


def test_p10_a_session_that_ends_while_a_task_runs_is_begun_again_to_look(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "snapshot")
    plan = office.plan()
    bed.office.task_seconds = 5
    hits = itertools.count()

    def end() -> None:
        if bed.counts[DESTROY] and next(hits) == 3:
            bed.office.sessions.clear()

    bed.office.always = end
    office.apply(plan)
    bed.office.always = lambda: None
    office.finish(plan)
    is_done(office, vm)
    assert office.sent.count(DESTROY) == 1


def gone_for(office: Office, seconds: float) -> None:
    """From the third look at a task on, nobody is answered for so long."""
    bed, hits, back = office.bed, itertools.count(), [math.inf]
    lost = {"task.get_by_uuid", "VM.get_all_records_where", "session.login_with_password"}

    def look() -> None:
        if bed.counts[DESTROY] and next(hits) == 3:
            bed.trouble.unheard |= lost
            back[0] = office.clock.ticks() + seconds
        if office.clock.ticks() > back[0]:
            bed.trouble.unheard.clear()

    office.clock.passes = look


def test_p11_a_pool_that_goes_away_in_the_middle_of_a_task_is_asked_again_by_the_next_run(
    office: Office, bed: XapiBed
) -> None:
    """Said to run between two looks, it would be waited for until all patience ends."""
    vm = staged(office, "snapshot")
    plan = office.plan()
    bed.office.task_seconds = 5
    gone_for(office, math.inf)
    office.patience = Patience(watch=timedelta(minutes=10))
    began = office.clock.now()
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.UNKNOWN
    assert "connection" in outcome.reason or "cut off" in outcome.reason
    assert office.clock.now() - began < timedelta(minutes=2)
    office.clock.passes = lambda: None
    bed.trouble.unheard.clear()
    office.finish(plan)
    is_done(office, vm)
    assert office.sent.count(DESTROY) == 1


def test_p11_a_pool_that_comes_back_after_a_while_is_watched_to_the_end(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "snapshot")
    plan = office.plan()
    bed.office.task_seconds = 5
    gone_for(office, 22)
    assert [one.event for one in office.apply(plan).outcomes] == [Event.DONE]
    is_done(office, vm)


# A live machine is never destroyed ----------------------------------------------------------------


def flagged(world: World, vm: str, target: str) -> None:
    """A machine that is off is recorded as a snapshot of another, as corrupt records may say."""
    victim = world.vm("victim", running=False)
    world.vm_record(victim).update(
        is_a_snapshot=True, is_a_template=True, snapshot_of=world.db.ref("VM", vm),
        snapshot_time=world.vm_record(target)["snapshot_time"], allowed_operations=["destroy"],
    )  # fmt: skip


def turned(world: World, vm: str, target: str) -> None:
    world.vm_record(target).update(is_a_snapshot=False, is_a_template=False)


def no_template(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["is_a_template"] = False


def started(world: World, vm: str, target: str) -> None:
    world.vm_record(target).update(power_state="Running", resident_on=world.master)


def swapped(world: World, vm: str, target: str) -> None:
    """The snapshot's UUID is another record's by now."""
    other = world.vm("other", running=False)
    taken = world.vm_record(other)
    world.vm_record(target)["uuid"] = world.db.uuid()
    taken["uuid"] = target


def of_another(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["snapshot_of"] = world.db.ref("VM", world.vm("other"))


def blocked(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["blocked_operations"] = {"destroy": "keep"}


def machine_blocked(world: World, vm: str, target: str) -> None:
    world.vm_record(vm)["blocked_operations"] = {"destroy": "keep"}


def busy(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["current_operations"] = {"x": "export"}


def backed_up(world: World, vm: str, target: str) -> None:
    """Somebody else's machine attached its disk."""
    other = world.vm("backup", disks=0)
    disk = world.db.ref("VDI", world.disks(target)[0])
    world.attach(world.db.ref("VM", other), disk, 7, attached=True)


def disk_swapped(world: World, vm: str, target: str) -> None:
    """Its disk is a machine's disk by now."""
    use = world.db.get("VBD", world.vm_record(target)["VBDs"][0])
    other = world.vm("other")
    live = world.db.get("VBD", world.vm_record(other)["VBDs"][0])
    use["VDI"] = live["VDI"]


def disk_is_none(world: World, vm: str, target: str) -> None:
    world.vdi_record(world.disks(target)[0])["is_a_snapshot"] = False


def may_run(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["resident_on"] = world.master


def running(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["power_state"] = "Running"


def not_allowed(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["allowed_operations"] = ["clone", "hard_shutdown"]


def redated(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["snapshot_time"] -= timedelta(days=1)


def not_owned(world: World, vm: str, target: str) -> None:
    for use in world.vm_record(target)["VBDs"]:
        world.db.get("VBD", use)["other_config"] = {}


def one_disk_less(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["VBDs"].pop()


def of_nothing(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["snapshot_of"] = NULL


def of_itself(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["snapshot_of"] = world.db.ref("VM", target)


def control_domain(world: World, vm: str, target: str) -> None:
    world.vm_record(target)["is_control_domain"] = True


CHANGES = [
    may_run, running, not_allowed, redated, not_owned, one_disk_less, of_nothing, of_itself,
    control_domain,
    turned, no_template, started, swapped, of_another, blocked, machine_blocked, busy, backed_up,
    disk_swapped, disk_is_none,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["snapshot", "checkpoint"])
def test_inv_04_what_is_no_snapshot_at_the_last_moment_is_left_alone(
    office: Office, bed: XapiBed, change: Callable[[World, str, str], None], kind: str
) -> None:
    """The change comes after the last reading of the core, right before the call is made."""
    vm = staged(office, kind)
    plan = office.plan()
    [action] = office.read(plan).actions
    hand = XenActuator(endpoint(bed), PASSWORD)
    seen = hand.observe(VmId(vm))
    call = hand.next_call(action, seen, ())
    assert call is not None
    everything = set(bed.world.db.classes["VDI"])
    target = str(action.snapshot_id)
    change(bed.world, vm, target)
    before = machines(bed.world)
    with pytest.raises(CallRefused):
        hand.send(call)
    hand.close()
    assert office.sent == []
    assert machines(bed.world) == before
    assert everything <= set(bed.world.db.classes["VDI"])


@pytest.mark.parametrize("kind", ["snapshot", "checkpoint"])
def test_inv_03_a_reference_that_names_a_machine_by_now_is_noticed_in_the_look_itself(
    office: Office, bed: XapiBed, kind: str
) -> None:
    """References are given out anew between the two questions of the look, in one session."""
    vm = staged(office, kind)
    [action] = office.read(office.plan()).actions
    hand = XenActuator(endpoint(bed), PASSWORD)
    call = hand.next_call(action, hand.observe(VmId(vm)), ())
    assert call is not None
    bed.office.before["VM.get_record"] = lambda: bed.world.db.renew_references("VM")
    before = machines(bed.world)
    with pytest.raises(CallRefused, match=" and not "):
        hand.send(call)
    hand.close()
    assert office.sent == []
    assert machines(bed.world) == before


def test_inv_03_a_reference_that_names_another_image_by_now_is_noticed(office: Office) -> None:
    hand, call, _ = half_way(office)
    world = office.bed.world
    office.bed.office.before["VDI.get_record"] = lambda: world.db.renew_references("VDI")
    with pytest.raises(CallRefused, match=" and not "):
        hand.send(call)
    hand.close()
    assert office.sent == [DESTROY]


@pytest.mark.parametrize("state", ["Halted", "Running", "Paused"])
def test_memory_of_what_is_not_suspended_is_not_discarded(
    office: Office, bed: XapiBed, state: str
) -> None:
    hand, call, target = to_discard(office)
    bed.world.vm_record(target)["power_state"] = state
    with pytest.raises(CallRefused, match="not suspended"):
        hand.send(call)
    hand.close()
    assert office.sent == []


def test_memory_that_lies_elsewhere_by_now_is_not_discarded(office: Office, bed: XapiBed) -> None:
    hand, call, target = to_discard(office)
    bed.world.vm_record(target)["suspend_VDI"] = bed.world.disk("other", type="suspend")
    with pytest.raises(CallRefused, match="another image"):
        hand.send(call)
    hand.close()
    assert office.sent == []


def test_what_was_suspended_again_is_not_destroyed(office: Office, bed: XapiBed) -> None:
    vm = staged(office, "snapshot")
    [action] = office.read(office.plan()).actions
    hand = XenActuator(endpoint(bed), PASSWORD)
    call = hand.next_call(action, hand.observe(VmId(vm)), ())
    assert call is not None
    bed.world.vm_record(str(action.snapshot_id))["power_state"] = "Suspended"
    with pytest.raises(CallRefused, match="not halted"):
        hand.send(call)
    hand.close()
    assert office.sent == []


def to_discard(office: Office) -> tuple[XenActuator, Call, str]:
    """A hand about to discard a checkpoint's memory, and the checkpoint."""
    vm = staged(office, "checkpoint")
    [action] = office.read(office.plan()).actions
    hand = XenActuator(endpoint(office.bed), PASSWORD)
    call = hand.next_call(action, hand.observe(VmId(vm)), ())
    assert call is not None
    assert call.name == calls.DISCARD_MEMORY
    return hand, call, str(action.snapshot_id)


@pytest.mark.parametrize("change", [*CHANGES, flagged])
def test_inv_02_what_changed_since_the_plan_is_refused_by_a_guard(
    office: Office, bed: XapiBed, change: Callable[[World, str, str], None]
) -> None:
    vm = staged(office, "snapshot")
    plan = office.plan()
    [action] = office.read(plan).actions
    change(bed.world, vm, str(action.snapshot_id))
    before = machines(bed.world)
    assert office.ends(plan) in ([Event.REFUSED], [Event.ALREADY_GONE])
    assert office.sent == []
    assert machines(bed.world) == before


def test_i11_a_machine_that_is_recorded_as_a_snapshot_is_never_planned(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "snapshot")
    target = next(each.id for each in machine(collected(bed), vm).snapshots if each.name != "kept")
    flagged(bed.world, vm, target)
    plan = office.read(office.plan())
    assert {action.snapshot_id for action in plan.actions} <= {target}
    victim = bed.world.db.by_uuid("VM", _uuid_of(bed.world, "victim"))
    assert victim["name_label"] in {refusal.snapshot_name for refusal in plan.refusals}


def _uuid_of(world: World, name: str) -> str:
    return next(
        str(each["uuid"]) for each in world.db.classes["VM"].values() if each["name_label"] == name
    )


def test_i11_the_id_of_a_machine_is_no_snapshots(office: Office, bed: XapiBed) -> None:
    vm = staged(office, "snapshot")
    [action] = office.read(office.plan()).actions
    hand = XenActuator(endpoint(bed), PASSWORD)
    about = {"vm_id": vm, "snapshot": vm, "identity": "x", "disks": "", "memory": None}
    for name in (calls.DESTROY_SNAPSHOT, calls.DISCARD_MEMORY):
        with pytest.raises(CallRefused, match="nothing was sent"):
            hand.send(Call(name=name, about=about))
    with pytest.raises(CallRefused):
        hand.send(Call(name="revert", about={**about, "vm_id": "other"}))
    hand.close()
    assert action.vm_id == vm
    assert office.sent == []


# Images -------------------------------------------------------------------------------------------


def half_way(office: Office) -> tuple[XenActuator, Call, str]:
    """A hand that has destroyed the records; the call for the first image, and the machine."""
    vm = staged(office, "snapshot")
    [action] = office.read(office.plan()).actions
    hand = XenActuator(endpoint(office.bed), PASSWORD)
    first = hand.next_call(action, hand.observe(VmId(vm)), ())
    assert first is not None
    task = hand.send(first)
    hand.watch(first, task)
    second = hand.next_call(action, hand.observe(VmId(vm)), (first,))
    assert second is not None
    assert second.name == calls.DESTROY_IMAGE
    return hand, second, vm


def image_record(office: Office, call: Call) -> dict[str, object]:
    return office.bed.world.vdi_record(str(call.about["image"]))


@pytest.mark.parametrize(
    "change",
    [
        {"is_a_snapshot": False}, {"managed": False}, {"type": "cbt_metadata"},
        {"current_operations": {"x": "copy"}}, {"sm_config": {"base_mirror": "x"}},
    ],
)  # fmt: skip
def test_an_image_that_is_no_longer_what_it_was_is_left_alone(
    office: Office, change: dict[str, object]
) -> None:
    hand, call, _ = half_way(office)
    image_record(office, call).update(change)
    with pytest.raises(CallRefused):
        hand.send(call)
    hand.close()
    assert office.sent == [DESTROY]


def test_an_image_that_somebody_uses_by_now_is_left_alone(office: Office) -> None:
    hand, call, _ = half_way(office)
    world = office.bed.world
    other = world.db.ref("VM", world.vm("restored", disks=0))
    world.attach(other, world.db.ref("VDI", str(call.about["image"])), 0)
    with pytest.raises(CallRefused, match="attached to restored"):
        hand.send(call)
    hand.close()
    assert office.sent == [DESTROY]


def test_an_image_of_a_snapshot_that_is_there_is_left_alone(office: Office, bed: XapiBed) -> None:
    vm = staged(office, "snapshot")
    [action] = office.read(office.plan()).actions
    hand = XenActuator(endpoint(bed), PASSWORD)
    first = hand.next_call(action, hand.observe(VmId(vm)), ())
    assert first is not None
    kind, image = calls.images(first)[0]
    with pytest.raises(CallRefused, match="still there"):
        hand.send(calls.of_image(first, kind, image, 1, waits=False))
    hand.close()
    assert office.sent == []


def test_memory_that_a_machine_refers_to_is_left_alone(office: Office, bed: XapiBed) -> None:
    hand, call, vm = half_way(office)
    world = bed.world
    memory = world.disk("memory", type="suspend")
    world.vm_record(vm)["suspend_VDI"] = memory
    about = {**call.about, "kind": calls.MEMORY, "image": world.db.get("VDI", memory)["uuid"]}
    with pytest.raises(CallRefused, match="refers to the memory"):
        hand.send(Call(name=calls.DESTROY_IMAGE, about=about))
    world.vm_record(vm)["suspend_VDI"] = NULL
    for odd in ({"type": "user"}, {"managed": False}, {"current_operations": {"x": "copy"}}):
        was = dict(world.db.get("VDI", memory))
        world.db.get("VDI", memory).update(odd)
        with pytest.raises(CallRefused, match="no memory"):
            hand.send(Call(name=calls.DESTROY_IMAGE, about=about))
        world.db.get("VDI", memory).update(was)
    assert hand.send(Call(name=calls.DESTROY_IMAGE, about=about))
    hand.close()


def test_p9_an_image_that_fails_is_tried_again_and_then_left_to_the_next_run(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "snapshot")
    plan = office.plan()
    known = dict(bed.office.deeds.known)
    left = [3]

    def destroy(ref: str) -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise Fault("VDI_IN_USE", ref, "destroy")
        return str(known["VDI.destroy"](ref))

    bed.office.deeds.known = known | {"VDI.destroy": destroy}
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.UNKNOWN
    assert "the disks do not agree" in outcome.reason
    office.finish(plan)
    is_done(office, vm)
    assert office.sent.count(DESTROY) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("OTHER_OPERATION_IN_PROGRESS", "something else goes on"),
        ("OPERATION_NOT_ALLOWED", "busy"),
        ("OPERATION_BLOCKED", "protected"),
        ("SR_BACKEND_FAILURE_44", "no space left"),
        ("SR_BACKEND_FAILURE_46", "not available"),
        ("SR_BACKEND_FAILURE_80", "hidden"),
        ("SR_BACKEND_FAILURE_109", "too long"),
        ("SR_HAS_NO_PBDS", "attached to no host"),
        ("SR_NOT_ATTACHED", "offline"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ],
)
def test_a_task_that_fails_says_what_that_means(
    office: Office, bed: XapiBed, code: str, words: str
) -> None:
    staged(office, "snapshot")
    plan = office.plan()

    def refuse(ref: str) -> str:
        raise Fault(code, ref, "told")

    bed.office.deeds.known = {**bed.office.deeds.known, "VM.destroy": refuse}
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.FAILED
    assert words in outcome.reason
    assert "OpaqueRef" not in outcome.reason
    assert "go back" not in outcome.reason  # VM.destroy has written into no image


def test_a_call_that_the_server_refuses_at_once_has_changed_nothing(
    office: Office, bed: XapiBed
) -> None:
    staged(office, "snapshot")
    plan = office.plan()
    bed.office.faults[DESTROY] = [Fault("RBAC_PERMISSION_DENIED", "vm.destroy")]
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.FAILED
    assert "may not call vm.destroy" in outcome.reason


def test_inv_16_a_server_that_failed_in_itself_leaves_open_whether_the_call_took_effect(
    office: Office, bed: XapiBed
) -> None:
    staged(office, "snapshot")
    plan = office.plan()
    bed.office.faults[DESTROY] = [Fault("INTERNAL_ERROR", "Not_found")]
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.UNKNOWN
    assert "INTERNAL_ERROR" in outcome.reason
    assert office.sent == [DESTROY]


def test_one_machine_gets_one_call_at_a_time(office: Office, bed: XapiBed) -> None:
    vm = staged(office, "snapshot")
    bed.office.task_seconds = 1000
    [action] = office.read(office.plan()).actions
    hand = XenActuator(endpoint(bed), PASSWORD)
    call = hand.next_call(action, hand.observe(VmId(vm)), ())
    assert call is not None
    hand.send(call)
    with pytest.raises(CallRefused, match="still under way"):
        hand.send(call)
    hand.close()
    assert office.sent == [DESTROY]


def test_p11_a_server_that_is_gone_cannot_be_observed(office: Office, bed: XapiBed) -> None:
    vm = staged(office, "snapshot")
    hand = XenActuator(endpoint(bed), PASSWORD)
    bed.trouble.unheard |= {"pool.get_all_records", "session.login_with_password"}
    with pytest.raises(HypervisorError):
        hand.observe(VmId(vm))
    hand.close()


def test_a_coordinator_that_hands_over_is_one_clear_line(office: Office, bed: XapiBed) -> None:
    staged(office, "snapshot")
    plan = office.plan()
    bed.office.slave_of = "10.0.0.9"
    with pytest.raises((HypervisorError, RefusedError)) as caught:
        office.apply(plan)
    assert "not the coordinator" in str(caught.value)
    assert "10.0.0.9" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert office.sent == []


# The run as a whole -------------------------------------------------------------------------------


def test_p8_success_that_is_none_is_believed_by_nobody(office: Office, bed: XapiBed) -> None:
    vm = staged(office, "snapshot")
    plan = office.plan()
    bed.office.deeds.known = {**bed.office.deeds.known, "VM.destroy": lambda _: ""}
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.FAILED
    assert "reported success, and nothing has changed" in outcome.reason
    assert len(machine(collected(bed), vm).snapshots) == 2


def test_p8_an_image_that_remains_although_it_was_destroyed_is_unknown(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "snapshot")
    plan = office.plan()
    known = bed.office.deeds.known
    bed.office.deeds.known = {**known, "VDI.destroy": lambda _: ""}
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.UNKNOWN
    bed.office.deeds.known = known
    office.finish(plan)
    is_done(office, vm)


def test_p12_inv_20_nothing_is_sent_once_the_journal_cannot_be_written(
    office: Office, bed: XapiBed
) -> None:
    staged(office, "snapshot")
    plan = office.plan()
    office.peril = Peril(full=1)
    report = office.apply(plan)
    assert report.stopped_because is not None
    assert office.sent == []


def test_p14_after_a_signal_nothing_more_begins_and_what_runs_is_waited_for(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "checkpoint")
    plan = office.plan()
    bed.office.before[SHUT_DOWN] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    bed.office.task_seconds = 5
    report = office.apply(plan)
    assert office.sent == [SHUT_DOWN]
    assert report.stopped_because is not None
    assert bed.counts["task.cancel"] == 0
    office.finish(plan)
    is_done(office, vm)


def test_p15_a_plan_that_expires_during_the_run_sends_nothing_more(
    office: Office, bed: XapiBed
) -> None:
    vm = staged(office, "checkpoint")
    plan = office.plan()
    bed.office.before[SHUT_DOWN] = lambda: office.clock.sleep(73 * 3600)
    report = office.apply(plan)
    assert office.sent == [SHUT_DOWN]
    assert report.stopped_because == "the plan has expired"
    office.refuses_all(plan, "expired")
    assert machine(collected(bed), vm).snapshots


def test_c1_a_pool_that_does_not_answer_before_the_run_is_refused(
    office: Office, bed: XapiBed
) -> None:
    staged(office, "snapshot")
    plan = office.plan()
    bed.trouble.unheard.add("session.login_with_password")
    with pytest.raises(HypervisorError):
        office.apply(plan)
    assert office.sent == []


def test_c6_p11_a_machine_that_cannot_be_read_at_the_last_look_is_left_alone(
    office: Office, bed: XapiBed
) -> None:
    staged(office, "snapshot")
    plan = office.plan()
    bed.trouble.unheard.add("VM.get_all_records_where")
    [outcome] = office.apply(plan).outcomes
    assert outcome.event is Event.REFUSED
    assert office.sent == []
