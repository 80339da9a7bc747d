"""The hand on vSphere: a last look, one call, and watching it without ever taking it back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from snapaudit.errors import AccessDenied, CallRefused, Unreachable, UsageError
from snapaudit.hypervisors.vsphere import calls, identity, reading
from snapaudit.hypervisors.vsphere.act import VsphereActuator
from snapaudit.hypervisors.vsphere.raw import RawTask
from snapaudit.hypervisors.vsphere.watching import by_task
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory, LayerRole
from snapaudit.model.plan import VmId
from snapaudit.ports import Stoppable
from tests.builders import GIB, NOW, disk, inventory, layer, snapshot, vm
from tests.hypervisors.vsphere.fake import FakeServer, FakeService, Fate, Vm

ENDPOINT = Endpoint(name="vc1", kind="vsphere", url="https://vc.example.org")


@dataclass
class Bench:
    """A machine with two snapshots, a session, and an actuator on it."""

    server: FakeServer
    vm: Vm
    service: FakeService
    hand: VsphereActuator

    @property
    def target(self) -> str:
        return next(iter(self.vm.snaps))

    def removal(self) -> Call:
        """What `next_call` gives for the first snapshot as it is now."""
        return removal_of(self.service, self.vm.moid, self.target)

    def consolidation(self) -> Call:
        seen = reading.machine(self.service, self.vm.moid)
        assert seen is not None
        return calls.consolidate(seen)

    def pass_by(self, seconds: float = 3600) -> None:
        self.server.world.clock.skip(timedelta(seconds=seconds))


def removal_of(service: FakeService, moid: str, target: str) -> Call:
    seen = reading.machine(service, moid)
    assert seen is not None
    raw = seen.snapshot(target)
    assert raw is not None
    mark = identity.of_snapshot(seen.manager, seen.instance_uuid, seen.uuid, raw)
    return calls.remove(seen, snapshot(target, identity=mark))


def bench(server: FakeServer | None = None) -> Bench:
    server = server or FakeServer()
    machine = server.world.line("web01", "a", "b")
    service, clock = FakeService(server), server.world.clock
    hand = VsphereActuator(
        service, ENDPOINT, look=seen_of, now=clock.now, ticks=lambda: clock.now().timestamp()
    )
    return Bench(server, machine, service, hand)


def seen_of(service: Any, endpoint: Endpoint, vm_id: VmId, now: datetime) -> Inventory:
    """As much of a machine as progress needs."""
    world = service.server.world
    found = world.vms[vm_id]
    [first, *_] = found.snaps
    delta = layer("delta", role=LayerRole.DELTA, snapshot_id=first, size_bytes=2 * GIB)
    return inventory(vm(found.name, id=vm_id, disks=(disk(layer("base"), delta),)), endpoint="vc1")


# The last look ----------------------------------------------------------------------------------


def test_inv_03_removal_is_sent_once_for_that_snapshot_and_answered_with_its_task() -> None:
    one = bench()
    target, call = one.target, one.removal()
    task = one.hand.send(call)
    assert one.server.sent == [("remove_snapshot", target)]
    assert task in one.server.tasks
    assert target in one.vm.snaps


def swap(one: Bench) -> None:
    one.server.world.restore(one.vm, one.server.world.line("web02", "a", "b"))


def forget(one: Bench) -> None:
    del one.vm.snaps[one.target]


def retaken(one: Bench) -> None:
    """Another snapshot under the same id, as if ids were given out anew."""
    one.vm.snaps[one.target].id += 7


def later(one: Bench) -> None:
    one.vm.snaps[one.target].created_at += timedelta(seconds=1)


def another_machine(one: Bench) -> None:
    one.vm.uuid = "another"


CHANGES: dict[str, Callable[[Bench], object]] = {
    "another manager answers": lambda one: setattr(one.server.world, "uuid", "another"),
    "the machine is gone": lambda one: one.server.world.vms.clear(),
    "is another machine by now": swap,
    "the snapshot is gone": forget,
    "is another one by now": retaken,
    " is another one by now": later,
    "another one by now": another_machine,
    "a snapshot is at work": lambda one: setattr(one.vm, "in_background", True),
    "has a task, VirtualMachine.createSnapshot": lambda one: one.server.work_of_others(one.vm),
    "the last look failed": lambda one: setattr(one.server, "reachable", False),
    "could not be read": lambda one: one.server.denied.update(
        {(one.vm.moid, "config.instanceUuid"): "NoPermission"}
    ),
}


@pytest.mark.parametrize("words", CHANGES)
def test_inv_02_whatever_changed_since_the_call_was_decided_upon_keeps_it_back(words: str) -> None:
    one = bench()
    call = one.removal()
    CHANGES[words](one)
    with pytest.raises(CallRefused, match=words):
        one.hand.send(call)
    assert one.server.sent == []


@pytest.mark.parametrize(
    "words", ["another manager answers", "the machine is gone", "is another machine by now"]
)
def test_inv_02_consolidation_is_kept_back_where_the_machine_is_another_one(words: str) -> None:
    one = bench()
    call = one.consolidation()
    CHANGES[words](one)
    with pytest.raises(CallRefused, match=words):
        one.hand.send(call)
    assert one.server.sent == []


def test_i2_snapshot_taken_again_under_its_name_and_date_is_kept_back() -> None:
    one = bench()
    target = list(one.vm.snaps)[1]
    call = removal_of(one.service, one.vm.moid, target)
    again = one.server.world.recreate(one.vm, one.vm.snaps[target])
    assert again.created_at == NOW - timedelta(days=39)
    with pytest.raises(CallRefused, match="the snapshot is gone"):
        one.hand.send(call)


def test_identity_that_the_server_does_not_tell_is_no_identity() -> None:
    one = bench()
    one.vm.instance_uuid = ""
    with pytest.raises(CallRefused, match="another machine by now"):
        one.hand.send(Call(name=calls.REMOVE, about={**one.removal().about, "machine": "i-1"}))
    nameless = Call(name=calls.REMOVE, about={"vm_id": one.vm.moid, "snapshot": one.target})
    with pytest.raises(CallRefused, match="the last look failed"):
        one.hand.send(nameless)


def test_there_is_no_other_call() -> None:
    one = bench()
    for name in ("remove-all", "revert", ""):
        with pytest.raises(CallRefused, match="there is no such call"):
            one.hand.send(Call(name=name, about=one.removal().about))
    assert one.server.sent == []


# Room -------------------------------------------------------------------------------------------


def test_r1_estimate_beyond_what_is_free_keeps_the_call_back() -> None:
    one = bench(FakeServer(estimates={"ds1": 500 * GIB + 1}))
    with pytest.raises(CallRefused, match="536,870,912,001 bytes are needed"):
        one.hand.send(one.removal())
    assert one.server.sent == []


@pytest.mark.parametrize("store", ["ds1", "ds-nobody-knows"])
def test_r8_estimate_for_a_datastore_that_does_not_tell_keeps_the_call_back(store: str) -> None:
    one = bench(FakeServer(estimates={store: 1}))
    one.server.world.stores["ds1"].accessible = False
    with pytest.raises(CallRefused, match="is unknown"):
        one.hand.send(one.removal())
    assert one.server.sent == []


@pytest.mark.parametrize("estimates", [None, {}, {"ds1": 500 * GIB}])
def test_estimate_that_fits_or_is_not_offered_lets_it_go(estimates: dict[str, int] | None) -> None:
    one = bench(FakeServer(estimates=estimates))
    one.hand.send(one.removal())
    assert len(one.server.sent) == 1


@pytest.mark.parametrize(("seconds", "is_sent"), [(5, True), (6, False)])
def test_grd_10_last_look_that_took_too_long_is_not_acted_on(seconds: int, is_sent: bool) -> None:
    one = bench(FakeServer(estimates={"ds1": 1}, estimating=timedelta(seconds=seconds)))
    call = one.removal()
    if is_sent:
        one.hand.send(call)
    else:
        with pytest.raises(CallRefused, match="took 6 s"):
            one.hand.send(call)
    assert bool(one.server.sent) is is_sent


# One call at a time -----------------------------------------------------------------------------


def test_inv_18_second_call_for_a_machine_at_work_is_kept_back() -> None:
    one = bench()
    call = one.removal()
    task = one.hand.send(call)
    with pytest.raises(CallRefused, match="still under way"):
        one.hand.send(call)
    one.pass_by()
    assert one.hand.watch(call, task).phase is Phase.OVER
    one.vm.consolidation_needed = True
    one.hand.send(one.consolidation())
    assert [name for name, _ in one.server.sent] == ["remove_snapshot", "consolidate"]


def test_inv_18_another_process_sees_the_task_and_keeps_its_call_back() -> None:
    one = bench()
    call = one.removal()
    one.hand.send(call)
    second = VsphereActuator(FakeService(one.server), ENDPOINT, look=seen_of)
    with pytest.raises(CallRefused, match="has a task, VirtualMachineSnapshot"):
        second.send(call)
    assert len(one.server.sent) == 1


def test_inv_16_lost_answer_is_no_refusal_and_nothing_is_sent_after_it() -> None:
    one = bench()
    one.server.fates.queue = [Fate(answers=False)]
    call = one.removal()
    with pytest.raises(Unreachable):
        one.hand.send(call)
    with pytest.raises(CallRefused, match="still under way"):
        one.hand.send(call)
    assert len(one.server.sent) == 1


def test_u12_refusal_names_the_fault_and_leaves_the_machine_free() -> None:
    one = bench()
    one.server.fates.queue = [Fate(refused="MethodDisabled")]
    call = one.removal()
    with pytest.raises(CallRefused, match="MethodDisabled"):
        one.hand.send(call)
    one.hand.send(call)
    assert len(one.server.tasks) == 1


def test_p10_session_that_ended_is_begun_anew_by_the_last_look() -> None:
    one = bench()
    call = one.removal()
    one.server.session_over = True
    one.hand.send(call)
    assert one.server.counts["login"] == 1
    assert len(one.server.sent) == 1


def test_p10_session_that_ends_between_look_and_call_is_a_refusal_and_never_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = bench()
    call = one.removal()
    look, asked = one.service.read_of, []

    def ending(*words: Any) -> Any:
        found = list(look(*words))
        asked.append(words)
        one.server.session_over = len(asked) == 2
        return iter(found)

    monkeypatch.setattr(one.service, "read_of", ending)
    with pytest.raises(CallRefused, match="NotAuthenticated"):
        one.hand.send(call)
    assert one.server.sent == []
    assert one.server.tasks == {}


def test_grd_35_nothing_acts_over_a_connection_that_proves_nothing() -> None:
    with pytest.raises(UsageError, match="nobody proves who answers"):
        bench(FakeServer(verified=False))


# Watching ---------------------------------------------------------------------------------------


def test_task_tells_how_far_it_is_and_when_it_is_over() -> None:
    one = bench()
    one.hand.observe(VmId(one.vm.moid))
    call = one.removal()
    task = one.hand.send(call)
    one.pass_by(10)
    running = one.hand.watch(call, task)
    assert running.phase is Phase.RUNNING
    assert running.total_bytes == 2 * GIB
    assert 0 < (running.done_bytes or 0) < 2 * GIB
    one.pass_by()
    assert one.hand.watch(call, task) == Watched(phase=Phase.OVER)


def test_progress_without_known_sizes_is_no_number() -> None:
    one = bench()
    call = one.removal()
    task = one.hand.send(call)
    assert one.hand.watch(call, task) == Watched(phase=Phase.RUNNING)


def test_failed_task_tells_its_fault_and_what_to_do() -> None:
    one = bench()
    one.server.fates.queue = [Fate(fails="FileLocked")]
    call = one.removal()
    task = one.hand.send(call)
    one.pass_by()
    watched = one.hand.watch(call, task)
    assert watched.phase is Phase.FAILED
    assert "The operation failed: FileLocked" in (watched.reason or "")
    assert "backup proxy" in (watched.reason or "")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("NoDiskSpace", "free space first"),
        ("InsufficientDiskSpace", "free space first"),
        ("NoPermission", "privilege"),
        ("MethodDisabled", "backup"),
        ("TaskInProgress", "another task"),
        ("ConcurrentAccess", "somebody else"),
        ("InvalidState", "state"),
        ("InvalidPowerState", "power state"),
        ("ManagedObjectNotFound", "no longer there"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_each_fault_of_a_task_is_told_with_its_name(fault: str, words: str) -> None:
    task = RawTask("task-1", "d", "vm-1", "error", None, None, None, None, fault, "It failed.")
    reason = by_task(task, None).reason
    assert reason is not None
    assert fault in reason
    assert words in reason


def test_task_that_failed_without_a_reason_says_so() -> None:
    task = RawTask("task-1", "d", "vm-1", "error", None, None, None, None, None, None)
    assert by_task(task, None).reason == "the task failed, and the server gives no reason"


@pytest.mark.parametrize("state", ["queued", "running"])
def test_task_that_waits_or_runs_is_running(state: str) -> None:
    task = RawTask("task-1", "d", "vm-1", state, 40, None, None, None, None, None)
    assert by_task(task, 1000) == Watched(phase=Phase.RUNNING, done_bytes=400, total_bytes=1000)


@pytest.mark.parametrize("known", [None, "task-of-old"])
def test_p3_task_whose_id_nobody_knows_is_judged_by_the_machine(known: str | None) -> None:
    one = bench()
    call = one.removal()
    one.hand.send(call)
    second = VsphereActuator(FakeService(one.server), ENDPOINT, look=seen_of)
    assert second.watch(call, known).phase is Phase.RUNNING
    one.pass_by()
    assert second.watch(call, known).phase is Phase.OVER


def test_work_in_the_background_is_still_running() -> None:
    one = bench()
    one.vm.in_background = True
    assert one.hand.watch(one.removal(), None).phase is Phase.RUNNING


def test_ended_task_that_the_server_forgot_is_over() -> None:
    one = bench(FakeServer(forgets=True))
    call = one.removal()
    task = one.hand.send(call)
    one.pass_by()
    assert one.hand.watch(call, task).phase is Phase.OVER


def test_machine_that_is_gone_has_nothing_under_way() -> None:
    one = bench()
    call = one.removal()
    one.server.world.vms.clear()
    assert one.hand.watch(call, None).phase is Phase.OVER


def test_inv_16_look_that_fails_is_no_end() -> None:
    one = bench()
    call = one.removal()
    task = one.hand.send(call)
    one.server.deaf = 1
    with pytest.raises(Unreachable):
        one.hand.watch(call, task)
    one.server.denied[one.vm.moid, "recentTask"] = "NoPermission"
    with pytest.raises(AccessDenied):
        one.hand.watch(call, None)
    assert one.hand.watch(call, task).phase is Phase.RUNNING


def test_p10_session_that_ends_while_a_task_runs_changes_nothing() -> None:
    one = bench()
    call = one.removal()
    task = one.hand.send(call)
    one.server.session_over = True
    assert one.hand.watch(call, task).phase is Phase.RUNNING
    assert one.server.counts["login"] == 1
    assert len(one.server.sent) == 1


def test_closing_ends_the_session_and_no_task() -> None:
    one = bench()
    one.hand.send(one.removal())
    one.hand.close()
    assert one.service.closed
    one.pass_by()
    one.server.settle()
    assert len(one.vm.snaps) == 1


def test_closing_a_connection_that_is_lost_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()

    def lost() -> None:
        raise Unreachable("vc1: connection reset by peer")

    monkeypatch.setattr(one.service, "close", lost)
    one.hand.close()


def test_grd_19_a_task_cannot_be_taken_back_here_not_even_by_a_person() -> None:
    assert not isinstance(bench().hand, Stoppable)
