"""Does one piece of work in a process of its own, which can be ended when its deadline is over.

An SDK that waits for an answer cannot be interrupted from within: a daemon that accepts a
connection and then says nothing would hold the whole run.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext

from snapaudit import registry
from snapaudit.hardening import harden

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


Work = Callable[[Callable[[object], None]], object]


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


def preload(kinds: Iterable[str]) -> None:
    """Let what these platforms import be imported once for all processes to come.

    It has effect before the first process alone, and none where processes are spawned.
    """
    modules = [__name__]
    for kind in sorted(set(kinds) & set(registry.usable())):
        modules += registry.modules(kind)
    multiprocessing.set_forkserver_preload(modules)


@cache
def _context() -> SpawnContext | ForkServerContext:
    """Where processes come from: forked off a server that runs no thread and reads nothing itself.

    Its socket needs a folder for temporary files; without one, every process starts from nothing.
    """
    try:
        with _deaf_to_interrupts():
            forkserver.ensure_running()
    except OSError:
        return multiprocessing.get_context("spawn")
    return multiprocessing.get_context("forkserver")


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """What is started in here gets no Ctrl-C, which is for the parent to answer.

    The server ignores it by itself, but only once it has imported all: until then it would end
    with a traceback on the terminal. Its companion is started first: that lets Ctrl-C in again.
    """
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _process(work: Work) -> Iterator[tuple[multiprocessing.process.BaseProcess, Connection]]:
    _may_have_children()
    context = _context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, work, dict(os.environ)), daemon=True)
    try:
        process.start()
        theirs.close()
        yield process, ours
    finally:
        ours.close()
        theirs.close()
        _end(process)


def _may_have_children() -> None:
    """A worker of a cluster is a daemon, which multiprocessing lets have no children.

    That rule is there so that none is left behind; ours end with their parent by themselves.
    """
    if multiprocessing.parent_process() is not None:
        multiprocessing.current_process().daemon = False


def _end(process: multiprocessing.process.BaseProcess) -> None:
    if process.pid is None:
        return
    # The server that forked it reaps it at once: the number of one that ended may be another's.
    if process.is_alive():
        process.kill()
    process.join()
    process.close()


def _work(answers: Connection, work: Work, environ: Mapping[str, str]) -> None:
    harden()
    # The server was started with the environment of its first day.
    os.environ.clear()
    os.environ.update(environ)
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
