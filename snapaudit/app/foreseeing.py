"""Foresee: what a plan made now would do with one subject, and why."""

from __future__ import annotations

from snapaudit.model.explanation import Enforcement, Verdict
from snapaudit.model.finding import Subject
from snapaudit.model.plan import Plan
from snapaudit.model.policy import SubjectKind


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
