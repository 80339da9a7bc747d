"""Rows: findings and undetermined folded to what a person reads as one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from snapaudit.model.finding import Finding, Subject, Undetermined
from snapaudit.model.inventory import ByteRange
from snapaudit.model.policy import Remedy, Severity, SubjectKind
from snapaudit.report.lookup import Lookup
from snapaudit.report.phrases import announcement, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One subject with all that was found about it, the worst first and what is accepted last.

    ``severity`` is the worst that nobody accepted; where all is accepted, the worst of all.
    ``gain`` is what its removal alone gives back, ``protections`` say why it must stay.
    What is protected or accepted bears no mark: its day never comes.
    """

    severity: Severity
    subject: Subject
    findings: tuple[Finding, ...]
    gain: ByteRange | None
    protections: tuple[str, ...]

    @property
    def is_accepted(self) -> bool:
        """Whether nothing is left that nobody accepted."""
        return all(one.exemption for one in self.findings)

    @property
    def exemptions(self) -> tuple[str, ...]:
        """The rules whose findings somebody accepted, with the reason, each reason once."""
        rules: dict[str, list[str]] = {}
        for one in self.findings:
            if one.exemption is not None:
                rules.setdefault(one.exemption, []).append(one.rule)
        return tuple(f"{', '.join(names)}: {reason}" for reason, names in rules.items())

    def marks(self, now: datetime) -> tuple[str, ...]:
        """``may be deleted from 2026-12-01``, once for each remedy that was announced."""
        first: dict[Remedy, Finding] = {}
        is_snapshot = self.subject.kind is SubjectKind.SNAPSHOT
        is_kept = self.protections or (is_snapshot and self.exemptions)
        for one in () if is_kept else self.findings:
            if one.due_at and one.remedy and one.exemption is None:
                found = first.setdefault(one.remedy, one)
                first[one.remedy] = min(found, one, key=lambda each: each.due_at or now)
        return tuple(announcement(one, now) for _, one in sorted(first.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One rule that could not be decided for one reason, with all subjects it concerns."""

    rule: str
    fact: str
    reason: str
    subjects: tuple[Subject, ...]


def fold(findings: Iterable[Finding], lookup: Lookup) -> tuple[Row, ...]:
    """One row a subject: exempt ones last, the most severe first, then what gives most back."""
    by_subject: dict[Subject, list[Finding]] = {}
    for finding in findings:
        by_subject.setdefault(finding.subject, []).append(finding)
    rows = (_row(subject, found, lookup) for subject, found in by_subject.items())
    return tuple(sorted(rows, key=_order))


def _row(subject: Subject, found: list[Finding], lookup: Lookup) -> Row:
    ordered = tuple(
        sorted(found, key=lambda one: (bool(one.exemption), -one.severity.rank, one.rule))
    )
    return Row(
        severity=ordered[0].severity,
        subject=subject,
        findings=ordered,
        gain=lookup.gain(subject),
        protections=lookup.protections(subject),
    )


def _order(row: Row) -> tuple[bool, int, int, tuple[str, ...]]:
    gain = row.gain
    most = 0 if gain is None else gain.min if gain.max is None else gain.max
    subject = row.subject
    names = (subject.endpoint, subject.vm_name or "", subject.name, subject.vm_id or "", subject.id)
    return (row.is_accepted, -row.severity.rank, -most, (*names, subject.kind))


def fold_questions(undetermined: Iterable[Undetermined]) -> tuple[Question, ...]:
    """One question a rule, fact and reason; the one that concerns most subjects first."""
    groups: dict[tuple[str, str, str], list[Subject]] = {}
    for one in undetermined:
        groups.setdefault((one.rule, one.fact, one.reason), []).append(one.subject)
    questions = (
        Question(rule=rule, fact=fact, reason=reason, subjects=tuple(subjects))
        for (rule, fact, reason), subjects in groups.items()
    )
    return tuple(sorted(questions, key=lambda q: (-len(q.subjects), q.rule, q.fact, q.reason)))


def subject_name(subject: Subject) -> str:
    """``web01 / before-upgrade`` for what belongs to a machine, else the name alone."""
    if subject.vm_name is None or subject.kind is SubjectKind.VIRTUAL_MACHINE:
        return subject.name
    return f"{subject.vm_name} / {subject.name}"


def subject_place(subject: Subject) -> str:
    """``snapshot on kvm1``: what it is and where; an exemption is on no endpoint."""
    place = f" on {subject.endpoint}" if subject.endpoint else ""
    return f"{words(subject.kind)}{place}"


def placed_name(subject: Subject) -> str:
    """``kvm1: web01 / before-upgrade``, or ``exemption EX-1``."""
    name = subject_name(subject)
    return f"{subject.endpoint}: {name}" if subject.endpoint else f"{words(subject.kind)} {name}"
