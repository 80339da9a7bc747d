"""Stopping a merge, by a hand that does all that a platform might."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from snapaudit.enforce.course import Course
from snapaudit.enforce.identity import expectation
from snapaudit.enforce.journal import Journal
from snapaudit.enforce.record import calls_made, draft, intent_detail
from snapaudit.enforce.state import State, prepare
from snapaudit.enforce.stopping import FROZEN, Stop
from snapaudit.enforce.verify import footing
from snapaudit.errors import CallRefused, JournalError, RefusedError
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.inventory import PowerState
from snapaudit.model.journal import Event
from snapaudit.model.plan import Action, SnapshotId, VmId
from tests.builders import NOW
from tests.enforce.fake.hand import IDLE, MERGE, STOP, Hand
from tests.enforce.planned import action
from tests.enforce.planning import view

TARGET = IDLE.snapshots[1]
ACTION: Action = action(
    "plan-1-a1",
    vm_id=VmId(IDLE.id),
    snapshot_id=SnapshotId(TARGET.id),
    expects=expectation(view(IDLE), IDLE, TARGET),
)


class Watch:
    """A clock that a wait moves."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    state = State(tmp_path_factory.mktemp("here") / "state")
    prepare(state)
    with Journal(state, lambda: NOW) as made:
        yield made


def meant(journal: Journal, call: Call = MERGE) -> Course:
    """The action up to the intent of a call that nobody knows the end of."""
    detail = intent_detail(ACTION, call, footing(ACTION, IDLE))
    journal.append(draft("run-1", ACTION, Event.INTENT, detail))
    return journal.courses(ACTION.id)[0]


def stop(journal: Journal, course: Course, hand: Hand, **changes: object) -> str | None:
    fields: dict[str, object] = {
        "run_id": "by-hand-1",
        "action": ACTION,
        "expected": ACTION.expects,
        "course": course,
        "actuator": hand,
        "journal": journal,
        "by": "ada",
        "reason": "too slow",
        "ask": lambda _: None,
        "clock": Watch(),
    }
    return Stop(**{**fields, **changes}).carry_out()  # type: ignore[arg-type] # checked at run time


def told(course: Course) -> list[str]:
    return [str(one.detail.get("outcome", one.event)) for one in course.entries]


@pytest.mark.parametrize("last", [None, Event.SUBMITTED, Event.UNKNOWN])
def test_grd_19_a_stopped_merge_leaves_its_action_abandoned(
    journal: Journal, last: Event | None
) -> None:
    course, hand = meant(journal), Hand()
    if last is not None:
        journal.append(draft("run-1", ACTION, last, {}))
    assert stop(journal, course, hand) is None
    assert hand.sent == [STOP]
    assert told(course)[-4:] == ["continue", "intent", "submitted", "abandoned"]
    assert course.is_over
    closed = course.last.detail
    assert (closed["by"], closed["reason"], closed["note"]) == ("ada", "too slow", FROZEN)


def test_inv_14_the_intent_is_written_before_the_stop_is_sent(journal: Journal) -> None:
    course = meant(journal)
    seen: list[list[str]] = []

    def noted(hand: Hand) -> None:
        seen.append(told(course))
        hand.becomes(IDLE)

    assert stop(journal, course, Hand(fate=noted)) is None
    assert seen == [["intent", "continue", "intent"]]
    assert calls_made(course.entries) == [MERGE, STOP]


def test_a_stop_that_was_cut_off_before_is_sent_again_after_a_look(journal: Journal) -> None:
    course, hand = meant(journal), Hand()
    journal.append(draft("run-2", ACTION, Event.RESOLVED, {"outcome": "continue"}))
    meant(journal, STOP)
    assert stop(journal, course, hand) is None
    assert hand.sent == [STOP]


@pytest.mark.parametrize("later", ["delete", "pivot"])
def test_what_is_no_merge_by_hand_is_not_stopped(journal: Journal, later: str) -> None:
    course, hand = meant(journal), Hand()
    journal.append(draft("run-1", ACTION, Event.SUBMITTED, {}))
    meant(journal, Call(name=later, about={"vm_id": "id-web01"}))
    with pytest.raises(RefusedError, match=f"its last call \\({later}\\) is no merge"):
        stop(journal, course, hand)
    assert hand.sent == []


def test_an_action_without_any_call_is_not_stopped(journal: Journal) -> None:
    journal.append(draft("run-1", ACTION, Event.UNKNOWN, {}))
    with pytest.raises(RefusedError, match=r"its last call \(none\)"):
        stop(journal, journal.courses(ACTION.id)[0], Hand())


def test_a_machine_of_which_half_is_merged_is_not_left_like_that(journal: Journal) -> None:
    course = meant(journal)
    gone = replace(IDLE, disks=(replace(IDLE.disks[0], layers=IDLE.disks[0].layers[:2]),))
    hand = Hand(machine=replace(gone, busy=True))
    with pytest.raises(RefusedError, match="half of it cannot be abandoned: apply plan plan-1"):
        stop(journal, course, hand)
    assert hand.sent == []
    assert told(course) == ["intent"]


def test_a_machine_that_is_not_as_it_was_is_for_a_person_to_look_at(journal: Journal) -> None:
    course = meant(journal)
    hand = Hand(machine=replace(IDLE, power_state=PowerState.PAUSED))
    with pytest.raises(RefusedError, match="the machine was"):
        stop(journal, course, hand)
    assert hand.sent == []


def test_grd_19_a_no_leaves_everything_as_it_is(journal: Journal) -> None:
    course, hand = meant(journal), Hand()

    def no(_call: Call) -> None:
        raise RefusedError("not confirmed")

    with pytest.raises(RefusedError, match="not confirmed"):
        stop(journal, course, hand, ask=no)
    assert (hand.sent, told(course)) == ([], ["intent"])


def test_what_the_platform_refuses_was_never_sent(journal: Journal) -> None:
    course = meant(journal)

    def refused(_hand: Hand) -> None:
        raise CallRefused("no merge runs any more")

    with pytest.raises(RefusedError, match="no merge runs any more"):
        stop(journal, course, Hand(fate=refused))
    assert told(course)[-1] == "continue"
    assert course.is_open
    assert calls_made(course.entries) == [MERGE]


def raising(error: Exception) -> Callable[[Hand], None]:
    def fate(_hand: Hand) -> None:
        raise error

    return fate


def blinding(hand: Hand) -> None:
    hand.is_blind = True


FATES: dict[str, tuple[Callable[[Hand], None], str]] = {
    "no answer": (raising(OSError("line broke")), "no answer to abort: line broke"),
    "nobody answers": (blinding, "nobody answers"),
    "merged": (
        lambda hand: hand.becomes(replace(IDLE, snapshots=IDLE.snapshots[:1])),
        "the target is",
    ),
    "stopped": (
        lambda hand: hand.becomes(replace(IDLE, power_state=PowerState.OFF)),
        "the machine was",
    ),
    "busy for ever": (lambda _hand: None, "something still goes on"),
}


@pytest.mark.parametrize("name", FATES)
def test_inv_16_what_nobody_saw_the_end_of_stays_open(journal: Journal, name: str) -> None:
    course, (fate, reason) = meant(journal), FATES[name]
    found = stop(journal, course, Hand(fate=fate))
    assert found is not None
    assert reason in found
    assert course.last.event is Event.UNKNOWN
    assert course.is_open


def test_a_look_that_fails_after_the_stop_ended_leaves_it_open(journal: Journal) -> None:
    course, hand = meant(journal), Hand()

    def over(call: Call, task_id: str | None) -> Watched:
        hand.is_blind = True
        return Watched(phase=Phase.OVER)

    hand.watch = over  # type: ignore[method-assign] # one look that works and one that does not
    assert stop(journal, course, hand) == "kvm1: nobody answers"
    assert course.last.event is Event.UNKNOWN


def test_a_stop_that_takes_its_time_is_waited_for_but_not_for_ever(journal: Journal) -> None:
    course = meant(journal)
    running = Watched(phase=Phase.RUNNING)
    assert stop(journal, course, Hand(watched=[running] * 3)) is None
    assert told(course)[-1] == "abandoned"


def test_a_stop_without_an_end_is_unknown(journal: Journal) -> None:
    course = meant(journal)
    found = stop(journal, course, Hand(watched=[Watched(phase=Phase.RUNNING)] * 10_000))
    assert found is not None
    assert "had no end within 0:05:00" in found
    assert course.last.event is Event.UNKNOWN


def test_inv_20_a_journal_that_fails_in_the_call_is_no_unknown_outcome(journal: Journal) -> None:
    with pytest.raises(JournalError):
        stop(journal, meant(journal), Hand(fate=raising(JournalError("full"))))
