"""Calls that may never return, ended from outside.

A call into the client library cannot be interrupted, and neither may the program's end wait for it.
So each runs in a thread of its own that dies with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class TookTooLong(Exception):
    """The answer did not come in time. The call goes on; nobody waits for it any more."""


class Pending(Generic[Answer]):
    """A call that another thread makes."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._answer: list[Answer] = []
        self.error: Exception | None = None

    def run(self, work: Callable[[], Answer]) -> None:
        """Make the call in this thread, and keep what it returned or raised."""
        try:
            self._answer.append(work())
        except Exception as error:  # noqa: BLE001 - it is raised again where the answer is awaited
            self.error = error
        finally:
            self._done.set()

    @property
    def is_over(self) -> bool:
        """Whether it has returned or raised."""
        return self._done.is_set()

    def awaited(self, seconds: float | None = None) -> Answer:
        """What it returned; raises what it raised, and TookTooLong after so many seconds."""
        if not self._done.wait(seconds):
            raise TookTooLong(f"no answer within {seconds:g} s")
        if self.error is not None:
            raise self.error
        return self._answer[0]


def start(work: Callable[[], Answer]) -> Pending[Answer]:
    """Begin in a thread and return at once."""
    pending = Pending[Answer]()
    threading.Thread(target=pending.run, args=(work,), daemon=True).start()
    return pending


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """What the call returns or raises; TookTooLong after so many seconds."""
    return start(work).awaited(seconds)
