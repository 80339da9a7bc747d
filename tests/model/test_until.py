from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from snapaudit.model.until import last_day_of, parse_since, parse_until


@pytest.mark.parametrize("text", ["2026-12-31", " 2026-12-31. ", "20261231"])
def test_day_counts_until_it_has_ended_everywhere(text: str) -> None:
    assert parse_until(text) == datetime(2027, 1, 1, 12, tzinfo=UTC)
    assert parse_since(text) == datetime(2026, 12, 31, tzinfo=UTC)
    far_west = timezone(timedelta(hours=-12))
    assert parse_until(text) == datetime(2027, 1, 1, tzinfo=far_west)


@pytest.mark.parametrize("text", ["2026-12-31T18:00:00+02:00", "2026-12-31t16:00:00z"])
def test_moment_with_a_zone_is_that_moment(text: str) -> None:
    assert parse_until(text) == parse_since(text) == datetime(2026, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", [None, "", "soon", "2026-12-31T18:00:00", "2026-02-30", "9999-12-31", "12/31/2026"]
)
def test_what_can_be_read_in_two_ways_or_none_is_no_end(text: str | None) -> None:
    assert parse_until(text) is None


def test_last_day_is_told_as_it_was_written() -> None:
    end = parse_until("2026-12-31")
    assert end is not None
    assert last_day_of(end) == datetime(2026, 12, 31, tzinfo=UTC)
    assert last_day_of(end - timedelta(seconds=1)) is None
