"""Reads one endpoint in a process of its own, which can be ended when its deadline is over.

An SDK that waits for an answer cannot be interrupted from within: a daemon that accepts a
connection and then says nothing would hold the whole run.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection

from snapaudit import registry
from snapaudit.errors import SnapauditError
from snapaudit.hardening import harden
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.ports import Progress, Step
from snapaudit.redaction import hide, redacted

_SPAWN = multiprocessing.get_context("spawn")
_LOOK_EVERY = 0.2
_TO_END_BY_ITSELF = 2.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an endpoint could not be read, in one sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Last:
    """What the work came to; everything that was sent before is news from under way."""

    answer: object


Answer = Inventory | Failure
Work = Callable[[Callable[[object], None]], object]


def read_within_deadline(
    endpoint: Endpoint,
    password: str | None,
    now: datetime,
    progress: Progress,
    stop: threading.Event,
) -> Answer:
    """The endpoint's inventory, or why there is none. Never raises for what the endpoint does."""

    def hear(news: object) -> None:
        if isinstance(news, Step):
            progress(news)

    answer = work_within(endpoint.deadline, partial(collect, endpoint, password, now), hear, stop)
    if isinstance(answer, Inventory | Failure):
        return answer
    raise AssertionError(f"the reading process sent {type(answer).__name__}")


def work_within(
    deadline: timedelta, work: Work, hear: Callable[[object], None], stop: threading.Event
) -> object:
    """What the work returns, done in a process of its own; a Failure when it does not end in time.

    The work is handed a function to send news by, which ``hear`` gets. It has to be picklable.
    """
    with _process(work) as (process, ours):
        until = time.monotonic() + deadline.total_seconds()
        while not stop.is_set():
            left = until - time.monotonic()
            if left <= 0:
                seconds = f"{deadline.total_seconds():g}"
                return Failure(f"no complete answer within its deadline of {seconds} s")
            try:
                message = ours.recv() if ours.poll(min(left, _LOOK_EVERY)) else None
            except EOFError:
                process.join()
                return Failure(f"the reading process ended unexpectedly (code {process.exitcode})")
            if isinstance(message, _Last):
                process.join(_TO_END_BY_ITSELF)
                return message.answer
            if message is not None:
                hear(message)
        return Failure("interrupted")


@contextmanager
def _process(work: Work) -> Iterator[tuple[multiprocessing.process.BaseProcess, Connection]]:
    ours, theirs = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_work, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        ours.close()
        process.kill()
        process.join()
        process.close()


def _work(answers: Connection, work: Work) -> None:
    harden()
    # Ctrl-C reaches the whole process group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answers.send(_Last(work(answers.send)))
    except BrokenPipeError:
        return


def _end_with_parent() -> None:
    """A parent that was killed can end nobody: else a hung call would outlive it for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def collect(endpoint: Endpoint, password: str | None, now: datetime, progress: Progress) -> Answer:
    """Read an endpoint in this process."""
    hide(password)
    try:
        platform = registry.hypervisor(endpoint.kind)
        return platform.collect(endpoint, password, now, progress)
    except SnapauditError as error:
        return Failure(str(error))
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - one broken endpoint must not take the run with it
        return Failure(redacted(f"internal error: {type(error).__name__}: {error}"))
