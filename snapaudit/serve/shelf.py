"""The shelf: what the last finished collection gave, how old it is, and how the next one goes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from snapaudit.model.metric import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What can be said at one moment. Ages and durations are in seconds.

    ``age`` is that of the last finished collection, None before the first. ``trouble`` is why the
    last attempt failed, None where it finished. ``running_for`` None: none is under way.
    """

    families: tuple[Family, ...]
    age: float | None
    took: float | None
    running_for: float | None
    finished: int
    failed: int
    trouble: str | None
    is_stale: bool


class Shelf:
    """Written by the one who collects, read by those who serve; each call is whole by itself."""

    def __init__(self, *, stale_after: float, seconds: Callable[[], float]) -> None:
        self._seconds = seconds  # of a clock that nobody sets
        self._stale_after = stale_after
        self._lock = threading.Lock()
        self._families: tuple[Family, ...] = ()
        self._finished_at: float | None = None
        self._started_at: float | None = None
        self._took: float | None = None
        self._trouble: str | None = None
        self._count: Counter[str] = Counter()

    def started(self) -> None:
        """A collection begins."""
        with self._lock:
            self._started_at = self._seconds()

    def finished(self, families: tuple[Family, ...]) -> None:
        """It ended, and this is what it gave."""
        with self._lock:
            now = self._seconds()
            self._took = now - (now if self._started_at is None else self._started_at)
            self._families, self._finished_at, self._started_at = families, now, None
            self._trouble = None
            self._count["finished"] += 1

    def failed(self, reason: str) -> None:
        """It ended with nothing; what was there before stays, and grows old."""
        with self._lock:
            self._trouble, self._started_at = reason, None
            self._count["failed"] += 1

    def standing(self) -> Standing:
        """How things are now."""
        with self._lock:
            now = self._seconds()
            age = None if self._finished_at is None else now - self._finished_at
            started = self._started_at
            return Standing(
                families=self._families,
                age=age,
                took=self._took,
                running_for=None if started is None else now - started,
                finished=self._count["finished"],
                failed=self._count["failed"],
                trouble=self._trouble,
                is_stale=age is None or age > self._stale_after,
            )
