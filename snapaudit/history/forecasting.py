"""Forecasting: from the levels of a datastore to the days until it is full, as a range.

Pure. A forecast is made of the last half year at most, and of nothing from before the capacity
changed. A year is as far as it is told: beyond that nobody would act on it, nor could.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.history.slopes import Line, line_through
from snapaudit.model.history import DatastoreSeries, Level
from snapaudit.model.inventory import ByteRange
from snapaudit.model.past import Course, DaysToFull, Forecast, Gain, Trend

FEWEST_SAMPLES = 4
SHORTEST_SPAN = timedelta(days=21)
WINDOW = timedelta(days=182)
FARTHEST_DAYS = 365.0
# Of the window one sample for each half week is enough; slopes are as many as its square.
_MOST_SAMPLES = 52
# Pools that tell free and used tell a capacity that trembles; one that was extended jumps.
_SAME_CAPACITY = 0.01
# Less than a hundredth of the capacity in a year is nothing.
_FLAT = 0.01
# When a forecast is held against what came: about as far ahead as people plan.
_JUDGED_AFTER = (timedelta(days=21), timedelta(days=42))
_JUDGED_AT_BEST = timedelta(days=28)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A forecast as an earlier run made it."""

    course: Course
    capacity_bytes: int | None


def forecast(series: DatastoreSeries, earlier: Sequence[Made] = ()) -> Forecast:
    """The forecast that a series allows. Levels come oldest first."""
    levels = comparable(series.levels)
    line = _line(levels)
    course = None if line is None else _course(levels[-1].at, line)
    newest = levels[-1] if levels else None
    free = None if newest is None else newest.free_bytes
    capacity = None if newest is None else newest.capacity_bytes
    # A reading that told nothing is no sample, and time passes all the same.
    gone = 0.0 if newest is None else (series.levels[-1].at - newest.at) / _DAY
    trend, days = _outlook(line, free, capacity, gone)
    rate, judged = hit_rate(series.levels, earlier)
    return Forecast(
        endpoint=series.endpoint,
        id=series.id,
        name=series.name,
        trend=trend,
        days_to_full=days,
        samples=len(levels),
        hit_rate=rate,
        judged=judged,
        capacity_bytes=capacity,
        used_bytes=None if newest is None else newest.used_bytes,
        course=course,
        gain=None if course is None or newest is None else gain(course, newest.offered_bytes),
        counted_from=series.levels[-1].at if series.levels else None,
    )


def comparable(levels: Sequence[Level]) -> tuple[Level, ...]:
    """The known levels of the window since the capacity changed last, few enough to compare."""
    known = [one for one in levels if one.used_bytes is not None and one.capacity_bytes]
    if not known:
        return ()
    newest = known[-1]
    since = newest.at - WINDOW
    kept: list[Level] = []
    for one in reversed(known):
        if one.at < since or not _is_same(one.capacity_bytes, newest.capacity_bytes):
            break
        kept.append(one)
    return _thinned(tuple(reversed(kept)))


def _is_same(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= _SAME_CAPACITY * other


def _thinned(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """At most one level for each moment, and where there are many the last of each half week."""
    newest, step = levels[-1].at, timedelta(0)
    if len(levels) > _MOST_SAMPLES:
        step = WINDOW / _MOST_SAMPLES
    kept = [levels[-1]]
    for one in reversed(levels[:-1]):
        place = (newest - one.at) // step if step else None
        if one.at == kept[-1].at or (step and place == (newest - kept[-1].at) // step):
            continue
        kept.append(one)
    return tuple(reversed(kept))


def _line(levels: Sequence[Level]) -> Line | None:
    if len(levels) < FEWEST_SAMPLES or levels[-1].at - levels[0].at < SHORTEST_SPAN:
        return None
    begun = levels[0].at
    return line_through([((one.at - begun) / _DAY, float(one.used_bytes or 0)) for one in levels])


def _course(at: datetime, line: Line) -> Course:
    return Course(at=at, level_bytes=line.level, low=line.low, likely=line.likely, high=line.high)


def _outlook(
    line: Line | None, free: int | None, capacity: int | None, gone: float
) -> tuple[Trend, DaysToFull | None]:
    if line is None or free is None or not capacity:
        return Trend.TOO_LITTLE_DATA, None
    if abs(line.likely) * FARTHEST_DAYS < _FLAT * capacity:
        return Trend.FLAT, None
    if line.likely < 0:
        return Trend.SHRINKING, None
    # A sound level says more than one reading; and nothing is emptier than the last one says.
    left = max(0.0, min(float(free), capacity - line.level))
    early = max(0.0, left / line.high - gone)
    if early > FARTHEST_DAYS:
        return Trend.BEYOND_A_YEAR, None
    likely, late = _days(left, line.likely, gone), _days(left, line.low, gone)
    return Trend.GROWING, DaysToFull(early=round(early, 1), likely=likely, late=late)


def _days(amount: float, pace: float, gone: float = 0.0) -> float | None:
    """How long an amount lasts, of which some days are gone; None beyond a year."""
    if pace <= 0:
        return None
    days = max(0.0, amount / pace - gone)
    return round(days, 1) if days <= FARTHEST_DAYS else None


def gain(course: Course, offered: ByteRange | None) -> Gain | None:
    """What freeing so many bytes buys at a pace; None where nothing is offered or nothing grows.

    The fewest days are those of the fewest bytes at the fastest pace.
    """
    if offered is None or offered.max == 0 or course.likely <= 0 or course.high <= 0:
        return None
    most = None if offered.max is None else _days(float(offered.max), course.low)
    fewest = min(offered.min / course.high, FARTHEST_DAYS)
    return Gain(bytes=offered, min_days=round(fewest, 1), max_days=most)


def hit_rate(levels: Sequence[Level], earlier: Iterable[Made]) -> tuple[float | None, int]:
    """The share of earlier forecasts whose band held the level about four weeks later.

    One is judged when there is a level three to six weeks after it, of the same capacity.
    """
    verdicts = [held for one in earlier if (held := _held(one, levels)) is not None]
    return (sum(verdicts) / len(verdicts) if verdicts else None), len(verdicts)


def _held(made: Made, levels: Sequence[Level]) -> bool | None:
    first, last = _JUDGED_AFTER
    ready = [
        one
        for one in levels
        if first <= one.at - made.course.at <= last and one.used_bytes is not None
    ]
    if not ready:
        return None
    came = min(ready, key=lambda one: abs(one.at - made.course.at - _JUDGED_AT_BEST))
    if came.used_bytes is None or not _is_same(came.capacity_bytes, made.capacity_bytes):
        return None
    days = (came.at - made.course.at) / _DAY
    low, high = (
        made.course.level_bytes + rate * days for rate in (made.course.low, made.course.high)
    )
    return low <= came.used_bytes <= high


def nearest_first(forecasts: Iterable[Forecast]) -> tuple[Forecast, ...]:
    """Those that fill first come first, then the others by endpoint, name and id."""

    def order(one: Forecast) -> tuple[float, str, str, str]:
        early = FARTHEST_DAYS * 2 if one.days_to_full is None else one.days_to_full.early
        return early, one.endpoint, one.name, one.id

    return tuple(sorted(forecasts, key=order))
