"""Numbers to coordinates: gaps, edges, and forecasts that meet the capacity."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from snapaudit.model.history import Level
from snapaudit.model.past import DaysToFull
from snapaudit.model.weekly import Sample
from snapaudit.report.charts import FILL_WIDTH, SPARK_HEIGHT, fill_chart, spark
from tests.builders import NOW

WEEK = timedelta(weeks=1)


def samples(*values: int | None) -> list[Sample]:
    return [Sample(at=NOW + number * WEEK, value=value) for number, value in enumerate(values)]


def levels(*used: int | None, capacity: int = 100) -> list[Level]:
    return [
        Level(
            at=NOW + number * WEEK,
            capacity_bytes=capacity,
            free_bytes=None if each is None else capacity - each,
        )
        for number, each in enumerate(used)
    ]


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]


def test_a_week_that_is_unknown_lifts_the_pen() -> None:
    path = spark(samples(1, 2, None, 3)).path
    assert [piece[0] for piece in re.findall(r"[ML][^ML]+", path)] == ["M", "L", "M"]


def test_more_is_higher_and_all_lies_inside() -> None:
    drawn = spark(samples(5, 1, 9))
    heights = [y for _, y in points(drawn.path)]
    assert heights[2] < heights[0] < heights[1]
    assert all(0 <= y <= SPARK_HEIGHT for y in heights)
    assert drawn.end is not None


def test_a_level_line_is_in_the_middle_and_nothing_known_draws_nothing() -> None:
    assert {y for _, y in points(spark(samples(4, 4)).path)} == {SPARK_HEIGHT / 2}
    assert spark(samples(None, None)).path == ""
    assert spark(samples(3, None)).end is None


def test_one_level_is_no_picture() -> None:
    assert fill_chart(levels(50), None) is None
    assert fill_chart(levels(50, None), None) is None


def test_the_early_edge_meets_the_capacity_on_its_day() -> None:
    chart = fill_chart(levels(60, 70, 80, 90), DaysToFull(early=14, likely=20, late=None))
    assert chart is not None
    assert chart.full is not None
    assert chart.here is not None
    whole = (chart.ends_at - chart.begins_at) / timedelta(days=1)
    assert chart.full[0] == pytest.approx(FILL_WIDTH * (21 + 14) / whole)
    capacity = points(chart.capacity)[-1][1]
    assert chart.full[1] == pytest.approx(capacity, abs=0.1)
    assert chart.band is not None
    assert min(y for _, y in points(chart.band)) >= capacity - 0.1


def test_a_day_far_away_is_not_in_the_picture() -> None:
    chart = fill_chart(levels(60, 61), DaysToFull(early=300, likely=None, late=None))
    assert chart is not None
    assert chart.full is None
    assert all(x <= FILL_WIDTH + 0.1 for x, _ in points(chart.band or ""))


def test_without_a_forecast_the_picture_ends_today() -> None:
    chart = fill_chart(levels(60, 61), None)
    assert chart is not None
    assert (chart.band, chart.now, chart.from_half) == (None, FILL_WIDTH, True)


def test_capacity_that_was_bought_is_a_stair() -> None:
    both = [*levels(40, 41), *levels(42, 43, capacity=200)]
    later = [
        Level(at=NOW + n * WEEK, capacity_bytes=one.capacity_bytes, free_bytes=one.free_bytes)
        for n, one in enumerate(both)
    ]
    chart = fill_chart(later, None)
    assert chart is not None
    assert chart.from_half is False
    stairs = points(chart.capacity)
    assert len({y for _, y in stairs}) == 2
    assert len({x for x, _ in stairs}) < len(stairs)
