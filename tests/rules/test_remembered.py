"""Rules of the pack that need earlier runs: what these remember, and the verdict it brings."""

from __future__ import annotations

import pytest

from snapaudit.model.inventory import Inventory
from snapaudit.model.past import DaysToFull, Forecast, Growth, Past, Trend
from snapaudit.model.policy import SubjectKind
from snapaudit.rules.facts import facts_of
from tests.builders import GIB, disk, inventory, snapshot, vm
from tests.rules.verdicts import audited, grades


def filling(early: float | None, trend: Trend = Trend.GROWING) -> Past:
    days = None if early is None else DaysToFull(early=early, likely=None, late=None)
    forecast = Forecast(
        endpoint="kvm1", id="pool-1", name="pool-1", trend=trend, days_to_full=days, samples=9
    )
    return Past(forecasts={("kvm1", "pool-1"): forecast})


def growing(rate: float) -> Past:
    grown = Growth(low_bytes=0.0, likely_bytes=rate, high_bytes=rate * 2, samples=3)
    return Past(growth={("kvm1", "id-web01", "s"): grown})


def sized(capacity: int | None) -> Inventory:
    return inventory(vm("web01", snapshot("s"), disks=(disk(capacity_bytes=capacity),)))


DISK = sized(100 * GIB)
UNREADABLE = Past(fault="history.db: is damaged")

REMEMBERED: list[tuple[str, Inventory, Past, list[str]]] = [
    ("datastore-filling", inventory(), filling(30.0), []),
    ("datastore-filling", inventory(), filling(29.9), ["warning"]),
    ("datastore-filling", inventory(), filling(7.0), ["warning"]),
    ("datastore-filling", inventory(), filling(6.9), ["critical"]),
    ("datastore-filling", inventory(), filling(None, Trend.FLAT), []),
    ("datastore-filling", inventory(), filling(None, Trend.TOO_LITTLE_DATA), []),
    ("datastore-filling", inventory(), Past(), []),
    ("datastore-filling", inventory(), UNREADABLE, ["unknown"]),
    ("fast-growing-snapshot", DISK, growing(5 * GIB), []),
    ("fast-growing-snapshot", DISK, growing(5.1 * GIB), ["warning"]),
    ("fast-growing-snapshot", DISK, growing(15.1 * GIB), ["critical"]),
    ("fast-growing-snapshot", DISK, growing(-5.1 * GIB), []),
    ("fast-growing-snapshot", DISK, Past(), []),
    ("fast-growing-snapshot", DISK, UNREADABLE, ["unknown"]),
    ("fast-growing-snapshot", sized(None), growing(5 * GIB), ["unknown"]),
]


@pytest.mark.parametrize(("rule", "seen", "past", "expected"), REMEMBERED)
def test_rule_about_the_past_fires_at_its_level_and_not_below(
    rule: str, seen: Inventory, past: Past, expected: list[str]
) -> None:
    assert grades(rule, seen, past=past) == expected


def test_first_run_leaves_nothing_undetermined_for_want_of_a_past() -> None:
    assert audited(DISK).undetermined == ()


def test_trend_is_a_word_that_a_rule_may_ask_for() -> None:
    assert facts_of(SubjectKind.DATASTORE)["forecast_trend"].words == tuple(Trend)
