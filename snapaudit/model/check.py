"""Check: an audit boiled down to the one word that monitoring asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from snapaudit.model.finding import Audit, EndpointCoverage, Finding
from snapaudit.model.inventory import CoverageState
from snapaudit.model.past import DatastoreKey, Forecast
from snapaudit.model.policy import Rule, Severity

CHECK_SCHEMA = "snapaudit/check@1"


class Status(StrEnum):
    """The verdict, in the order of the exit codes that monitoring systems agreed on."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> int:
        """0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
        return tuple(Status).index(self)

    @property
    def rank(self) -> int:
        """How it outranks the others: critical over unknown over warning over ok."""
        return (Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Findings per severity, without those that an exemption accepts."""

    info: int
    warning: int
    critical: int


class BudgetBound(StrEnum):
    """On which side of its limit a number has to stay."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One number held against its limit.

    ``value`` None: it could not be counted, or it lies beyond what can be said; ``reason`` says
    which. ``beyond`` is what the status becomes past the limit. ``unit`` is ``findings``,
    ``snapshots``, ``bytes``, ``days`` or ``share`` (from 0 to 1).
    """

    name: str
    value: float | None
    limit: float
    status: Status
    beyond: Status = Status.WARNING
    bound: BudgetBound = BudgetBound.AT_MOST
    unit: str = "findings"
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The findings held against an earlier state, by their fingerprints.

    ``new`` were not there, ``worse`` rose in severity or grew, ``resolved`` are gone; ``known``
    counts the others. ``since`` names what was compared with.
    """

    since: str
    new: tuple[str, ...]
    worse: tuple[str, ...]
    resolved: tuple[str, ...]
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One verdict with everything it rests on.

    ``unseen`` are things that were asked for by name and not seen, each with its reason.
    """

    schema: str = CHECK_SCHEMA
    status: Status
    exit_code: int
    counts: Counts
    coverage: tuple[EndpointCoverage, ...]
    findings: tuple[Finding, ...]
    budgets: tuple[Budget, ...] = ()
    undetermined: int = 0
    unseen: tuple[str, ...] = ()
    compared: Compared | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A verdict beside the audit and the rules that it came from: what its formats need.

    ``audit`` holds what was selected alone. ``counting`` are the fingerprints of the findings that
    had a say in the status. ``datastores_chosen``: datastores were asked for by name.
    ``per_snapshot``: metrics of single snapshots are wanted.
    """

    check: Check
    audit: Audit
    rules: tuple[Rule, ...] = ()
    counting: frozenset[str] = frozenset()
    forecasts: Mapping[DatastoreKey, Forecast] = field(default_factory=dict)
    datastores_chosen: bool = False
    per_snapshot: bool = False


def is_whole_view(coverage: Iterable[EndpointCoverage]) -> bool:
    """Whether every endpoint was seen completely, and at least one machine was seen at all."""
    seen = tuple(coverage)
    all_complete = all(one.state is CoverageState.COMPLETE for one in seen)
    return all_complete and any(one.virtual_machines for one in seen)


def counting(
    findings: Iterable[Finding],
    *,
    fail_on: Severity | None = Severity.WARNING,
    budgeted: frozenset[Severity] = frozenset(),
    compared: Compared | None = None,
) -> Iterator[Finding]:
    """The findings that have a say in the status.

    Not those that are exempt, below ``fail_on`` (None: none counts), or of a severity that a budget
    speaks for; nor, where they were compared, those that were there before and are no worse.
    """
    risen = None if compared is None else {*compared.new, *compared.worse}
    for one in findings:
        is_bad = fail_on is not None and one.severity.rank >= fail_on.rank
        is_free = one.exemption is not None or one.severity in budgeted
        if is_bad and not is_free and (risen is None or one.fingerprint in risen):
            yield one


def verdict(
    audit: Audit,
    *,
    fail_on: Severity | None = Severity.WARNING,
    budgets: tuple[Budget, ...] = (),
    budgeted: frozenset[Severity] = frozenset(),
    unseen: tuple[str, ...] = (),
    compared: Compared | None = None,
    only_risen: bool = False,
) -> Check:
    """The status of an audit: critical outranks unknown outranks warning outranks ok.

    What counts says `counting`; ``only_risen``: only what is new or worse than ``compared`` does.
    No endpoint, one that was not seen completely, no machine anywhere, or something ``unseen`` that
    was asked for is unknown: no data is not fine.
    """
    held_against = compared if only_risen else None
    said = [Status.OK if is_whole_view(audit.coverage) and not unseen else Status.UNKNOWN]
    said += {
        _status(one.severity)
        for one in counting(
            audit.findings, fail_on=fail_on, budgeted=budgeted, compared=held_against
        )
    }
    said += [budget.status for budget in budgets]
    status = max(said, key=lambda one: one.rank)
    return Check(
        status=status,
        exit_code=status.exit_code,
        counts=_counts(audit.findings),
        coverage=audit.coverage,
        findings=audit.findings,
        budgets=budgets,
        undetermined=len(audit.undetermined),
        unseen=unseen,
        compared=compared,
    )


def part_of(
    coverage: tuple[EndpointCoverage, ...], findings: tuple[Finding, ...], undetermined: int
) -> Check:
    """The verdict over a part of what was found, on the coverage that concerns it."""
    said = [Status.OK if is_whole_view(coverage) else Status.UNKNOWN]
    said += {_status(one.severity) for one in counting(findings)}
    status = max(said, key=lambda one: one.rank)
    return Check(
        status=status,
        exit_code=status.exit_code,
        counts=_counts(findings),
        coverage=coverage,
        findings=findings,
        undetermined=undetermined,
    )


def _status(severity: Severity) -> Status:
    return Status.CRITICAL if severity is Severity.CRITICAL else Status.WARNING


def _counts(findings: tuple[Finding, ...]) -> Counts:
    severities = [finding.severity for finding in findings if finding.exemption is None]
    return Counts(
        info=severities.count(Severity.INFO),
        warning=severities.count(Severity.WARNING),
        critical=severities.count(Severity.CRITICAL),
    )
