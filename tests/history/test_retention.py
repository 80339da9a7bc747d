"""What is kept of old runs, and what goes."""

from __future__ import annotations

from snapaudit.history.store import Store
from snapaudit.model.history import Keeping
from tests.builders import NOW, inventory, snapshot, vm
from tests.history.past import DAY, ran

KEEPING = Keeping(days=30, weekly_days=100)


def test_details_go_after_their_days_and_the_numbers_of_each_week_stay(store: Store) -> None:
    for day in range(60):
        ran(store, inventory(vm("web01", snapshot(f"s{day}", age="9d"))), at=NOW + day * DAY)
    assert store.keep(KEEPING) == 29
    runs = store.runs()
    detailed = [run for run in runs if run.has_details]
    assert len(detailed) == 31
    rest = [run for run in runs if not run.has_details]
    assert len({run.audited_at.isocalendar()[:2] for run in rest}) == len(rest)
    assert 4 <= len(rest) <= 6
    assert all(run.summary.snapshots == 1 and run.coverage for run in rest)
    assert len(store.datastores()[0].levels) == len(runs)
    assert store.keep(KEEPING) == 0
    assert store.faults() == ()


def test_weeks_become_months(store: Store) -> None:
    for week in range(40):
        ran(store, inventory(), at=NOW + 7 * week * DAY)
    store.keep(KEEPING)
    old = [run.audited_at for run in store.runs() if run.audited_at < NOW + (273 - 100) * DAY]
    assert len({(at.year, at.month) for at in old}) == len(old)


def test_endpoints_that_are_audited_in_turn_keep_a_run_each(store: Store) -> None:
    for day in range(60):
        view = inventory(endpoint="kvm1" if day % 2 else "kvm2")
        ran(store, view, at=NOW + day * DAY)
    store.keep(KEEPING)
    rest = [run for run in store.runs() if not run.has_details]
    assert {run.coverage[0].endpoint for run in rest} == {"kvm1", "kvm2"}
    keys = [(run.audited_at.isocalendar()[:2], run.coverage[0].endpoint) for run in rest]
    assert len(set(keys)) == len(keys)


def test_difference_is_told_of_runs_with_details_only(store: Store) -> None:
    for day in (0, 1, 59, 60):
        ran(store, inventory(vm("web01", snapshot("s", age="9d"))), at=NOW + day * DAY)
    store.keep(KEEPING)
    diff = store.changes(NOW, NOW + 60 * DAY)
    assert (diff.since, diff.until) == (NOW + 59 * DAY, NOW + 60 * DAY)


def test_nothing_is_looked_at_before_a_fortnight_is_due(store: Store) -> None:
    for day in range(40):
        ran(store, inventory(), at=NOW + day * DAY)
    assert store.keep(KEEPING) == 0
    assert len(store.runs()) == 40
