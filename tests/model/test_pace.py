from __future__ import annotations

from datetime import timedelta

import pytest

from snapaudit.model.pace import Pace

MIB = 2**20


def paced(*samples: tuple[float, int]) -> Pace:
    pace = Pace()
    for at, done in samples:
        pace.add(at, done)
    return pace


def test_steady_copy_has_its_rate_and_the_time_that_is_left() -> None:
    pace = paced((100.0, 0), (105.0, 50 * MIB), (110.0, 100 * MIB))
    assert pace.rate_bytes == 10 * MIB
    assert pace.left(400 * MIB) == timedelta(seconds=30)


@pytest.mark.parametrize("samples", [(), ((5.0, MIB),), ((5.0, 0), (5.5, MIB))])
def test_rate_is_unknown_before_a_second_has_been_looked_at(
    samples: tuple[tuple[float, int], ...],
) -> None:
    assert paced(*samples).rate_bytes is None
    assert paced(*samples).left(MIB) is None


def test_rate_follows_the_last_minute_and_forgets_the_time_before() -> None:
    fast = [(float(second), second * 100 * MIB) for second in range(60)]
    slow = [(float(second), 5900 * MIB + (second - 59) * MIB) for second in range(60, 130)]
    assert paced(*fast, *slow).rate_bytes == MIB


def test_next_disk_begins_at_nothing_and_gives_no_negative_rate() -> None:
    pace = paced((0.0, 0), (10.0, 500 * MIB), (11.0, 0))
    assert pace.rate_bytes is None
    pace.add(21.0, 20 * MIB)
    assert pace.rate_bytes == 2 * MIB


def test_copy_that_stands_still_has_no_end_in_sight() -> None:
    pace = paced((0.0, MIB), (30.0, MIB))
    assert pace.rate_bytes == 0
    assert pace.left(2 * MIB) is None


def test_end_beyond_a_month_or_without_a_total_is_unknown() -> None:
    pace = paced((0.0, 0), (10.0, 10))
    assert pace.left(2**62) is None
    assert pace.left(None) is None


def test_more_than_the_total_leaves_nothing_and_no_negative_time() -> None:
    assert paced((0.0, 0), (1.0, 9 * MIB)).left(8 * MIB) == timedelta(0)


def test_samples_of_a_long_merge_take_no_more_than_a_minute_of_room() -> None:
    pace = paced(*((n / 2, n) for n in range(100_000)))
    assert pace.rate_bytes == pytest.approx(2.0)
    assert len(pace._samples) <= 122
