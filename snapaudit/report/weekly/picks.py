"""Picks: which rows of the weekly report are shown where, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from snapaudit.model.finding import Finding, Subject
from snapaudit.model.history import Change
from snapaudit.model.inventory import CoverageState, Snapshot
from snapaudit.model.policy import SubjectKind
from snapaudit.model.weekly import Allowance, ListedSnapshot, OwnerPart, Standing, WeeklyReport
from snapaudit.report.limbs import Limb, limbs

_NEVER = datetime.max.replace(tzinfo=UTC)
_SHOWN_ELSEWHERE = frozenset((SubjectKind.SNAPSHOT, SubjectKind.DATASTORE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The snapshots of one machine with the picture of how they descend from one another."""

    rows: tuple[tuple[Limb, ListedSnapshot], ...]

    @property
    def first(self) -> ListedSnapshot:
        """One of them, for what they all share."""
        return self.rows[0][1]

    @property
    def lanes(self) -> int:
        """How wide the picture is."""
        return max(limb.lanes for limb, _ in self.rows)


def largest(report: WeeklyReport, most: int) -> tuple[ListedSnapshot, ...]:
    """The top offenders: snapshots with a finding by their bytes, then by their age."""
    found = [one for one in report.snapshots if one.severity is not None]
    return tuple(sorted(found, key=_by_bytes)[:most])


def _by_bytes(one: ListedSnapshot) -> tuple[int, datetime, str, str, str]:
    size = one.snapshot.size_bytes
    return (-1 if size is None else -size, *_by_age(one))


def _by_age(one: ListedSnapshot) -> tuple[datetime, str, str, str]:
    taken = one.snapshot.created_at or _NEVER
    return (taken, one.home.endpoint, one.home.vm_name, one.snapshot.id)


def oldest(report: WeeklyReport, most: int) -> tuple[ListedSnapshot, ...]:
    """Snapshots with a finding, the oldest first; those of unknown age are not among them."""
    found = [one for one in report.snapshots if one.severity and one.snapshot.created_at]
    return tuple(sorted(found, key=_by_age)[:most])


def chains(report: WeeklyReport, most: int) -> tuple[Chain, ...]:
    """The machines with the most snapshots, two or more, and something found about one of them."""
    machines: dict[tuple[str, str], list[ListedSnapshot]] = {}
    for one in report.snapshots:
        machines.setdefault((one.home.endpoint, one.home.vm_id), []).append(one)
    found = [many for many in machines.values() if len(many) > 1 and any(x.severity for x in many)]
    found.sort(key=lambda many: (-len(many), many[0].home.endpoint, many[0].home.vm_name))
    return tuple(_chain(many) for many in found[:most])


def _chain(many: Iterable[ListedSnapshot]) -> Chain:
    by_id = {one.snapshot.id: one for one in many}
    shots: list[Snapshot] = [one.snapshot for one in by_id.values()]
    return Chain(rows=tuple((limb, by_id[limb.snapshot.id]) for limb in limbs(shots)))


def most_changed(found: tuple[Change, ...]) -> tuple[Change, ...]:
    """By how many bytes came or went; what has no size keeps its order, last."""
    return tuple(
        sorted(found, key=lambda one: -abs((one.size_bytes or 0) - (one.previous_size_bytes or 0)))
    )


def suspects(report: WeeklyReport) -> tuple[ListedSnapshot, ...]:
    """Snapshots that stand in for a backup by their looks, the surest first."""
    found = [one for one in report.snapshots if one.purpose == "makeshift_backup"]
    return tuple(sorted(found, key=_by_score))


def suspect_machines(report: WeeklyReport) -> tuple[tuple[ListedSnapshot, ...], ...]:
    """The suspects machine by machine: the surest machine first, and the surest of each."""
    machines: dict[tuple[str, str], list[ListedSnapshot]] = {}
    for one in suspects(report):
        machines.setdefault((one.home.endpoint, one.home.vm_id), []).append(one)
    return tuple(map(tuple, machines.values()))


def _by_score(one: ListedSnapshot) -> tuple[int, datetime, str, str, str]:
    return (-(one.score or 0), *_by_age(one))


def due(report: WeeklyReport) -> tuple[ListedSnapshot, ...]:
    """What was announced and may be deleted, the earliest first."""
    found = [one for one in report.snapshots if one.due_at is not None]
    return tuple(sorted(found, key=lambda one: (one.due_at or _NEVER, *_by_age(one))))


def beside(report: WeeklyReport) -> tuple[tuple[Subject, tuple[Finding, ...]], ...]:
    """Machines, files and endpoints with what was found about each, in the order of the worst."""
    found: dict[Subject, list[Finding]] = {}
    for one in report.check.findings:
        if one.subject.kind not in _SHOWN_ELSEWHERE and one.exemption is None:
            found.setdefault(one.subject, []).append(one)
    worst_first = sorted(found.items(), key=lambda pair: -pair[1][0].severity.rank)
    return tuple((subject, tuple(many)) for subject, many in worst_first)


def attention(report: WeeklyReport) -> tuple[Allowance, ...]:
    """Exemptions and holds, those first that somebody has to look at."""
    order = (Standing.EXPIRED, Standing.ENDING, Standing.UNUSED, Standing.ACTIVE)
    return tuple(
        sorted(report.allowances, key=lambda one: (order.index(one.standing), one.kind, one.id))
    )


def of_owner(report: WeeklyReport, part: OwnerPart) -> tuple[ListedSnapshot, ...]:
    """The snapshots of one owner, most bytes first."""
    name = part.owner.casefold() if part.owner is not None else None
    found = [one for one in report.snapshots if _folded(one) == name]
    return tuple(sorted(found, key=_by_bytes))


def _folded(one: ListedSnapshot) -> str | None:
    return one.owner.name.casefold() if one.owner.name is not None else None


def absent(report: WeeklyReport) -> tuple[str, ...]:
    """The endpoints that the numbers do not, or not wholly, count."""
    return tuple(
        one.endpoint for one in report.check.coverage if one.state is not CoverageState.COMPLETE
    )
