"""A report narrowed to what one owner has, so that he reads about his machines and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from snapaudit.app.weekly.parts import owner_parts, total
from snapaudit.config.mail import owner_key
from snapaudit.model.check import Check, part_of
from snapaudit.model.finding import EndpointCoverage, Finding, Subject, Undetermined
from snapaudit.model.history import Change, Diff
from snapaudit.model.inventory import CoverageState
from snapaudit.model.policy import SubjectKind
from snapaudit.model.weekly import KeyName, KeyNumber, ListedSnapshot, WeeklyReport

_Machine = tuple[str, str]
_Judged = TypeVar("_Judged", Finding, Undetermined)


@dataclass(frozen=True, slots=True)
class _Mine:
    """The keys of an owner's snapshots, and of the machines that they belong to."""

    snapshots: frozenset[tuple[str, str, str]]
    machines: frozenset[_Machine]
    names: frozenset[tuple[str, str]]
    endpoints: frozenset[str]

    def holds(self, subject: Subject) -> bool:
        """Whether it is one of his snapshots, or about a machine that has one of his.

        Another's snapshot on the same machine is not his; one that is gone has no owner any more.
        """
        if subject.kind is SubjectKind.SNAPSHOT:
            return (subject.endpoint, subject.vm_id or "", subject.id) in self.snapshots
        return subject.vm_id is not None and self.on_his_machine(subject)

    def those(self, many: dict[_Machine, list[_Judged]]) -> tuple[_Judged, ...]:
        """What of it is his, by endpoint and machine."""
        of_his = (one for machine in sorted(self.machines) for one in many.get(machine, ()))
        return tuple(one for one in of_his if self.holds(one.subject))

    def on_his_machine(self, subject: Subject) -> bool:
        """Whether it is, or was, on a machine that has one of his snapshots."""
        return (subject.endpoint, subject.vm_id or "") in self.machines


class Shares:
    """A report laid out by owner and by machine, so that many parts are cut without many looks."""

    def __init__(self, report: WeeklyReport) -> None:
        self._report = report
        self._snapshots: dict[str, list[ListedSnapshot]] = {}
        for one in report.snapshots:
            self._snapshots.setdefault(owner_key(one.owner.name or ""), []).append(one)
        self._findings = _by_machine(report.check.findings)
        self._undetermined = _by_machine(report.undetermined)

    def of(self, names: Iterable[str]) -> WeeklyReport:
        """What concerns the owner of these names: own snapshots, their machines, own exemptions.

        Coverage stays for the endpoints that he is on and for all that were not seen wholly: he may
        have more there. Numbers of earlier weeks are nobody's in particular and are left out.
        """
        report, keys = self._report, frozenset(filter(None, map(owner_key, names)))
        own = tuple(one for key in sorted(keys) for one in self._snapshots.get(key, ()))
        mine = _mine(own)
        undetermined = mine.those(self._undetermined)
        coverage = tuple(one for one in report.check.coverage if _concerns(one, mine))
        check = part_of(coverage, mine.those(self._findings), len(undetermined))
        back = total(one.snapshot.reclaimable_bytes for one in own if one.is_offered)
        return replace(
            report,
            check=check,
            virtual_machines=len(mine.machines),
            unknown_sizes=sum(one.snapshot.size_bytes is None for one in own),
            back=back,
            numbers=_numbers(check, own, back.min),
            changes=None if report.changes is None else _changes(report.changes, mine),
            stores=(),
            snapshots=own,
            owners=owner_parts(own),
            deeds=tuple(one for one in report.deeds if (one.endpoint, one.vm_name) in mine.names),
            allowances=tuple(one for one in report.allowances if owner_key(one.owner) in keys),
            undetermined=undetermined,
            unseen=(),
        )


def narrowed(report: WeeklyReport, names: Iterable[str]) -> WeeklyReport:
    """The part of one owner, as `Shares.of`."""
    return Shares(report).of(names)


def _by_machine(many: Iterable[_Judged]) -> dict[_Machine, list[_Judged]]:
    found: dict[_Machine, list[_Judged]] = {}
    for one in many:
        found.setdefault((one.subject.endpoint, one.subject.vm_id or ""), []).append(one)
    return found


def _mine(own: tuple[ListedSnapshot, ...]) -> _Mine:
    homes = [one.home for one in own]
    return _Mine(
        snapshots=frozenset((one.home.endpoint, one.home.vm_id, one.snapshot.id) for one in own),
        machines=frozenset((home.endpoint, home.vm_id) for home in homes),
        names=frozenset((home.endpoint, home.vm_name) for home in homes),
        endpoints=frozenset(home.endpoint for home in homes),
    )


def _concerns(one: EndpointCoverage, mine: _Mine) -> bool:
    return one.endpoint in mine.endpoints or one.state is not CoverageState.COMPLETE


def _numbers(check: Check, own: tuple[ListedSnapshot, ...], back: int) -> tuple[KeyNumber, ...]:
    values = {
        KeyName.CRITICAL: check.counts.critical,
        KeyName.WARNING: check.counts.warning,
        KeyName.SNAPSHOTS: len(own),
        KeyName.HELD: sum(one.snapshot.size_bytes or 0 for one in own),
        KeyName.RECLAIMABLE: back,
    }
    return tuple(
        KeyNumber(name=name, value=value, previous=None, samples=())
        for name, value in values.items()
    )


def _changes(diff: Diff, mine: _Mine) -> Diff:
    return replace(
        diff,
        new=_those(diff.new, mine.holds),
        resolved=_those(diff.resolved, mine.on_his_machine),
        grown=_those(diff.grown, mine.holds),
        back=_those(diff.back, mine.holds),
        worse=_those(diff.worse, mine.holds),
        unseen=tuple(one for one in diff.unseen if one.endpoint in mine.endpoints),
    )


def _those(many: tuple[Change, ...], wanted: Callable[[Subject], bool]) -> tuple[Change, ...]:
    return tuple(one for one in many if wanted(one.subject))
