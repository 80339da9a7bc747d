"""One run of a target: how it ended, and what it cost in processor time and memory.

Time is that of the processor, since a test machine has other work. Memory is what the process held
at its highest, counted by the kernel, so that what C libraries take counts too.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

MOST_SECONDS = 1.0
MOST_BYTES = 256 * 2**20
# Where nothing but the kernel can end a run: in C, or in code that catches everything.
_HARD_SECONDS = 20
_HARD_BYTES = 2**30
_AGAIN = 0.5
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_FORGET_THE_PEAK = b"5"


class TooSlow(BaseException):
    """Raised into a run that takes too long; no handler for errors may catch it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time, and bytes above what was held before."""

    seconds: float
    held: int


NOTHING = Cost(0.0, 0)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; ``error`` None: well."""

    error: BaseException | None
    cost: Cost


def measured(run: Callable[[bytes], object], data: bytes, seconds: float) -> Ended:
    """Run it for so many seconds of processor time at most."""
    before, began = _held("VmRSS"), time.process_time()
    error: BaseException | None = None
    try:
        with _alarm(seconds):
            run(data)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as caught:  # noqa: BLE001 - every end is a result here
        error = caught
    spent = time.process_time() - began
    return Ended(error, Cost(spent, max(0, _held("VmHWM") - before)))


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    _RESET.write_bytes(_FORGET_THE_PEAK)
    old = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


def _held(what: str) -> int:
    for line in _STATUS.read_text("ascii").splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc tells no {what}")


def bound_memory() -> None:
    """For a process that is made for this: more than a GiB beyond today's is refused."""
    most = _held("VmSize") + _HARD_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def bound_time() -> None:
    """The same for the next run: the kernel ends the process when nothing else does."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    times = os.times()
    resource.setrlimit(resource.RLIMIT_CPU, (int(times.user + times.system) + _HARD_SECONDS, hard))
