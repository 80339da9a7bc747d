"""Budgets: what is counted, what is past the limit, and what nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from snapaudit.check.budgets import Measured, hold_against
from snapaudit.errors import UsageError
from snapaudit.model.budget import Allowance, BudgetKind, overridden
from snapaudit.model.check import Budget, Compared, Status
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Coverage, CoverageState
from snapaudit.model.past import DaysToFull, Forecast, Trend
from snapaudit.model.policy import Severity
from tests.builders import GIB, datastore, inventory, snapshot, vm
from tests.report.check.audits import lost, rules
from tests.report.records import audit_of, finding, on_snapshot, open_question


def forecast(trend: Trend, early: float | None = None, store: str = "pool-1") -> Forecast:
    days = None if early is None else DaysToFull(early=early, likely=early + 5, late=None)
    return Forecast(
        endpoint="kvm1", id=store, name=store, trend=trend, days_to_full=days, samples=9
    )


def allowance(kind: BudgetKind, limit: float, **changes: Any) -> Allowance:
    return Allowance(**{"kind": kind, "limit": limit, "beyond": Status.WARNING, **changes})


def held(one: Allowance, audit: Audit, **changes: Any) -> Budget:
    measured = Measured(**{"audit": audit, "rules": rules(), "forecasts": {}, **changes})
    return hold_against((one,), measured)[0]


def stale(count: int, *, exempt: int = 0, asked: int = 0) -> Audit:
    found = [
        finding("stale-snapshot", Severity.WARNING, on_snapshot("a", f"s{n}"),
                exemption="May" if n < exempt else None)
        for n in range(count)
    ]  # fmt: skip
    also = [finding("ancient-snapshot", Severity.WARNING, one.subject) for one in found[exempt:]]
    questions = [
        open_question("stale-snapshot", on_snapshot("a", f"q{n}"), "age", "unknown")
        for n in range(asked)
    ]
    return audit_of(inventory(vm()), findings=(*found, *also), undetermined=tuple(questions))


@pytest.mark.parametrize(
    ("audit", "limit", "value", "status"),
    [
        (stale(3), 3, 3, Status.OK),
        (stale(4), 3, 4, Status.WARNING),
        (stale(4, exempt=1), 3, 3, Status.OK),
        (stale(3, asked=1), 3, 3, Status.UNKNOWN),
        (stale(3, asked=1), 4, 3, Status.OK),
        (stale(4, asked=9), 3, 4, Status.WARNING),
    ],
)
def test_a_snapshot_counts_once_as_stale_and_one_of_unknown_age_is_not_taken_for_young(
    audit: Audit, limit: int, value: int, status: Status
) -> None:
    budget = held(allowance(BudgetKind.STALE, limit), audit)
    assert (budget.value, budget.status) == (value, status)


def test_stale_snapshots_cannot_be_counted_without_a_rule_that_finds_them() -> None:
    with pytest.raises(UsageError, match="neither is in force"):
        held(allowance(BudgetKind.STALE, 1), stale(1), rules=())


@pytest.mark.parametrize(
    ("sizes", "status"),
    [((5, 5), Status.OK), ((5, 6), Status.WARNING), ((5, None), Status.UNKNOWN),
     ((11, None), Status.WARNING)],
)  # fmt: skip
def test_bytes_of_unknown_size_keep_the_sum_from_being_fine(
    sizes: tuple[int | None, ...], status: Status
) -> None:
    shots = [
        snapshot(f"s{n}", size_bytes=None if size is None else size * GIB)
        for n, size in enumerate(sizes)
    ]
    audit = audit_of(inventory(vm("a", *shots)))
    assert held(allowance(BudgetKind.BYTES, 10 * GIB), audit).status is status


@pytest.mark.parametrize(
    ("known", "status", "value"),
    [
        ((forecast(Trend.GROWING, 40),), Status.OK, 40),
        ((forecast(Trend.GROWING, 12.5),), Status.WARNING, 12.5),
        ((forecast(Trend.FLAT),), Status.OK, None),
        ((forecast(Trend.BEYOND_A_YEAR),), Status.OK, None),
        ((forecast(Trend.TOO_LITTLE_DATA),), Status.UNKNOWN, None),
        ((), Status.UNKNOWN, None),
        ((forecast(Trend.GROWING, 12), forecast(Trend.FLAT, store="p2")), Status.WARNING, 12),
    ],
)
def test_days_to_full_are_the_earliest_and_too_little_history_is_unknown(
    known: tuple[Forecast, ...], status: Status, value: float | None
) -> None:
    stores = (datastore(), *(datastore(one.id) for one in known[1:]))
    audit = audit_of(inventory(vm(), datastores=stores))
    forecasts = {(one.endpoint, one.id): one for one in known}
    budget = held(allowance(BudgetKind.DAYS_TO_FULL, 30), audit, forecasts=forecasts)
    assert (budget.status, budget.value) == (status, value)


def test_one_filling_datastore_is_told_beside_one_nobody_knows() -> None:
    audit = audit_of(inventory(vm(), datastores=(datastore(), datastore("p2"))))
    known = {("kvm1", "pool-1"): forecast(Trend.GROWING, 60)}
    budget = held(allowance(BudgetKind.DAYS_TO_FULL, 30), audit, forecasts=known)
    assert budget.status is Status.UNKNOWN
    assert budget.reason == "too little history of 1 of 2 datastores"


def test_coverage_is_the_share_of_endpoints_seen_whole() -> None:
    partial = inventory(
        vm(), endpoint="b", coverage=Coverage(state=CoverageState.PARTIAL, reason="rights")
    )
    audit = audit_of(inventory(vm()), partial, lost("c"), inventory(endpoint="d"))
    budget = held(allowance(BudgetKind.COVERAGE, 0.6, beyond=Status.CRITICAL), audit)
    assert (budget.value, budget.status) == (0.5, Status.CRITICAL)
    assert held(allowance(BudgetKind.COVERAGE, 0.5), audit).status is Status.OK
    assert held(allowance(BudgetKind.COVERAGE, 0.1), audit_of()).status is Status.WARNING


@pytest.mark.parametrize("kind", [one for one in BudgetKind if one is not BudgetKind.COVERAGE])
def test_what_an_unseen_endpoint_holds_keeps_every_count_from_being_fine(kind: BudgetKind) -> None:
    compared = Compared(since="May", new=(), worse=(), resolved=(), known=0)
    forecasts = {("kvm1", "pool-1"): forecast(Trend.FLAT)}
    known: dict[str, Any] = {"compared": compared, "forecasts": forecasts}
    one = allowance(kind, 1, of=Severity.WARNING if kind is BudgetKind.FINDINGS else None)
    stores = (datastore("pool-1"),)
    whole = held(one, audit_of(inventory(vm(), datastores=stores)), **known)
    assert whole.status is Status.OK
    budget = held(one, audit_of(inventory(vm(), datastores=stores), lost("hv1")), **known)
    assert (budget.status, budget.reason) == (Status.UNKNOWN, "1 of 2 endpoints not seen whole")


def test_new_findings_need_something_to_compare_with() -> None:
    compared = Compared(since="May", new=("a", "b"), worse=("c",), resolved=(), known=1)
    one = allowance(BudgetKind.NEW, 1)
    assert held(one, stale(0), compared=compared).status is Status.WARNING
    assert held(allowance(BudgetKind.NEW, 2), stale(0), compared=compared).status is Status.OK
    with pytest.raises(UsageError, match="--baseline FILE"):
        held(one, stale(0))


def test_options_stand_above_the_configuration_kind_by_kind() -> None:
    below = (
        allowance(BudgetKind.STALE, 1), allowance(BudgetKind.STALE, 9, beyond=Status.CRITICAL),
        allowance(BudgetKind.BYTES, 5),
    )  # fmt: skip
    above = (allowance(BudgetKind.STALE, 4),)
    assert overridden(below, above) == (allowance(BudgetKind.BYTES, 5), *above)
