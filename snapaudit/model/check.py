"""Check: an audit boiled down to the one word that monitoring asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from snapaudit.model.finding import Audit, EndpointCoverage, Finding
from snapaudit.model.inventory import CoverageState
from snapaudit.model.policy import Severity

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One number held against the most it may be; ``value`` None: it could not be counted."""

    name: str
    value: int | None
    limit: int
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One verdict with everything it rests on."""

    schema: str = CHECK_SCHEMA
    status: Status
    exit_code: int
    counts: Counts
    coverage: tuple[EndpointCoverage, ...]
    findings: tuple[Finding, ...]
    budgets: tuple[Budget, ...] = ()


def is_whole_view(coverage: Iterable[EndpointCoverage]) -> bool:
    """Whether every endpoint was seen completely, and at least one machine was seen at all."""
    seen = tuple(coverage)
    all_complete = all(one.state is CoverageState.COMPLETE for one in seen)
    return all_complete and any(one.virtual_machines for one in seen)


def verdict(
    audit: Audit, *, fail_on: Severity = Severity.WARNING, budgets: tuple[Budget, ...] = ()
) -> Check:
    """The status of an audit: critical outranks unknown outranks warning outranks ok.

    Findings below ``fail_on`` and exempted ones do not change the status. No endpoint, an
    endpoint that was not seen completely, or no machine anywhere is unknown: no data is not fine.
    """
    standing = tuple(finding for finding in audit.findings if finding.exemption is None)
    said = [Status.OK if is_whole_view(audit.coverage) else Status.UNKNOWN]
    said += [_status(one.severity) for one in standing if one.severity.rank >= fail_on.rank]
    said += [budget.status for budget in budgets]
    status = max(said, key=lambda one: one.rank)
    return Check(
        status=status,
        exit_code=status.exit_code,
        counts=_counts(standing),
        coverage=audit.coverage,
        findings=audit.findings,
        budgets=budgets,
    )


def _status(severity: Severity) -> Status:
    return Status.CRITICAL if severity is Severity.CRITICAL else Status.WARNING


def _counts(findings: tuple[Finding, ...]) -> Counts:
    severities = [finding.severity for finding in findings]
    return Counts(
        info=severities.count(Severity.INFO),
        warning=severities.count(Severity.WARNING),
        critical=severities.count(Severity.CRITICAL),
    )
