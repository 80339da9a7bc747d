"""Slopes: what follows a level is told from what jumps and what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapaudit.history.slopes import line_through, stretches
from tests.bench.forecast import BOUNDS, WAYS, errors, many

STEADY = [(float(week), 100.0 + 2 * week) for week in range(12)]


def test_steady_level_has_one_slope_and_no_band() -> None:
    line = line_through(STEADY)
    assert line is not None
    assert (line.level, line.low, line.likely, line.high) == (122.0, 2.0, 2.0, 2.0)


def test_drop_is_a_break_and_changes_no_slope() -> None:
    dropped = [(at, value - (50 if at >= 6 else 0)) for at, value in STEADY]
    assert [len(part) for part in stretches(dropped)] == [6, 6]
    line = line_through(dropped)
    assert line is not None
    assert (line.level, line.low, line.high) == (72.0, 2.0, 2.0)


def test_one_bad_sample_at_the_end_moves_the_level_by_nothing() -> None:
    line = line_through([*STEADY[:-1], (11.0, 900.0)])
    assert line is not None
    assert (line.level, line.likely) == (122.0, 2.0)


def test_uneven_spacing_is_no_break() -> None:
    some = [STEADY[place] for place in (0, 1, 2, 3, 9, 10, 11)]
    assert len(stretches(some)) == 1


def test_one_sample_has_no_line() -> None:
    assert line_through([(0.0, 1.0)]) is None
    assert line_through([]) is None


@given(
    st.lists(st.floats(0, 1e15), min_size=2, max_size=30),
    st.floats(1e-3, 1e6),
    st.floats(-1e12, 1e12),
)
def test_band_holds_the_likely_slope_and_moves_with_the_level(
    values: list[float], step: float, shift: float
) -> None:
    line = line_through([(place * step, value) for place, value in enumerate(values)])
    if line is not None:
        assert line.low <= line.likely <= line.high


@pytest.mark.parametrize("kind", BOUNDS)
def test_forecast_errs_no_more_than_is_known_of_its_method(kind: str) -> None:
    middle, far = errors(WAYS["break-aware"], many(kind))
    assert middle <= BOUNDS[kind][0]
    assert far <= BOUNDS[kind][1]


@pytest.mark.parametrize("kind", ["consolidation drops", "migrations", "bad samples"])
def test_forecast_beats_least_squares_by_half_where_levels_jump(kind: str) -> None:
    series = many(kind)
    ours, theirs = (errors(WAYS[way], series)[0] for way in ("break-aware", "least squares"))
    assert ours < theirs / 2
