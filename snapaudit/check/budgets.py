"""Budgets: one function for each number that a site may limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from snapaudit.errors import UsageError
from snapaudit.model.budget import Allowance, BudgetKind
from snapaudit.model.check import Budget, BudgetBound, Compared, Status
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import CoverageState
from snapaudit.model.past import DatastoreKey, Forecast, Trend
from snapaudit.model.policy import Rule

# A snapshot that one of these rules finds has outlived its purpose by its age alone.
STALE_RULES = ("stale-snapshot", "ancient-snapshot")
_NEWS = "--baseline FILE, or a run that `snapaudit audit` recorded"
_ENDLESS = (Trend.FLAT, Trend.SHRINKING, Trend.BEYOND_A_YEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What budgets are counted from: the chosen part of an audit, and what was before."""

    audit: Audit
    rules: tuple[Rule, ...]
    compared: Compared | None = None
    forecasts: Mapping[DatastoreKey, Forecast]


def hold_against(allowances: Iterable[Allowance], measured: Measured) -> tuple[Budget, ...]:
    """Every allowance as a budget, in their order. Raises UsageError for what cannot be counted."""
    return tuple(_sure(_COUNTED[one.kind](one, measured), one, measured) for one in allowances)


def _sure(counted: Budget, allowance: Allowance, measured: Measured) -> Budget:
    """The budget, which is not kept for sure where something was not seen that may count."""
    blind = None if allowance.kind is BudgetKind.COVERAGE else _blind(measured)
    if blind is None or counted.status is not Status.OK:
        return counted
    return replace(counted, status=Status.UNKNOWN, reason=blind)


def _blind(measured: Measured) -> str | None:
    """Why there could be more than what was counted, whatever it is."""
    states = [one.state for one in measured.audit.coverage]
    blind = len(states) - states.count(CoverageState.COMPLETE)
    return f"{blind} of {len(states)} endpoints not seen whole" if blind or not states else None


def _budget(
    allowance: Allowance,
    name: str,
    unit: str,
    value: float | None,
    *,
    beyond: bool,
    unsure: str | None = None,
    note: str | None = None,
) -> Budget:
    """``unsure`` is why the number could be worse than what was counted: then it is not OK."""
    within = Status.OK if unsure is None else Status.UNKNOWN
    is_least = allowance.kind in (BudgetKind.DAYS_TO_FULL, BudgetKind.COVERAGE)
    return Budget(
        name=name,
        value=value,
        limit=allowance.limit,
        status=allowance.beyond if beyond else within,
        beyond=allowance.beyond,
        bound=BudgetBound.AT_LEAST if is_least else BudgetBound.AT_MOST,
        unit=unit,
        reason=unsure or note,
    )


def _findings(allowance: Allowance, measured: Measured) -> Budget:
    standing = [one for one in measured.audit.findings if one.exemption is None]
    count = sum(one.severity is allowance.of for one in standing)
    name = f"{allowance.of} findings"
    return _budget(allowance, name, "findings", count, beyond=count > allowance.limit)


def _stale(allowance: Allowance, measured: Measured) -> Budget:
    if not any(rule.id in STALE_RULES for rule in measured.rules):
        rules = " or ".join(STALE_RULES)
        raise UsageError(f"{allowance.kind} needs the rule {rules}, and neither is in force here")
    old = {
        one.subject
        for one in measured.audit.findings
        if one.rule in STALE_RULES and one.exemption is None
    }
    asked = {one.subject for one in measured.audit.undetermined if one.rule in STALE_RULES} - old
    many = len(old) + len(asked) > allowance.limit
    unsure = f"for {len(asked)} more nobody can tell" if many else None
    beyond = len(old) > allowance.limit
    return _budget(
        allowance, "stale snapshots", "snapshots", len(old), beyond=beyond, unsure=unsure
    )


def _bytes(allowance: Allowance, measured: Measured) -> Budget:
    summary = measured.audit.summary
    unknown = summary.unknown_sizes
    unsure = f"{unknown} more of unknown size" if unknown else None
    beyond = summary.snapshot_bytes > allowance.limit
    value = summary.snapshot_bytes
    return _budget(allowance, "snapshot bytes", "bytes", value, beyond=beyond, unsure=unsure)


def _new(allowance: Allowance, measured: Measured) -> Budget:
    if measured.compared is None:
        raise UsageError(f"{allowance.kind} needs something to compare with: {_NEWS}")
    count = len(measured.compared.new)
    note = f"since {measured.compared.since}"
    return _budget(
        allowance, "new findings", "findings", count, beyond=count > allowance.limit, note=note
    )


def _days(allowance: Allowance, measured: Measured) -> Budget:
    """The earliest end of all ranges: the date that a person has to be ready for."""
    keys = [(seen.endpoint, s.id) for seen in measured.audit.inventories for s in seen.datastores]
    known = [measured.forecasts.get(key) for key in keys]
    days = [one.days_to_full.early for one in known if one is not None and one.days_to_full]
    value = min(days, default=None)
    vague = sum(
        one is None or (one.days_to_full is None and one.trend not in _ENDLESS) for one in known
    )
    unsure = f"too little history of {vague} of {len(keys)} datastores" if vague else None
    if not keys:
        unsure = "no datastore was seen"
    beyond = value is not None and value < allowance.limit
    note = "no datastore is filling" if value is None else None
    return _budget(
        allowance, "days to full", "days", value, beyond=beyond, unsure=unsure, note=note
    )


def _coverage(allowance: Allowance, measured: Measured) -> Budget:
    states = [one.state for one in measured.audit.coverage]
    share = states.count(CoverageState.COMPLETE) / len(states) if states else 0.0
    note = f"{states.count(CoverageState.COMPLETE)} of {len(states)} endpoints complete"
    return _budget(allowance, "coverage", "share", share, beyond=share < allowance.limit, note=note)


_COUNTED: Mapping[BudgetKind, Callable[[Allowance, Measured], Budget]] = {
    BudgetKind.FINDINGS: _findings,
    BudgetKind.STALE: _stale,
    BudgetKind.BYTES: _bytes,
    BudgetKind.NEW: _new,
    BudgetKind.DAYS_TO_FULL: _days,
    BudgetKind.COVERAGE: _coverage,
}
