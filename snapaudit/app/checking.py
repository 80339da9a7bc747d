"""Check: one verdict on an audit, held against budgets and an earlier state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from snapaudit import __version__
from snapaudit.app.history import exists, open_history
from snapaudit.check.baseline import (
    baseline_of,
    compare,
    document,
    read_baseline,
    refuse_unfit,
)
from snapaudit.check.budgets import Measured, hold_against
from snapaudit.check.selection import Selected, Selection, select
from snapaudit.config.settings import Settings
from snapaudit.errors import UsageError
from snapaudit.model.baseline import Baseline
from snapaudit.model.budget import GROWTH_TOLERANCE, Allowance, BudgetKind
from snapaudit.model.check import Checked, Compared, counting, verdict
from snapaudit.model.finding import Audit
from snapaudit.model.past import DatastoreKey, Forecast
from snapaudit.model.policy import Policy, Severity
from snapaudit.rules.digest import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a check.

    ``fail_on`` None: no finding has a say. ``previous`` holds an audit against the last run that
    was recorded before it, where there is no baseline; it answers None where there is no run.
    """

    selection: Selection = field(default_factory=Selection)
    fail_on: Severity | None = Severity.WARNING
    allowances: tuple[Allowance, ...] = ()
    baseline: Path | None = None
    fail_on_new: bool = False
    tolerance: float = GROWTH_TOLERANCE
    per_snapshot: bool = False
    forecasts: Mapping[DatastoreKey, Forecast] = field(default_factory=dict)
    previous: Callable[[Audit], Compared | None] = lambda _audit: None


def check(audit: Audit, policy: Policy, wanted: Wanted) -> Checked:
    """The verdict on the chosen part. Raises UsageError and InputError for what cannot be held."""
    chosen = select(audit, policy, wanted.selection)
    compared = _compared(chosen, policy, wanted)
    if wanted.fail_on_new and compared is None:
        raise UsageError(
            "--fail-on-new needs something to compare with: --baseline FILE, or an "
            "earlier run that `snapaudit audit` recorded"
        )
    measured = Measured(
        audit=chosen.audit, rules=chosen.rules, compared=compared, forecasts=wanted.forecasts
    )
    budgeted = frozenset(
        one.of for one in wanted.allowances if one.kind is BudgetKind.FINDINGS and one.of
    )
    only = compared if wanted.fail_on_new else None
    standing = counting(
        chosen.audit.findings, fail_on=wanted.fail_on, budgeted=budgeted, compared=only
    )
    return Checked(
        check=verdict(
            chosen.audit,
            fail_on=wanted.fail_on,
            budgets=hold_against(wanted.allowances, measured),
            budgeted=budgeted,
            unseen=chosen.unseen,
            compared=compared,
            only_risen=wanted.fail_on_new,
        ),
        audit=chosen.audit,
        rules=chosen.rules,
        counting=frozenset(one.fingerprint for one in standing),
        forecasts=wanted.forecasts,
        datastores_chosen=bool(wanted.selection.datastores),
        per_snapshot=wanted.per_snapshot,
    )


def _compared(chosen: Selected, policy: Policy, wanted: Wanted) -> Compared | None:
    if wanted.baseline is None:
        return wanted.previous(chosen.audit) if _needs_news(wanted) else None
    known: Baseline = read_baseline(wanted.baseline)
    refuse_unfit(known, wanted.baseline, chosen.audit, wanted.selection, digest(policy))
    return compare(known, chosen.audit, wanted.selection, wanted.tolerance)


def _needs_news(wanted: Wanted) -> bool:
    return wanted.fail_on_new or any(one.kind is BudgetKind.NEW for one in wanted.allowances)


def previous_run(
    settings: Settings, environ: Mapping[str, str], at: datetime, tolerance: float
) -> Callable[[Audit], Compared | None]:
    """What holds an audit of a moment against the last run before it. It raises HistoryError."""

    def held_against(audit: Audit) -> Compared | None:
        if not exists(settings):
            return None
        with open_history(settings, environ) as store:
            return store.known(audit, at, tolerance)

    return held_against


def baseline_document(audit: Audit, policy: Policy, selection: Selection) -> bytes:
    """The baseline file of what stands now. Raises UsageError where the view is not whole."""
    chosen = select(audit, policy, selection)
    made = baseline_of(
        chosen.audit, selection, rules_digest=digest(policy), tool_version=__version__
    )
    return document(made)
