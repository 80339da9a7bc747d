"""Pace: how fast a copy goes and how long it still takes, from what was copied when."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

_WINDOW_SECONDS = 60.0
_LEAST_SECONDS = 1.0
_LONGEST_SECONDS = 30 * 86400.0


class Pace:
    """The rate over the last minute: short enough to follow a change, long enough to be calm."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, at: float, done_bytes: int) -> None:
        """What is copied at a moment, in seconds of any clock that never goes back.

        Fewer bytes than before are the beginning of another copy, such as the next disk's.
        """
        if self._samples and done_bytes < self._samples[-1][1]:
            self._samples.clear()
        self._samples.append((at, done_bytes))
        while len(self._samples) > 2 and self._samples[1][0] <= at - _WINDOW_SECONDS:
            self._samples.popleft()

    @property
    def rate_bytes(self) -> float | None:
        """Bytes a second; None before a second has been looked at."""
        if not self._samples:
            return None
        (begun_at, begun), (at, done) = self._samples[0], self._samples[-1]
        span = at - begun_at
        return (done - begun) / span if span >= _LEAST_SECONDS else None

    def left(self, total_bytes: int | None) -> timedelta | None:
        """How long the rest takes at this rate; None when that is unknown or beyond a month."""
        rate = self.rate_bytes
        if not rate or total_bytes is None:
            return None
        seconds = max(0, total_bytes - self._samples[-1][1]) / rate
        return timedelta(seconds=round(seconds)) if seconds <= _LONGEST_SECONDS else None
