"""Reconcile: what has become of calls whose end nobody saw. Runs before anything new is sent.

It only looks and writes down what it sees. What it cannot tell stays open: that machine is left
alone, and a person decides (docs/safety.md, GRD-22).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from snapaudit.enforce.chain import Resolution
from snapaudit.enforce.course import Course
from snapaudit.enforce.ground import Ground
from snapaudit.enforce.guards import not_whole
from snapaudit.enforce.identity import Standing, after
from snapaudit.enforce.record import calls_made, done_before, draft, footing_of, spoilt
from snapaudit.enforce.verify import Seen, description, look
from snapaudit.errors import HypervisorError
from snapaudit.model.acting import Call, Phase
from snapaudit.model.journal import Detail, Event
from snapaudit.model.plan import Action, Expectation
from snapaudit.ports import Actuator

_LOOKS = 2


@dataclass(slots=True)
class Settled:
    """What was found: sentences, our own unfinished work by action id, and what stays open."""

    sentences: list[str] = field(default_factory=list)
    unfinished: dict[str, list[Call]] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Finding:
    """``outcome`` None: it stays open, for the reason.

    ``unsent``: how many of the last calls came to nothing, while those before them did not.
    """

    outcome: Resolution | None
    reason: str
    unsent: int = 0

    @property
    def is_absence(self) -> bool:
        """Whether it rests on something that was not seen: a call may still be on its way."""
        return self.outcome is Resolution.NO_EFFECT or self.unsent > 0


def reconcile(ground: Ground) -> Settled:
    """Look at every action of any plan that is still open, and settle what can be told."""
    settled = Settled()
    for course in ground.journal.open_actions():
        action = ground.action_of(course.plan_id, course.action_id)
        if action is None:
            settled.open.append(f"{course.action_id}: its plan is no longer here")
            continue
        found = _find(ground, course, action)
        _write(ground, course, action, found, settled)
    return settled


def _write(
    ground: Ground, course: Course, action: Action, found: _Finding, settled: Settled
) -> None:
    name = f"{action.vm_name}/{action.snapshot_name or 'disks'} ({action.id})"
    if found.outcome is None:
        why: Detail = {"reason": found.reason}
        ground.journal.append(draft(ground.run_id, action, Event.UNKNOWN, why))
        settled.open.append(f"{name}: {found.reason}")
        return
    is_untouched = found.outcome is Resolution.NO_EFFECT
    warning = spoilt(action, calls_made(course.entries)) if is_untouched else ""
    detail: Detail = {
        "outcome": str(found.outcome),
        "reason": found.reason,
        "by": "reconcile",
        "unsent": found.unsent,
    }
    ground.journal.append(draft(ground.run_id, action, Event.RESOLVED, detail))
    settled.sentences.append(f"{name}: {found.reason}{warning}")
    if found.outcome is Resolution.CONTINUE:
        settled.unfinished[action.id] = calls_made(course.entries)


def _find(ground: Ground, course: Course, action: Action) -> _Finding:
    """Look until nothing goes on there any more, twice the same, or until patience ends."""
    if action.endpoint not in ground.actuators:
        return _Finding(None, f"{action.endpoint} takes no part in this run")
    until = ground.clock.now() + ground.patience.drain
    alike = 0
    while True:
        found = _look(ground, course, action)
        alike = alike + 1 if found is not None else 0
        if found is not None and (alike >= _LOOKS or not found.is_absence):
            return found
        if ground.clock.now() >= until or ground.stops():
            return found or _Finding(None, "something still goes on with the machine")
        ground.clock.sleep(ground.patience.look_again.total_seconds())


def _look(ground: Ground, course: Course, action: Action) -> _Finding | None:
    """What one reading says; None: something goes on there that is not ours to complete."""
    actuator = ground.actuators[action.endpoint]
    try:
        inventory = actuator.observe(action.vm_id)
        reason = not_whole(inventory, is_named=action.endpoint in ground.named)
        if reason is not None:
            return _Finding(None, reason)
        made = calls_made(course.entries)
        if made and actuator.watch(made[-1], _task_id(course)).phase is Phase.RUNNING:
            return None
        before = footing_of(course.entries)
        seen = look(action, _expected(ground, course, action), before, inventory)
        call = actuator.next_call(action, inventory, made) if seen.vm is not None else None
        has_gone_on = call is not None and call.follows
        is_due_again = not has_gone_on and _is_due_again(actuator, action, seen, made)
    except HypervisorError as error:
        return _Finding(None, str(error))
    return _verdict(ground, course, seen, call, is_due_again=is_due_again)


def _task_id(course: Course) -> str | None:
    """What the platform called the last call; None where its answer never came."""
    calls = (e for e in reversed(course.entries) if e.event in (Event.INTENT, Event.SUBMITTED))
    return next((entry.task_id for entry in calls), None)


def _is_due_again(actuator: Actuator, action: Action, seen: Seen, made: list[Call]) -> bool:
    """Whether the last of several calls came to nothing: without it, it would be the next one."""
    if len(made) < 2 or seen.vm is None:
        return False
    due = actuator.next_call(action, seen.inventory, made[:-1])
    shows = seen.compared.standing is Standing.PARTIAL or (due is not None and due.follows)
    return shows and due == made[-1]


def _expected(ground: Ground, course: Course, action: Action) -> Expectation:
    entries = ground.journal.of_plan(course.plan_id)
    found = {key: ground.action_of(course.plan_id, key) for key in {e.action_id for e in entries}}
    actions = {key: one for key, one in found.items() if one is not None}
    return after(action.expects, done_before(action, entries, actions))


def _verdict(
    ground: Ground, course: Course, seen: Seen, call: Call | None, *, is_due_again: bool
) -> _Finding | None:
    completes = call is not None and call.completes
    if seen.is_busy and not completes:
        return None
    if seen.is_done and call is None:
        return _Finding(Resolution.DONE, "it was carried out")
    if is_due_again or (
        call is not None
        and (completes or call.follows or seen.compared.standing is not Standing.MATCH)
    ):
        if seen.compared.standing is Standing.CHANGED:
            return _Finding(None, "; ".join(seen.compared.differences))
        if course.plan_id != ground.plan.id:
            again = f"apply plan {course.plan_id} again, or finish by hand what has expired"
            return _Finding(None, f"half of it is done: {again}")
        reason = "half of it is done; it goes on"
        return _Finding(Resolution.CONTINUE, reason, unsent=int(is_due_again))
    if seen.is_untouched:
        return _Finding(Resolution.NO_EFFECT, "; ".join(("nothing had come of it", *seen.alarms)))
    return _Finding(None, description(seen))
