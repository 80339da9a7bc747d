"""Calls that may never return, ended from outside.

A call into the client library cannot be interrupted, and neither may the program's end wait for it.
So each runs in a thread of its own that dies with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class TookTooLong(Exception):
    """The answer did not come in time. The call goes on; nobody waits for it any more."""


@dataclass(slots=True)
class Pending(Generic[Answer]):
    """A call under way in a thread of its own."""

    _done: threading.Event
    _answer: list[Answer]
    _error: list[Exception]

    @property
    def is_over(self) -> bool:
        """Whether it has returned or raised."""
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Whether it is over within so many seconds."""
        return self._done.wait(seconds)

    @property
    def error(self) -> Exception | None:
        """What it raised, once it is over."""
        return self._error[0] if self._error else None

    def result(self) -> Answer:
        """What it returned; raises what it raised. To be asked for when it is over."""
        if self._error:
            raise self._error[0]
        return self._answer[0]


def start(work: Callable[[], Answer]) -> Pending[Answer]:
    """Begin in a thread and return at once."""
    pending: Pending[Answer] = Pending(threading.Event(), [], [])

    def run() -> None:
        try:
            pending._answer.append(work())
        except Exception as error:  # noqa: BLE001 - it is raised again where the answer is awaited
            pending._error.append(error)
        finally:
            pending._done.set()

    threading.Thread(target=run, daemon=True).start()
    return pending


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """What the call returns or raises; TookTooLong after so many seconds."""
    pending = start(work)
    if not pending.wait(seconds):
        raise TookTooLong(f"no answer within {seconds:g} s")
    return pending.result()
