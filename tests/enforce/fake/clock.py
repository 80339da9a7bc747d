"""Simulated time: it moves when somebody sleeps, or when a test says so."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.builders import NOW


class Clock:
    """Our own clock. Each manager has its own besides, ahead of this one by its skew."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at
        self._began = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - self._began).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(seconds, 0.0))
