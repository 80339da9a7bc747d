"""Vigil over one merge: when to look again, and since when nothing has changed.

Each look starts a process on the host, so they become rarer; none holds a shell in between.
"""

from __future__ import annotations

from dataclasses import dataclass

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.hyperv.watching import Progress, Signs
from snapaudit.model.acting import Phase, Watched

SOONEST, LATEST, GROWTH = 5.0, 60.0, 1.5
"""Seconds between two looks: at first, in the end, and by what they grow."""
STALLED = 300.0
"""Seconds without merging status and without a change, after which nobody waits any longer."""
IGNORED = 60.0
"""The same where the checkpoint itself is still listed and nothing goes on."""
LOST = 6
"""Looks in a row that showed nothing, `SOONEST` apart, after which nothing is known any more."""


@dataclass(slots=True)
class Vigil:
    """One call that is watched. ``node`` is where its machine was last; ``since`` a host's time."""

    node: str
    since: str | None = None
    total_bytes: int | None = None
    last: Watched | None = None
    _next_at: float | None = None
    _pause: float = SOONEST
    _progress: Progress | None = None
    _changed_at: float = 0.0
    _lost: int = 0
    _why: str = ""

    def is_due(self, now: float) -> bool:
        """Whether it is time for a look; taking it puts the next one off."""
        if self._next_at is not None and now < self._next_at:
            return False
        self._next_at = now + self._pause
        self._pause = min(LATEST, self._pause * GROWTH)
        return True

    def hasten(self) -> None:
        """Look again as soon as somebody asks: the machine was found elsewhere."""
        self._next_at, self._pause = None, SOONEST

    def lose(self, why: str, now: float) -> None:
        """A look showed nothing, and why; the next one comes soon."""
        self._lost, self._why = self._lost + 1, why
        self._next_at, self._pause = now + SOONEST, SOONEST

    def told(self) -> Watched:
        """What is known between two looks. Raises HypervisorError when that is nothing by now.

        "It runs" for as long as nobody can look would have a run wait a day for a host that left.
        """
        if self._lost >= LOST:
            raise HypervisorError(self._why)
        return self.last or self.running

    @property
    def running(self) -> Watched:
        """It goes on, as far as anybody knows."""
        return Watched(phase=Phase.RUNNING, total_bytes=self.total_bytes)

    def judged(self, signs: Signs, now: float) -> Watched:
        """What a look comes to, together with those before it; kept as ``last``."""
        self.last, self._lost = self._judged(signs, now), 0
        return self.last

    def _judged(self, signs: Signs, now: float) -> Watched:
        if signs.is_over:
            return Watched(phase=Phase.OVER)
        failure = signs.failure
        if failure is not None:
            return _failed(f"{failure}; {signs.description()}")
        if signs.is_under_way or signs.progress != self._progress:
            self._progress, self._changed_at = signs.progress, now
            return self.running
        patience = STALLED if signs.is_removed else IGNORED
        if now - self._changed_at < patience:
            return self.running
        return _failed(f"nothing has changed for {patience:g} s: {signs.description()}")


def _failed(reason: str) -> Watched:
    return Watched(phase=Phase.FAILED, reason=reason)
