"""Breaker: once something is not as it should be, nothing more is sent (docs/safety.md, GRD-18)."""

from __future__ import annotations

import math

from snapaudit.model.journal import Event
from snapaudit.model.outcome import Outcome

_MOST_SHARE = 0.2
_MOST_FAILURES = 2


class Breaker:
    """Closed at first; once open it stays open for the rest of the run."""

    def __init__(self, planned: int) -> None:
        self._most = max(_MOST_FAILURES, math.ceil(planned * _MOST_SHARE))
        self._failed = self._in_a_row = 0
        self.reason: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything may still be sent."""
        return self.reason is not None

    def open(self, reason: str) -> None:
        """Open it; the first reason stays."""
        self.reason = self.reason or reason

    def note(self, outcome: Outcome) -> None:
        """Take in how an action ended."""
        name = f"{outcome.action.vm_name}/{outcome.action.snapshot_name or 'disks'}"
        match outcome.event:
            case Event.UNKNOWN:
                self.open(f"what became of {name} is unknown")
            case Event.FAILED:
                self._failed += 1
                self._in_a_row += 1
            case Event.DONE:
                self._in_a_row = 0
            case _:
                return
        if self._in_a_row >= _MOST_FAILURES:
            self.open(f"{self._in_a_row} actions in a row failed")
        elif self._failed >= self._most:
            self.open(f"{self._failed} actions failed")
