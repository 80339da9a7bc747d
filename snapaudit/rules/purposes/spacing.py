"""Spacing: whether the snapshots of a machine keep the rhythm of a clock or a calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

_FEWEST = 3
_A_DAY = timedelta(days=1)
_RHYTHMS = (
    ("daily", timedelta(hours=23), timedelta(hours=25)),
    ("weekly", timedelta(days=6, hours=20), timedelta(days=7, hours=4)),
    ("monthly", timedelta(days=27, hours=20), timedelta(days=31, hours=4)),
)


def rhythm(times: Iterable[datetime]) -> str | None:
    """The rhythm in one or two words, None when there is none or fewer than three snapshots."""
    ordered = sorted(times)
    if len(ordered) < _FEWEST:
        return None
    gaps = [later - earlier for earlier, later in pairwise(ordered)]
    least, most = min(gaps), max(gaps)
    for name, shortest, longest in _RHYTHMS:
        if shortest <= least and most <= longest:
            return name
    if least >= _A_DAY and len({(time.weekday(), time.hour) for time in ordered}) == 1:
        return "same weekday and hour"
    return None
