"""Carry out a reviewed plan: settle what is open, look again, act, tell."""

from __future__ import annotations

import secrets
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from snapaudit import registry
from snapaudit.app.audit import audit
from snapaudit.app.exempting import Exempting
from snapaudit.app.gather import SecretOf, collect
from snapaudit.app.history import remember_back
from snapaudit.app.planning import refuse_if_over, refuse_if_unfit, unconfigured
from snapaudit.app.remembering import announced, held_against_memory
from snapaudit.config.settings import Settings
from snapaudit.enforce.approvals import refuse_without
from snapaudit.enforce.course import Course
from snapaudit.enforce.executor import Executed, execute, pending
from snapaudit.enforce.ground import Clock, Ground
from snapaudit.enforce.guards import not_whole
from snapaudit.enforce.holds import read_holds
from snapaudit.enforce.journal import Journal
from snapaudit.enforce.limits import census_again, excess
from snapaudit.enforce.lock import Lock
from snapaudit.enforce.offers import offers
from snapaudit.enforce.preflight import refuse_a_changed_world
from snapaudit.enforce.reconcile import Settled, reconcile
from snapaudit.enforce.sealing import read_plan
from snapaudit.enforce.sightings import note_sightings
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import RefusedError, SnapauditError
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.finding import Audit
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Merging, RunReport
from snapaudit.model.plan import Action, Plan
from snapaudit.model.policy import Policy, Remedy
from snapaudit.ports import Actuator, Progress

SecretOfAccount = Callable[[Account], str | None]


class _RealClock:
    """The computer's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


REAL_CLOCK: Clock = _RealClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run needs from outside: passwords, and somebody to tell what is going on.

    ``file`` is where the plan lies, with its approvals beside it; None: in the state folder.
    ``environ`` is where the password of a shared history may be.
    """

    secret_of: SecretOf
    secret_of_account: SecretOfAccount
    progress: Progress
    tell: Callable[[Merging], None]
    note: Callable[[str], None]
    clock: Clock = REAL_CLOCK
    file: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)


def apply(
    chosen: Plan, settings: Settings, policy: Policy, named: frozenset[str], means: Means
) -> RunReport:
    """Carry out a plan, or go on with one that was interrupted.

    Raises RefusedError when nothing was changed because something forbids it; JournalError when the
    journal is damaged.
    """
    state, clock = State(settings.state), means.clock
    prepare(state)
    with ExitStack() as stack:
        lock = stack.enter_context(Lock(state, clock.now()))
        journal = stack.enter_context(Journal(state, clock.now))
        if journal.repaired is not None:
            means.note(journal.repaired)
        refuse_if_over(chosen, journal, clock.now())
        refuse_if_unfit(chosen, settings, policy)
        _refuse_unapproved(chosen, settings, means)
        stops = stack.enter_context(_signals())
        endpoints = _endpoints(chosen, journal.open_actions(), settings)
        actuators = {one.name: stack.enter_context(_hand(one, means)) for one in endpoints}
        ground = Ground(
            run_id=f"run-{clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
            plan=chosen,
            actuators=actuators,
            abilities={one.name: registry.hypervisor(one.kind).abilities for one in endpoints},
            journal=journal,
            limits=settings.limits,
            clock=clock,
            holds=lambda: read_holds(state),
            action_of=_ActionsOf(state, chosen),
            offered=frozenset(),
            named=named,
            objection=lambda: _objection(chosen, settings, lock, clock.now()),
            stops=lambda: stops["asked"],
            tell=means.tell,
        )
        return _run(ground, settings, policy, means)


def _refuse_unapproved(chosen: Plan, settings: Settings, means: Means) -> None:
    file = means.file or State(settings.state).plans / f"{chosen.id}.json"
    approved_by = refuse_without(chosen, file, settings.approvals)
    if approved_by:
        means.note(f"approved by {', '.join(approved_by)}")


@contextmanager
def _hand(endpoint: Endpoint, means: Means) -> Iterator[Actuator]:
    """The actuator of an endpoint, logged in as the account that may delete."""
    password = means.secret_of_account(endpoint.enforce_as or endpoint.account)
    actuator = registry.hypervisor(endpoint.kind).actuator(endpoint, password)
    try:
        yield actuator
    finally:
        actuator.close()


def _objection(chosen: Plan, settings: Settings, lock: Lock, now: datetime) -> str | None:
    """Why nothing may be sent any more, whatever it is."""
    window = settings.limits.window
    if not lock.still_held():
        return "the lock of the state folder was lost"
    if now >= chosen.expires_at:
        return "the plan has expired"
    if window is not None and not window.is_open(now):
        return f"in-window: the window for changes is {window.text}"
    return None


class _ActionsOf:
    """Finds an action of any plan that was made here, also of one that expired long ago."""

    def __init__(self, state: State, chosen: Plan) -> None:
        self._state = state
        self._plans: dict[str, Plan | None] = {chosen.id: chosen}

    def __call__(self, plan_id: str, action_id: str) -> Action | None:
        if plan_id not in self._plans:
            self._plans[plan_id] = self._read(plan_id)
        found = self._plans[plan_id]
        return next((a for a in found.actions if a.id == action_id), None) if found else None

    def _read(self, plan_id: str) -> Plan | None:
        try:
            return read_plan(self._state, self._state.sealed / f"{plan_id}.json")[0]
        except SnapauditError:
            return None


def _endpoints(chosen: Plan, courses: Sequence[Course], settings: Settings) -> tuple[Endpoint, ...]:
    """The endpoints that the plan acts on, and those where an earlier run left something open."""
    for name in unconfigured(chosen, settings):
        raise RefusedError(f"plan {chosen.id} acts on {name}, which is not configured here")
    known = {endpoint.name: endpoint for endpoint in settings.endpoints}
    wanted = {action.endpoint for action in chosen.actions}
    opened = {str(course.machine[0]) for course in courses if course.machine is not None}
    return tuple(known[name] for name in sorted(wanted | (opened & known.keys())))


def _run(ground: Ground, settings: Settings, policy: Policy, means: Means) -> RunReport:
    started_at = ground.clock.now()
    settled = reconcile(ground)
    seen = None
    if settled.open:
        done = Executed(not_started=pending(ground))
        done.stopped_because = f"not settled: {settled.open[0]}"
    else:
        seen = _preflight(ground, settings, policy, means)
        exempting = Exempting(seen, policy, settings, ground.clock)
        done = execute(replace(_on(ground, seen, policy), exempt=exempting), settled.unfinished)
    try:
        ground.journal.mark_head()
        if seen is not None:
            _note(settings, ground, seen, done)
    except SnapauditError as error:
        # What was done is told all the same: both notes are only a help to later runs.
        done.stopped_because = done.stopped_because or str(error)
    return _report(ground, settled, done, started_at)


def _preflight(ground: Ground, settings: Settings, policy: Policy, means: Means) -> Audit:
    """Read everything the plan acts on anew; too much of it changed: RefusedError."""
    configured = {endpoint.name: endpoint for endpoint in settings.endpoints}
    names = sorted({action.endpoint for action in ground.plan.actions})
    now = ground.clock.now()
    read = collect([configured[name] for name in names], now, means.secret_of, means.progress)
    inventories = held_against_memory(read, settings)
    seen = {inventory.endpoint: inventory for inventory in inventories}
    _refuse_other_managers(ground.plan, {name: one.manager_id for name, one in seen.items()})
    entries = ground.journal.of_plan(ground.plan.id)
    actions = {action.id: action for action in ground.plan.actions}
    refuse_a_changed_world(pending(ground), entries, actions, seen)
    over = excess(pending(ground), ground.limits, census_again(ground.plan, inventories))
    if over:
        raise RefusedError(f"within-limits: {over[0].limit}: {over[0].reason}")
    remembered = remember_back(inventories, settings, means.environ, now)
    seen_now = audit(remembered.inventories, policy, now, remembered.past)
    return announced(seen_now, policy, settings, now)


def _refuse_other_managers(chosen: Plan, found: Mapping[str, str | None]) -> None:
    """An endpoint's name may lead to another manager than the one that was planned for (I5)."""
    for manager in chosen.managers:
        present = found.get(manager.endpoint)
        if present is not None and present != manager.manager_id:
            raise RefusedError(
                f"unchanged: {manager.endpoint} is another manager now: {manager.manager_id} "
                f"became {present}; make a new plan with `snapaudit enforce`"
            )


def _on(ground: Ground, seen: Audit, policy: Policy) -> Ground:
    """The ground with what the rules ask for on the fresh view."""
    found = offers(seen, policy, ground.clock.now())
    views = {
        one.endpoint: not_whole(one, is_named=one.endpoint in ground.named)
        for one in seen.inventories
    }
    return replace(
        ground,
        gaps={endpoint: reason for endpoint, reason in views.items() if reason is not None},
        offered=frozenset(found.asked),
        with_memory=frozenset(at for at, one in found.asked.items() if one.may_hold_memory),
        purposes={(p.endpoint, p.vm_id, p.snapshot_id): p for p in seen.purposes},
    )


def _note(settings: Settings, ground: Ground, seen: Audit, done: Executed) -> None:
    """Our own deletions must not make the next view look suspicious."""
    deleted = Counter(
        outcome.action.endpoint
        for outcome in done.outcomes
        if outcome.event is Event.DONE and outcome.action.kind is Remedy.DELETE_SNAPSHOT
    )
    note_sightings(State(settings.state), seen.inventories, ground.named, deleted)


def _report(ground: Ground, settled: Settled, done: Executed, started_at: datetime) -> RunReport:
    head = ground.journal.head
    return RunReport(
        run_id=ground.run_id,
        plan_id=ground.plan.id,
        started_at=started_at,
        finished_at=ground.clock.now(),
        outcomes=tuple(done.outcomes),
        not_started=tuple(done.not_started),
        stopped_because=done.stopped_because,
        settled=(*settled.sentences, *settled.open),
        journal_head=head.hash if head is not None else "",
    )


@contextmanager
def _signals() -> Iterator[Counter[str]]:
    """Counts how often somebody asked to stop, instead of stopping in the middle of a call."""
    asked: Counter[str] = Counter()

    def count(_number: int, _frame: FrameType | None) -> None:
        asked["asked"] += 1

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, count) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
