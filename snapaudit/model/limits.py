"""Limits: how much one run may change, when it may begin, and what it must leave free."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

GIB = 2**30
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Free space that a merge must leave: the larger of the bytes and the datastore's share."""

    bytes: int = 0
    ratio: float = 0.0

    def of(self, capacity_bytes: int) -> int:
        """The reserve of a datastore of that capacity, in bytes."""
        return max(self.bytes, math.ceil(capacity_bytes * self.ratio))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When changes may begin: days of the week (Monday is 0) and a span of local time.

    ``opens`` and ``closes`` count from midnight of such a day; a span into the next day closes
    after more than 24 h. Both are hours of the wall clock, whatever daylight saving time does.
    """

    text: str
    days: frozenset[int]
    opens: timedelta
    closes: timedelta
    zone: ZoneInfo

    def is_open(self, at: datetime) -> bool:
        """Whether a change may begin at this moment."""
        today = at.astimezone(self.zone).date()
        return any(self._holds(day, at) for day in (today, today - _DAY))

    def _holds(self, day: date, at: datetime) -> bool:
        if day.weekday() not in self.days:
            return False
        return self._moment(day, self.opens) <= at < self._moment(day, self.closes)

    def _moment(self, day: date, since_midnight: timedelta) -> datetime:
        """A reading of the wall clock; one that is skipped in spring counts as the next hour's."""
        naive = datetime.combine(day, time()) + since_midnight
        return naive.replace(tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one run may change; no window means at any time."""

    min_age: timedelta = timedelta(hours=72)
    max_actions: int = 10
    max_share: float = 0.05
    max_bytes: int = 500 * GIB
    min_free: Reserve = Reserve(bytes=10 * GIB, ratio=0.05)
    window: Window | None = None
