"""One action against an actuator that answers whatever a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from snapaudit.enforce.errand import MOST_CALLS, Errand
from snapaudit.enforce.ground import STOPPED, Ground, Patience
from snapaudit.enforce.holds import Holds
from snapaudit.enforce.journal import Journal
from snapaudit.enforce.scribe import Scribe
from snapaudit.enforce.state import State
from snapaudit.errors import CallRefused, JournalError, Unreachable
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.inventory import Coverage, CoverageState, Inventory, LayerRole
from snapaudit.model.journal import Event
from snapaudit.model.limits import GIB, Limits, Reserve
from snapaudit.model.plan import Action, Guard, VmId
from tests.builders import datastore, disk, layer, vm
from tests.enforce.fake.clock import Clock
from tests.enforce.planning import ABLE, line, planned, view

BEFORE = view(line("web01", "20d", "10d"))
AFTER = view(line("web01", "20d"))
DELETE, FORGET = Call(name="delete"), Call(name="forget")
OVER = Watched(phase=Phase.OVER)
PARTIAL = Coverage(state=CoverageState.PARTIAL, reason="a disk was not seen")


@dataclass
class Script:
    """What is seen, what is next, what becomes of a call: each list is used up, its last stays."""

    seen: list[Any] = field(default_factory=lambda: [BEFORE, AFTER])
    calls: list[Any] = field(default_factory=lambda: [DELETE, None])
    answers: list[Any] = field(default_factory=lambda: ["task-1"])
    looks: list[Any] = field(default_factory=lambda: [OVER])
    sent: list[Call] = field(default_factory=list)

    def observe(self, vm_id: VmId) -> Inventory:
        found: Inventory = _next(self.seen)
        return found

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        found: Call | None = _next(self.calls)
        return found

    def send(self, call: Call) -> str | None:
        self.sent.append(call)
        answer: str | None = _next(self.answers)
        return answer

    def watch(self, call: Call, task_id: str | None) -> Watched:
        found: Watched = _next(self.looks)
        return found

    def close(self) -> None:
        return


def _next(queue: list[Any]) -> Any:
    found = queue.pop(0) if len(queue) > 1 else queue[0]
    if isinstance(found, Exception):
        raise found
    return found() if callable(found) and not isinstance(found, Call) else found


@dataclass
class Stand:
    """An errand for the newest snapshot of a line of two, and all that it stands on."""

    journal: Journal
    clock: Clock

    def errand(self, script: Script, **changes: Any) -> Errand:
        made = planned(BEFORE)
        action = made.actions[0]
        ground = Ground(
            run_id="run-1",
            plan=made,
            actuators={"kvm1": script},
            abilities={"kvm1": ABLE},
            journal=self.journal,
            limits=Limits(),
            clock=self.clock,
            holds=Holds,
            action_of=lambda _plan, _action: action,
            offered=frozenset({("kvm1", action.vm_id, action.snapshot_id)}),
        )
        ground = replace(ground, **changes)
        scribe = Scribe(ground, action, self.clock.now())
        return Errand(ground=ground, action=action, expected=action.expects, scribe=scribe)

    def done(self, script: Script, **changes: Any) -> Errand:
        """Carried to its end, with a look every second."""
        errand = self.errand(script, **changes)
        errand.begin()
        for _ in range(1000):
            if errand.scribe.outcome is not None or errand.dropped is not None:
                return errand
            self.clock.sleep(1)
            errand.poll()
        raise AssertionError("it never ends")


@pytest.fixture
def stand(state: State) -> Iterator[Stand]:
    clock = Clock()
    with Journal(state, clock.now) as journal:
        yield Stand(journal, clock)


def ended(errand: Errand) -> tuple[Event, Guard | None, str]:
    outcome = errand.scribe.outcome
    assert outcome is not None
    return outcome.event, outcome.guard, outcome.reason


def test_inv_17_what_is_seen_to_be_gone_is_done(stand: Stand) -> None:
    script = Script()
    event, _, reason = ended(stand.done(script))
    assert (event, reason, script.sent) == (Event.DONE, "", [DELETE])
    assert [e.event for e in stand.journal.entries] == [
        Event.INTENT,
        Event.SUBMITTED,
        Event.DONE,
    ]


def test_machine_that_cannot_be_read_is_refused(stand: Stand) -> None:
    found = ended(stand.done(Script(seen=[Unreachable("kvm1: silent")])))
    assert found == (Event.REFUSED, Guard.WHOLE_VIEW, "kvm1: silent")


def test_way_that_nobody_can_tell_is_refused(stand: Stand) -> None:
    found = ended(stand.done(Script(calls=[Unreachable("kvm1: garbled XML")])))
    assert found == (Event.REFUSED, Guard.WHOLE_VIEW, "kvm1: garbled XML")


def test_no_way_at_all_is_failed_and_nothing_is_sent(stand: Stand) -> None:
    script = Script(calls=[None])
    event, _, reason = ended(stand.done(script))
    assert (event, reason) == (Event.FAILED, "there is no way to do it from here")
    assert script.sent == []


def test_inv_06_gone_in_a_partial_view_proves_nothing(stand: Stand) -> None:
    found = ended(stand.done(Script(seen=[replace(AFTER, coverage=PARTIAL)])))
    assert found == (Event.REFUSED, Guard.WHOLE_VIEW, "kvm1 is partial: a disk was not seen")


def test_id_that_two_machines_have_is_refused(stand: Stand) -> None:
    twice = view(line("web01", "20d", "10d"), line("web01", "20d", "10d"))
    event, guard, _ = ended(stand.done(Script(seen=[twice])))
    assert (event, guard) == (Event.REFUSED, Guard.UNCHANGED)


def test_inv_08_what_no_rule_asks_for_any_more_is_refused(stand: Stand) -> None:
    found = ended(stand.done(Script(), offered=frozenset()))
    assert found == (Event.REFUSED, Guard.PROTECTED, "no rule asks for it any more")


def test_grd_19_nothing_begins_once_somebody_asked_to_stop(stand: Stand) -> None:
    script = Script()
    errand = stand.done(script, stops=lambda: 1)
    assert (errand.dropped, script.sent, list(stand.journal.entries)) == (STOPPED, [], [])


def slow_disk(clock: Clock) -> Callable[[], str | None]:
    """The second time it is asked, six seconds have gone by: a disk that took long to write."""
    asked: list[int] = []

    def objection() -> str | None:
        asked.append(1)
        if len(asked) == 2:
            clock.sleep(6)
        return None

    return objection


def test_grd_10_look_that_became_too_old_while_the_intent_was_written_sends_nothing(
    stand: Stand,
) -> None:
    script = Script()
    errand = stand.done(script, objection=slow_disk(stand.clock))
    assert errand.dropped == "the last look had become too old"
    assert script.sent == []
    assert [e.event for e in stand.journal.entries] == [Event.INTENT, Event.RESOLVED]


def test_inv_16_answer_of_any_unknown_kind_is_unknown(stand: Stand) -> None:
    event, _, reason = ended(stand.done(Script(answers=[ValueError("odd")])))
    assert (event, reason) == (Event.UNKNOWN, "no answer to delete: odd")


def test_inv_20_journal_that_fails_is_no_answer_of_the_platform(stand: Stand) -> None:
    errand = stand.errand(Script(answers=[JournalError("full")]))
    with pytest.raises(JournalError):
        errand.begin()
    errand.abandon("full")
    errand.abandon("a second time changes nothing")
    assert ended(errand) == (Event.UNKNOWN, None, "full")


def test_refused_call_may_go_another_way_after_every_guard_was_asked_again(stand: Stand) -> None:
    other = Call(name="by-hand")
    script = Script(
        seen=[BEFORE, BEFORE, AFTER],
        calls=[DELETE, other, None],
        answers=[CallRefused("unsupported"), "task-2"],
    )
    assert ended(stand.done(script))[0] is Event.DONE
    assert script.sent == [DELETE, other]


def test_refused_call_goes_no_other_way_once_a_guard_objects(stand: Stand) -> None:
    held = iter([Holds(), *[Holds(unreadable="holds.json: cut")] * 9])
    script = Script(seen=[BEFORE], calls=[DELETE, FORGET], answers=[CallRefused("no")])
    event, guard, _ = ended(stand.done(script, holds=lambda: next(held)))
    assert (event, guard) == (Event.REFUSED, Guard.HELD)


def test_failed_merge_says_that_the_frozen_state_may_be_spoilt(stand: Stand) -> None:
    failed = Watched(phase=Phase.FAILED, reason="no space left")
    event, _, reason = ended(stand.done(Script(seen=[BEFORE], looks=[failed])))
    assert event is Event.FAILED
    assert reason.startswith("no space left; ")
    assert "never go back to it" in reason


def test_a_call_that_writes_into_no_image_spoils_nothing_when_it_fails(stand: Stand) -> None:
    failed = Watched(phase=Phase.FAILED, reason="not now")
    spared = Script(seen=[BEFORE], calls=[replace(DELETE, spares=True), None], looks=[failed])
    assert ended(stand.done(spared)) == (Event.FAILED, None, "not now")


@pytest.mark.parametrize("which", ["looks", "seen", "calls"])
def test_look_that_fails_is_tried_again_and_then_given_up(stand: Stand, which: str) -> None:
    lost = Unreachable("kvm1: connection lost")
    first: dict[str, list[Any]] = {"looks": [], "seen": [BEFORE], "calls": [DELETE]}
    event, _, reason = ended(stand.done(Script(**{which: [*first[which], lost]})))
    assert event is Event.UNKNOWN
    assert "connection lost" in reason


def test_view_that_became_partial_settles_nothing(stand: Stand) -> None:
    seen = [BEFORE, replace(AFTER, coverage=PARTIAL)]
    event, _, reason = ended(stand.done(Script(seen=seen)))
    assert event is Event.UNKNOWN
    assert "a disk was not seen" in reason


def test_look_that_takes_too_long_to_act_on_is_tried_again(stand: Stand) -> None:
    def slow() -> Call:
        stand.clock.sleep(9)
        return FORGET

    script = Script(seen=[BEFORE], calls=[DELETE, slow])
    event, _, reason = ended(stand.done(script))
    assert (event, script.sent) == (Event.UNKNOWN, [DELETE])
    assert "takes too long to look at" in reason


def test_p7_call_that_runs_on_and_on_is_unknown_and_not_cancelled(stand: Stand) -> None:
    running = Watched(phase=Phase.RUNNING, done_bytes=1, total_bytes=2)
    patience = Patience(watch=timedelta(seconds=30))
    event, _, reason = ended(stand.done(Script(looks=[running]), patience=patience))
    assert (event, reason) == (Event.UNKNOWN, "it still runs; nobody waits for it any longer")


def test_machine_that_stays_busy_is_unknown_in_the_end(stand: Stand) -> None:
    busy = view(line("web01", "20d", busy=True))
    patience = Patience(settle=timedelta(seconds=30))
    event, _, reason = ended(stand.done(Script(seen=[BEFORE, busy]), patience=patience))
    assert event is Event.UNKNOWN
    assert "something still goes on" in reason


def test_way_without_an_end_is_unknown(stand: Stand) -> None:
    endless = iter(Call(name=f"call-{number}") for number in range(999))
    script = Script(seen=[BEFORE], calls=[lambda: next(endless)])
    event, _, reason = ended(stand.done(script))
    assert (event, len(script.sent)) == (Event.UNKNOWN, MOST_CALLS)
    assert reason == f"not done after {MOST_CALLS} calls"


@pytest.mark.parametrize(
    ("store", "alarm"),
    [
        (datastore(accessible=False), "datastore pool-1 cannot be reached"),
        (datastore(free_bytes=None), "datastore pool-1 cannot be reached"),
        (datastore(free_bytes=GIB), "datastore pool-1 has less free than its reserve"),
    ],
)
def test_grd_18_space_that_went_meanwhile_raises_an_alarm(
    stand: Stand, store: Any, alarm: str
) -> None:
    after = replace(AFTER, datastores=(datastore("other"), store))
    limits = Limits(min_free=Reserve(bytes=2 * GIB))
    errand = stand.done(Script(seen=[BEFORE, after]), limits=limits)
    assert (ended(errand)[0], errand.alarm) == (Event.DONE, alarm)


def test_begun_work_that_is_stopped_is_left_for_the_next_run(stand: Stand) -> None:
    stops = iter([0, 0, *[1] * 9])
    half = view(replace(line("web01", "20d", "10d"), disks=AFTER.virtual_machines[0].disks))
    script = Script(seen=[BEFORE, half], calls=[DELETE, FORGET])
    errand = stand.done(script, stops=lambda: next(stops))
    assert ended(errand)[0] is Event.UNKNOWN
    assert errand.scribe.outcome is not None
    assert errand.scribe.outcome.goes_on
    assert script.sent == [DELETE]
    assert stand.journal.open_actions() != ()


def test_intent_that_is_not_acted_on_says_so_when_the_work_has_begun(stand: Stand) -> None:
    stops = iter([0, 0, 0, *[1] * 9])
    half = view(replace(line("web01", "20d", "10d"), disks=AFTER.virtual_machines[0].disks))
    script = Script(seen=[BEFORE, half], calls=[DELETE, FORGET])
    stand.done(script, stops=lambda: next(stops))
    assert script.sent == [DELETE]
    last = stand.journal.entries[-1]
    assert (last.event, last.detail["outcome"], last.detail["unsent"]) == (
        Event.RESOLVED,
        "continue",
        1,
    )


def test_machine_that_is_gone_had_been_deleted_by_somebody_else(stand: Stand) -> None:
    event, _, reason = ended(stand.done(Script(seen=[view(line("other", "9d"))])))
    assert (event, reason) == (Event.ALREADY_GONE, "it was gone before anything was sent")


def test_inv_17_machine_that_is_gone_afterwards_is_unknown_and_an_alarm(stand: Stand) -> None:
    errand = stand.done(Script(seen=[BEFORE, view(line("other", "9d"))]))
    assert ended(errand)[0] is Event.UNKNOWN
    assert errand.alarm == "web01: the machine itself is gone"


def phantoms(count: int) -> Inventory:
    """A machine with so many deltas that no snapshot explains."""
    deltas = (layer(f"/vm/x{n}", role=LayerRole.PHANTOM, size_bytes=GIB) for n in range(count))
    return view(vm("web01", disks=(disk(layer(), *deltas),), consolidation_needed=count > 0))


def test_consolidation_of_several_deltas_asks_again_in_between(stand: Stand) -> None:
    made = planned(phantoms(2))
    script = Script(seen=[phantoms(2), phantoms(1), phantoms(0)], calls=[DELETE, FORGET, None])
    errand = stand.errand(script, plan=made, offered=frozenset({("kvm1", "id-web01", None)}))
    [action] = made.actions
    errand = replace(errand, action=action, expected=action.expects)
    errand.scribe.action = action
    errand.begin()
    errand.poll()
    errand.poll()
    assert ended(errand)[0] is Event.DONE
    assert script.sent == [DELETE, FORGET]
