"""Foresee: what a plan made now would do with one subject, and why."""

from __future__ import annotations

from datetime import datetime

from snapaudit.app.explaining import machine_of, snapshot_of
from snapaudit.config.settings import Settings
from snapaudit.enforce.holds import read_holds
from snapaudit.enforce.state import State
from snapaudit.model.explanation import Enforcement, Verdict
from snapaudit.model.finding import Audit, Subject
from snapaudit.model.plan import Plan
from snapaudit.model.policy import SubjectKind


def held(audit: Audit, settings: Settings, subject: Subject, now: datetime) -> tuple[str, ...]:
    """Who wants the subject to stay, each in a sentence: in the state folder or on the platform."""
    seen = machine_of(audit, subject)
    if seen is None or subject.kind not in (SubjectKind.SNAPSHOT, SubjectKind.VIRTUAL_MACHINE):
        return ()
    holds = read_holds(State(settings.state))
    snapshot = snapshot_of(audit, subject)
    return tuple(holds.reasons(subject.endpoint, seen[0], snapshot, now))


def foresee(made: Plan, subject: Subject) -> Enforcement | None:
    """The plan's word on a snapshot, or on a machine's chains; None: it says nothing of it."""
    if subject.kind not in (SubjectKind.SNAPSHOT, SubjectKind.VIRTUAL_MACHINE):
        return None
    snapshot_id = subject.id if subject.kind is SubjectKind.SNAPSHOT else None
    place = (subject.endpoint, subject.vm_id, snapshot_id)
    for action in made.actions:
        if (action.endpoint, action.vm_id, action.snapshot_id) == place:
            over = tuple(one.reason for one in made.excess)
            return Enforcement(
                verdict=Verdict.PLANNED, guard=None, reasons=action.because, over_limit=over
            )
    for refusal in made.refusals:
        if (refusal.endpoint, refusal.vm_id, refusal.snapshot_id) == place:
            guard, reason = refusal.guard, refusal.reason
            return Enforcement(verdict=Verdict.REFUSED, guard=guard, reasons=(reason,))
    for kept in made.kept:
        if (kept.endpoint, kept.vm_id, kept.snapshot_id) == place:
            return Enforcement(verdict=Verdict.KEPT, guard=None, reasons=(kept.reason,))
    return None
