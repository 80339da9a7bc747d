"""Charts: numbers to the coordinates of hand-made pictures; the templates only write them down.

All of them are drawn in a box of their own size, with y growing downwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.model.history import Level
from snapaudit.model.past import DaysToFull
from snapaudit.model.weekly import Sample

SPARK_WIDTH, SPARK_HEIGHT = 132, 36
FILL_WIDTH, FILL_HEIGHT = 420, 120
_EDGE = 3.0
_SHORTEST_LOOK = timedelta(weeks=6)
_LOOK = 0.34
_HEADROOM = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A line through the weeks; ``path`` has a gap where a week is unknown. ``end`` is now."""

    path: str
    end: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillChart:
    """Used space until now, capacity, and between its early and late edge what comes.

    ``full`` is where the early edge meets the capacity, where that is within the picture.
    """

    used: str
    below: str
    capacity: str
    band: str | None
    likely: str | None
    now: float
    here: tuple[float, float] | None
    full: tuple[float, float] | None
    begins_at: datetime
    ends_at: datetime
    from_half: bool


def spark(samples: Sequence[Sample]) -> Spark:
    """The samples at equal distances, between their lowest and their highest value."""
    known = [one.value for one in samples if one.value is not None]
    if not known:
        return Spark(path="", end=None)
    low, high = min(known), max(known)
    step = (SPARK_WIDTH - 2 * _EDGE) / max(1, len(samples) - 1)
    points = [
        None if one.value is None else (_EDGE + number * step, _spark_y(one.value, low, high))
        for number, one in enumerate(samples)
    ]
    return Spark(path=_line(points), end=points[-1])


def _spark_y(value: int, low: int, high: int) -> float:
    if low == high:
        return SPARK_HEIGHT / 2
    return SPARK_HEIGHT - _EDGE - (value - low) / (high - low) * (SPARK_HEIGHT - 2 * _EDGE)


def _line(points: Iterable[tuple[float, float] | None]) -> str:
    """A path that is lifted where a point is missing."""
    parts, is_down = [], False
    for point in points:
        if point is not None:
            parts.append(f"{'L' if is_down else 'M'}{point[0]:.1f} {point[1]:.1f}")
        is_down = point is not None
    return "".join(parts)


def fill_chart(levels: Sequence[Level], days: DaysToFull | None) -> FillChart | None:
    """How a datastore filled and where it heads; None with fewer than two levels to draw."""
    known = [
        (one.at, one.used_bytes, one.capacity_bytes)
        for one in levels
        if one.used_bytes is not None and one.capacity_bytes
    ]
    if len(known) < 2:
        return None
    drawn = [(at, float(used or 0), float(capacity or 0)) for at, used, capacity in known]
    return _drawn(_Scale.of(drawn, days), drawn, days)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """From moments and bytes to the picture; its floor is an empty or a half full datastore."""

    begins_at: datetime
    ends_at: datetime
    low: float
    high: float

    @classmethod
    def of(cls, drawn: Sequence[tuple[datetime, float, float]], days: DaysToFull | None) -> _Scale:
        begins_at, now = drawn[0][0], drawn[-1][0]
        ahead = max(_SHORTEST_LOOK, (now - begins_at) * _LOOK) if days else timedelta()
        highest = max(max(used, capacity) for _, used, capacity in drawn)
        is_half_full = all(used > highest / 2 for _, used, _ in drawn)
        return cls(
            begins_at=begins_at,
            ends_at=now + ahead,
            low=highest / 2 if is_half_full else 0.0,
            high=highest * (1 + _HEADROOM) or 1.0,
        )

    def x(self, at: datetime) -> float:
        whole = (self.ends_at - self.begins_at) / timedelta(seconds=1)
        return FILL_WIDTH * ((at - self.begins_at) / timedelta(seconds=1)) / (whole or 1)

    def y(self, level: float) -> float:
        return FILL_HEIGHT * (1 - (level - self.low) / (self.high - self.low))


def _drawn(
    scale: _Scale, drawn: Sequence[tuple[datetime, float, float]], days: DaysToFull | None
) -> FillChart:
    points = [(scale.x(at), scale.y(used)) for at, used, _ in drawn]
    now, used, capacity = drawn[-1]
    early = _reach(scale, now, used, capacity, days.early) if days else None
    late = _reach(scale, now, used, capacity, days.late) if days else None
    likely = _reach(scale, now, used, capacity, days.likely) if days and days.likely else None
    here = points[-1]
    line = _line(points)
    return FillChart(
        used=line,
        below=f"{line}L{here[0]:.1f} {FILL_HEIGHT}L{points[0][0]:.1f} {FILL_HEIGHT}Z",
        capacity=_line(_stairs(scale, drawn)),
        band=_band(here, early, late) if early and late else None,
        likely=_line((here, *likely)) if likely else None,
        now=round(here[0], 1),
        here=here,
        full=_meets(scale, now, capacity, days),
        begins_at=scale.begins_at,
        ends_at=scale.ends_at,
        from_half=scale.low > 0,
    )


def _stairs(
    scale: _Scale, drawn: Sequence[tuple[datetime, float, float]]
) -> Iterator[tuple[float, float]]:
    """Capacity jumps on the day on which it was seen changed."""
    before: float | None = None
    for at, _, capacity in drawn:
        if before is not None and before != capacity:
            yield scale.x(at), scale.y(before)
        yield scale.x(at), scale.y(capacity)
        before = capacity
    yield FILL_WIDTH, scale.y(drawn[-1][2])


def _reach(
    scale: _Scale, now: datetime, used: float, capacity: float, days: float | None
) -> tuple[tuple[float, float], ...]:
    """The way from now to full in so many days, up to the edge of the picture; None: level."""
    edge = (scale.ends_at - now) / timedelta(days=1)
    if days is None:
        return ((FILL_WIDTH, scale.y(used)),)
    if days >= edge:
        level = used + (capacity - used) * edge / days
        return ((FILL_WIDTH, scale.y(level)),)
    full = scale.x(now + timedelta(days=max(0.0, days)))
    return ((full, scale.y(capacity)), (FILL_WIDTH, scale.y(capacity)))


def _band(
    here: tuple[float, float],
    early: tuple[tuple[float, float], ...],
    late: tuple[tuple[float, float], ...],
) -> str:
    return f"{_line((here, *early, *reversed(late)))}Z"


def _meets(
    scale: _Scale, now: datetime, capacity: float, days: DaysToFull | None
) -> tuple[float, float] | None:
    if days is None or now + timedelta(days=min(days.early, 36_500)) > scale.ends_at:
        return None
    return scale.x(now + timedelta(days=max(0.0, days.early))), scale.y(capacity)
