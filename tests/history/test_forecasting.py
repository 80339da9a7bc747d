"""Forecasts: ranges, and only of what enough is known of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from snapaudit.history.forecasting import Made, comparable, forecast, gain, nearest_first
from snapaudit.history.growing import growth
from snapaudit.history.rotation import Taken, is_rotating
from snapaudit.model.history import DatastoreSeries, Level
from snapaudit.model.inventory import ByteRange
from snapaudit.model.past import Course, DaysToFull, Forecast, Trend
from tests.builders import GIB, NOW
from tests.history.past import DAY, WEEK


def level(week: float, used: float | None, capacity: int = 1000) -> Level:
    free = None if used is None else round((capacity - used) * GIB)
    return Level(at=NOW + week * WEEK, capacity_bytes=capacity * GIB, free_bytes=free)


def series(*levels: Level) -> DatastoreSeries:
    return DatastoreSeries(endpoint="kvm1", id="ds", name="ds", levels=levels)


def of(*used: float, capacity: int = 1000) -> Forecast:
    return forecast(series(*(level(n, value, capacity) for n, value in enumerate(used))))


def test_growing_datastore_is_full_within_a_range_of_days() -> None:
    found = of(700, 705, 715, 720, 730, 735, 745)
    assert found.trend is Trend.GROWING
    days = found.days_to_full
    assert days is not None
    assert days.likely is not None
    assert days.late is not None
    assert days.early < days.likely < days.late
    assert 150 < days.early < days.late < 365


@pytest.mark.parametrize(
    ("used", "trend"),
    [
        ((500, 500, 500, 500), Trend.FLAT),
        ((500, 500.1, 499.9, 500), Trend.FLAT),
        ((500, 480, 460, 440), Trend.SHRINKING),
        ((500, 501, 502, 503), Trend.BEYOND_A_YEAR),
        ((500, 510, 520), Trend.TOO_LITTLE_DATA),
        ((), Trend.TOO_LITTLE_DATA),
    ],
)
def test_what_fills_within_no_year_has_a_word_and_no_days(
    used: tuple[float, ...], trend: Trend
) -> None:
    found = of(*used)
    assert (found.trend, found.days_to_full) == (trend, None)


def test_four_samples_need_three_weeks_between_them() -> None:
    days = [level(day / 7, 500 + 2 * day) for day in (0, 7, 14, 20.9)]
    assert forecast(series(*days)).trend is Trend.TOO_LITTLE_DATA
    days[-1] = level(3, 542)
    assert forecast(series(*days)).trend is Trend.GROWING


def test_full_datastore_is_full_now() -> None:
    days = of(940, 960, 980, 1000).days_to_full
    assert days is not None
    assert (days.early, days.likely, days.late) == (0.0, 0.0, 0.0)


def test_nothing_from_before_the_capacity_changed_counts() -> None:
    before = [level(week, 900 + week, 1000) for week in range(8)]
    after = [level(8 + week, 900 + 50 * week, 2000) for week in range(3)]
    found = forecast(series(*before, *after))
    assert (found.samples, found.trend) == (3, Trend.TOO_LITTLE_DATA)
    found = forecast(series(*before, *after, level(11, 1050, 2000)))
    assert (found.samples, found.trend) == (4, Trend.GROWING)


def test_capacity_that_trembles_has_not_changed() -> None:
    levels = [level(week, 500, 1000 + week % 2) for week in range(6)]
    assert len(comparable(levels)) == 6


def test_reading_without_free_space_is_no_sample() -> None:
    levels = [level(week, None if week == 2 else 500) for week in range(6)]
    assert forecast(series(*levels)).samples == 5


def test_days_run_on_while_a_datastore_does_not_tell_its_level() -> None:
    told = [level(week, 900 + 10 * week) for week in range(7)]
    assert forecast(series(*told)).days_to_full == DaysToFull(early=28.0, likely=28.0, late=28.0)
    found = forecast(series(*told, level(8, None)))
    assert found.days_to_full == DaysToFull(early=14.0, likely=14.0, late=14.0)
    found = forecast(series(*told, level(20, None)))
    assert found.days_to_full == DaysToFull(early=0.0, likely=0.0, late=0.0)


def test_daily_readings_are_thinned_and_the_newest_stays() -> None:
    levels = [level(day / 7, 500 + day) for day in range(400)]
    kept = comparable(levels)
    assert len(kept) <= 53
    assert kept[-1] == levels[-1]
    assert levels[-1].at - kept[0].at <= timedelta(days=182)


def test_two_readings_of_one_moment_are_one_sample() -> None:
    levels = [level(week, 500 + week) for week in (0, 1, 1, 2, 3)]
    assert forecast(series(*levels)).samples == 4


def made(week: float, level_gib: float, low: float, high: float) -> Made:
    course = Course(
        at=NOW + week * WEEK,
        level_bytes=level_gib * GIB,
        low=low * GIB / 7,
        likely=(low + high) * GIB / 14,
        high=high * GIB / 7,
    )
    return Made(course=course, capacity_bytes=1000 * GIB)


def test_earlier_forecasts_are_held_against_what_came_four_weeks_later() -> None:
    levels = [level(week, 500 + 10 * week) for week in range(10)]
    right, wrong = made(0, 500, 9, 11), made(1, 510, 11, 12)
    too_young, before = made(8, 580, 0, 1), made(-9, 0, 0, 1)
    found = forecast(series(*levels), [right, wrong, too_young, before])
    assert (found.hit_rate, found.judged) == (0.5, 2)


def test_forecast_is_not_judged_across_a_change_of_capacity() -> None:
    levels = [level(week, 500 + 10 * week, 2000) for week in range(10)]
    found = forecast(series(*levels), [made(0, 500, 9, 11)])
    assert (found.hit_rate, found.judged) == (None, 0)


def test_deleting_buys_the_fewest_bytes_at_the_fastest_pace() -> None:
    course = made(0, 500, 7, 14).course
    bought = gain(course, ByteRange(min=4 * GIB, max=10 * GIB, basis="sum"))
    assert bought is not None
    assert (bought.min_days, bought.max_days) == (2.0, 10.0)
    assert gain(course, ByteRange(min=0, max=0, basis="none")) is None
    endless = gain(made(0, 500, -1, 3).course, ByteRange(min=GIB, max=None, basis="sum"))
    assert endless is not None
    assert endless.max_days is None


def test_nearest_end_comes_first_and_what_never_ends_last() -> None:
    soon, later, never = of(900, 930, 960, 990), of(500, 600, 700, 800), of(1, 1, 1, 1)
    assert nearest_first([never, later, soon]) == (soon, later, never)


def test_growth_needs_two_readings_half_a_day_apart() -> None:
    sizes = [(NOW, GIB), (NOW + timedelta(hours=11), 2 * GIB)]
    assert growth(sizes) is None
    assert growth(sizes[:1]) is None
    grown = growth([(NOW, GIB), (NOW + DAY, 3 * GIB)])
    assert grown is not None
    assert (grown.low_bytes, grown.likely_bytes, grown.samples) == (2 * GIB, 2 * GIB, 2)


def test_snapshot_as_large_as_its_disks_grows_no_more() -> None:
    sizes = [(NOW + n * DAY, n * GIB) for n in range(5)]
    full, almost = growth(sizes, 4 * GIB), growth(sizes, 4 * GIB + 1)
    assert full is not None
    assert almost is not None
    assert (full.high_bytes, almost.high_bytes) == (0.0, GIB)


def views(*texts: str) -> list[list[Taken]]:
    return [[Taken(ord(name), ord(name)) for name in text] for text in texts]


@pytest.mark.parametrize(
    ("seen", "turns"),
    [
        (("abc", "bcd", "cde", "def"), True),
        (("a", "b", "c", "d"), True),
        (("abc", "def", "ghi", "jkl"), True),
        (("abc", "bcd", "cde"), False),
        (("abc", "abcd", "abcde", "abcdef"), False),
        (("abcd", "bcd", "cd", "d"), False),
        (("abc", "abd", "abe", "abf"), False),
        (("a", "", "b", "", "c", "", "d"), False),
        (("bc", "ca", "ad", "de"), False),
    ],
)
def test_rotation_is_an_oldest_that_leaves_as_a_newer_one_comes_three_times(
    seen: tuple[str, ...], turns: bool
) -> None:
    assert is_rotating(views(*seen)) is turns
