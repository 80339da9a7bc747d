"""Executor: carries out a plan, one machine and one datastore at a time, and stops at any doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from snapaudit.enforce.breaker import Breaker
from snapaudit.enforce.errand import Errand
from snapaudit.enforce.ground import STOPPED, Ground
from snapaudit.enforce.identity import after
from snapaudit.enforce.limits import may_start
from snapaudit.enforce.record import done_before
from snapaudit.enforce.scribe import Scribe
from snapaudit.errors import JournalError
from snapaudit.model.acting import Call
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Outcome
from snapaudit.model.plan import Action, Decision

_BAD = frozenset({Event.FAILED, Event.UNKNOWN})


@dataclass(slots=True)
class Executed:
    """What became of the actions, in the order in which they ended, and what never began."""

    outcomes: list[Outcome] = field(default_factory=list)
    not_started: list[Action] = field(default_factory=list)
    stopped_because: str | None = None


def execute(ground: Ground, unfinished: dict[str, list[Call]] | None = None) -> Executed:
    """Carry out what of the plan has no end in the journal yet.

    ``unfinished`` is our own work that an earlier run began, as reconciling found it.
    """
    run = _Run(ground, unfinished or {})
    try:
        run.carry_out()
    except JournalError as error:
        run.give_up(error)
    return run.result()


def pending(ground: Ground) -> list[Action]:
    """The actions to apply that have no end in the journal, in the order of the plan."""
    courses = {
        course.action_id: course
        for action in ground.plan.actions
        for course in ground.journal.courses(action.id)
        if course.plan_id == ground.plan.id
    }
    meant = (action for action in ground.plan.actions if action.decision is Decision.APPLY)
    return [a for a in meant if a.id not in courses or not courses[a.id].is_over]


def _failed(ground: Ground, action: Action) -> bool:
    """Whether it failed in an earlier run of this plan."""
    entries = ground.journal.of_action(action.id, ground.plan.id)
    return bool(entries) and entries[-1].event is Event.FAILED


class _Run:
    def __init__(self, ground: Ground, unfinished: dict[str, list[Call]]) -> None:
        self._ground, self._unfinished = ground, unfinished
        waiting = pending(ground)
        self._waiting = sorted(waiting, key=lambda action: action.id not in unfinished)
        self._under_way: list[Errand] = []
        self._spoilt = {(a.endpoint, a.vm_id) for a in ground.plan.actions if _failed(ground, a)}
        self._breaker = Breaker(len(waiting))
        self._done = Executed()

    def carry_out(self) -> None:
        """Until nothing is under way and nothing more may begin."""
        while True:
            self._begin_what_may()
            if not self._under_way:
                return
            self._ground.clock.sleep(self._ground.patience.poll.total_seconds())
            for errand in list(self._under_way):
                errand.poll()
                self._take_in(errand)
            if self._ground.stops():
                self._drain()

    def give_up(self, error: JournalError) -> None:
        """Nothing can be written down any more: nothing is sent, and nothing is known (INV-20)."""
        self._breaker.open(str(error))
        for errand in self._under_way:
            self._keep(errand, errand.abandon(str(error)))
        self._under_way.clear()

    def result(self) -> Executed:
        """All of it."""
        self._done.not_started = list(self._waiting)
        if self._waiting or self._breaker.is_open:
            stopped = STOPPED if self._ground.stops() else None
            self._done.stopped_because = self._breaker.reason or stopped or self._objection()
        return self._done

    def _objection(self) -> str:
        return self._ground.objection() or "nothing more could begin"

    def _begin_what_may(self) -> None:
        for action in list(self._waiting):
            if self._ground.stops() or self._breaker.is_open or self._ground.objection():
                return
            if may_start(action, [errand.action for errand in self._under_way]):
                self._waiting.remove(action)
                self._begin(action)

    def _begin(self, action: Action) -> None:
        errand = Errand(
            ground=self._ground,
            action=action,
            expected=after(action.expects, self._done_before(action)),
            scribe=Scribe(self._ground, action, self._ground.clock.now()),
            forbidden=lambda: self._breaker.reason,
        )
        self._under_way.append(errand)
        if (action.endpoint, action.vm_id) in self._spoilt:
            errand.refuse("an earlier action on this machine did not go well")
        elif action.id in self._unfinished:
            errand.resume(self._unfinished[action.id])
        else:
            errand.begin()
        self._take_in(errand)

    def _done_before(self, action: Action) -> Sequence[Action]:
        plan, journal = self._ground.plan, self._ground.journal
        actions = {one.id: one for one in plan.actions}
        return done_before(action, journal.of_plan(plan.id), actions)

    def _take_in(self, errand: Errand) -> None:
        """Note what has ended, and let the breaker know."""
        if errand.alarm is not None:
            self._breaker.open(errand.alarm)
        if errand.dropped is not None:
            self._under_way.remove(errand)
            self._waiting.insert(0, errand.action)
            self._breaker.open(errand.dropped)
        elif errand.scribe.outcome is not None:
            self._under_way.remove(errand)
            self._keep(errand, errand.scribe.outcome)

    def _keep(self, errand: Errand, outcome: Outcome) -> None:
        self._done.outcomes.append(outcome)
        self._breaker.note(outcome)
        if outcome.event in _BAD:
            self._spoilt.add((errand.action.endpoint, errand.action.vm_id))

    def _drain(self) -> None:
        """After a stop: wait for what runs, but not for ever, and not at all when asked twice."""
        stopped_at = self._ground.clock.now()
        while self._under_way:
            is_over = self._ground.clock.now() - stopped_at > self._ground.patience.drain
            for errand in list(self._under_way):
                errand.poll()
                if errand.scribe.outcome is None and (is_over or self._ground.stops() > 1):
                    errand.leave("it still ran when the run was stopped")
                self._take_in(errand)
            if self._under_way:
                self._ground.clock.sleep(self._ground.patience.poll.total_seconds())
