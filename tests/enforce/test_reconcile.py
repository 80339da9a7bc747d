"""What a later run makes of calls whose end nobody saw, by what one machine shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from snapaudit.enforce.chain import Resolution
from snapaudit.enforce.course import resolution_of
from snapaudit.enforce.ground import Ground
from snapaudit.enforce.holds import Holds
from snapaudit.enforce.identity import expectation
from snapaudit.enforce.journal import Journal
from snapaudit.enforce.reconcile import reconcile
from snapaudit.enforce.record import draft, intent_detail
from snapaudit.enforce.state import State, prepare
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.journal import Event
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Action, SnapshotId, VmId
from tests.builders import NOW
from tests.enforce.folders import quick_folder
from tests.enforce.planned import action, plan
from tests.enforce.planning import ABLE, view
from tests.enforce.test_identity import machine

MERGE = Call(name="merge")
REBASE = Call(name="rebase", follows=True)
TIDY, FORGET = Call(name="tidy"), Call(name="forget")
WAY = (MERGE, REBASE, TIDY, FORGET)
BEFORE = machine("first", "second")
OUT_OF_ONE_CHAIN = machine("first", "second", vda=("second",))


class Hand:
    """Shows one machine on which so many calls of the way had an effect; the last one may run on.

    Like the real ones it takes a call of the tidying for made that was meant.
    """

    def __init__(self, vm: VirtualMachine, *, effects: int, runs: int = 0) -> None:
        self.vm, self.effects, self.runs = vm, effects, runs
        self.watched: list[tuple[str, str | None]] = []

    def observe(self, vm_id: VmId) -> Inventory:
        del vm_id
        return view(self.vm)

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        del action, seen
        if self.effects < 2 and WAY[self.effects] in made:
            return None
        return next((call for call in WAY[self.effects :] if call not in made), None)

    def send(self, call: Call) -> str | None:
        raise AssertionError(f"reconciling sends nothing, and not {call.name}")

    def watch(self, call: Call, task_id: str | None) -> Watched:
        self.watched.append((call.name, task_id))
        self.runs -= 1
        return Watched(phase=Phase.RUNNING if self.runs >= 0 else Phase.OVER)

    def stop_of(self, merge: Call) -> Call | None:
        raise AssertionError(f"reconciling stops nothing, and not {merge.name}")

    def close(self) -> None:
        return None


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def deletion() -> Action:
    planned = view(BEFORE)
    shot = BEFORE.snapshots[0]
    return action(
        "plan-1-1",
        snapshot_id=SnapshotId(shot.id),
        snapshot_name=shot.name,
        expects=expectation(planned, BEFORE, shot),
    )


@pytest.fixture
def state() -> Iterator[State]:
    with quick_folder() as folder:
        made = State(folder)
        prepare(made)
        yield made


def found(state: State, hand: Hand, *made: Call) -> tuple[Resolution | None, object, float]:
    """What is written down last of these calls: outcome, how many are unsent, seconds it took.

    Nobody wrote down that the last of them was sent.
    """
    clock, meant = Watch(), deletion()
    with Journal(state, clock.now) as journal:
        for call in made:
            detail = intent_detail(meant, call, None)
            journal.append(draft("run-1", meant, Event.INTENT, detail))
            if call is not made[-1]:
                journal.append(draft("run-1", meant, Event.SUBMITTED, {}, f"task-{call.name}"))
        reconcile(ground(journal, clock, meant, hand))
        last = journal.entries[-1]
    waited = (clock.now() - NOW).total_seconds()
    return resolution_of(last), last.detail.get("unsent"), waited


def ground(journal: Journal, clock: Watch, meant: Action, hand: Hand) -> Ground:
    return Ground(
        run_id="run-2",
        plan=plan(meant),
        actuators={"kvm1": hand},
        abilities={"kvm1": ABLE},
        journal=journal,
        limits=Limits(),
        clock=clock,
        holds=Holds,
        action_of=lambda _plan_id, _action_id: meant,
        offered=frozenset(),
        named=frozenset({"kvm1"}),
    )


def test_a_call_that_came_to_nothing_is_believed_only_when_seen_twice(state: State) -> None:
    hand = Hand(BEFORE, effects=0)
    assert found(state, hand, MERGE) == (Resolution.NO_EFFECT, 0, 5)
    assert hand.watched == [("merge", None)] * 2


def test_inv_15_a_call_that_still_runs_without_us_is_waited_for(state: State) -> None:
    assert found(state, Hand(BEFORE, effects=0, runs=3), MERGE) == (Resolution.NO_EFFECT, 0, 20)


def test_inv_16_a_call_that_runs_for_longer_than_patience_stays_open(state: State) -> None:
    outcome, _, waited = found(state, Hand(BEFORE, effects=0, runs=1000), MERGE)
    assert (outcome, waited) == (None, 600)


def test_inv_15_a_merge_that_no_chain_shows_yet_is_gone_on_with(state: State) -> None:
    assert found(state, Hand(BEFORE, effects=1), MERGE) == (Resolution.CONTINUE, 0, 0)


def test_step_after_a_merge_that_no_chain_shows_yet_is_due_again(state: State) -> None:
    hand = Hand(BEFORE, effects=1)
    assert found(state, hand, MERGE, REBASE) == (Resolution.CONTINUE, 1, 5)


def test_tidying_that_came_to_nothing_is_due_again_whatever_could_come_after_it(
    state: State,
) -> None:
    hand = Hand(OUT_OF_ONE_CHAIN, effects=2)
    assert found(state, hand, MERGE, REBASE, TIDY) == (Resolution.CONTINUE, 1, 5)


def test_tidying_that_had_its_effect_is_not_due_again(state: State) -> None:
    hand = Hand(OUT_OF_ONE_CHAIN, effects=3)
    assert found(state, hand, MERGE, REBASE, TIDY) == (Resolution.CONTINUE, 0, 0)


def test_what_is_seen_to_be_gone_was_carried_out(state: State) -> None:
    gone = machine("second")
    kept = replace(gone, snapshots=tuple(replace(s, parent_id=None) for s in gone.snapshots))
    hand = Hand(kept, effects=len(WAY))
    assert found(state, hand, *WAY) == (Resolution.DONE, 0, 0)


def unsettled(state: State, **changes: Any) -> list[str]:
    """What stays open after a call whose answer nobody saw."""
    clock, meant = Watch(), deletion()
    with Journal(state, clock.now) as journal:
        detail = intent_detail(meant, MERGE, None)
        journal.append(draft("run-1", meant, Event.INTENT, detail))
        stands = ground(journal, clock, meant, Hand(BEFORE, effects=0))
        return reconcile(replace(stands, **changes)).open


def test_action_whose_plan_is_no_longer_here_stays_open(state: State) -> None:
    assert unsettled(state, action_of=lambda _plan, _action: None) == [
        "plan-1-1: its plan is no longer here"
    ]


def test_action_on_an_endpoint_that_takes_no_part_stays_open(state: State) -> None:
    [said] = unsettled(state, actuators={})
    assert said.endswith("kvm1 takes no part in this run")


@pytest.mark.parametrize("spares", [False, True])
def test_what_a_call_without_effect_froze_is_spoilt_unless_it_writes_into_no_image(
    state: State, spares: bool
) -> None:
    clock, call = Watch(), replace(MERGE, spares=spares)
    meant = replace(deletion(), merges_bytes=1)
    with Journal(state, clock.now) as journal:
        detail = intent_detail(meant, call, None)
        journal.append(draft("run-1", meant, Event.INTENT, detail))
        [said] = reconcile(ground(journal, clock, meant, Hand(BEFORE, effects=0))).sentences
    assert ("never go back to it" in said) is not spares
