"""Simulated time: it moves when somebody sleeps, or when a test says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.builders import NOW

_LONGEST_NAP = 3600.0


class Clock:
    """Our own clock. Each manager has its own besides, ahead of this one by its skew.

    The longer somebody waits for the same thing, the longer each nap takes, so that waiting a day
    costs as little as waiting a minute.
    """

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at
        self._nap = 1.0

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(seconds, self._nap))
        self._nap = min(self._nap * 1.5, _LONGEST_NAP)

    def wake(self) -> None:
        """Something new begins: naps are short again."""
        self._nap = 1.0

    def skip(self, time: timedelta) -> None:
        self.at += time
