"""A round in a process of its own, which may be killed by what it reads and takes nothing along."""

from __future__ import annotations

import gc
import mmap
import os
import pickle
import signal

from tests.fuzz.engine import Report, Round, Stop
from tests.fuzz.finding import Finding, Kind
from tests.fuzz.limits import bound_memory, bound_time
from tests.fuzz.target import Target

_ROOM = 4 * 2**20
_HEAD = 8


class Slate:
    """The input that is being run, in memory that outlives who runs it."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _ROOM)

    def write(self, data: bytes) -> None:
        """What is about to be run."""
        kept = data[: _ROOM - _HEAD]
        self._memory[:_HEAD] = len(kept).to_bytes(_HEAD, "big")
        self._memory[_HEAD : _HEAD + len(kept)] = kept

    def bound(self, data: bytes) -> None:
        """The same, and the time of the process is bounded for it."""
        self.write(data)
        bound_time()

    def read(self) -> bytes:
        """What was run last."""
        return self._memory[_HEAD : _HEAD + int.from_bytes(self._memory[:_HEAD], "big")]


def fuzzed(target: Target, seed: int, stop: Stop) -> Report:
    """A round in a child. What kills the child is a finding; what raises in the round itself too.

    Called from a process with a single thread: others would not be there in the child.
    """
    slate = Slate()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(target, seed, stop, slate, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        raw = stream.read()
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == 0:
        report: Report = pickle.loads(raw)  # noqa: S301 - written by our own child
        return report
    return Report(target.name, findings=[_death(target, status, slate, raw)])


def _death(target: Target, status: int, slate: Slate, raw: bytes) -> Finding:
    code = os.waitstatus_to_exitcode(status)
    how = signal.Signals(-code).name if code < 0 else f"exit {code}"
    told = raw.decode("utf-8", "replace")[-2000:] or "killed by the kernel, or by itself"
    return Finding(target.name, Kind.DIED, how, slate.read(), told)


def _work(target: Target, seed: int, stop: Stop, slate: Slate, writing: int) -> None:
    code = 1
    try:
        # What a collector of garbage does in the middle of a run is nobody's cost.
        gc.disable()
        bound_memory()
        body = pickle.dumps(Round(target, seed, slate.bound).go(stop))
        code = 0
    except BaseException as error:  # noqa: BLE001 - a child must not return from here
        body = repr(error).encode()
    try:
        with os.fdopen(writing, "wb") as stream:
            stream.write(body)
    finally:
        os._exit(code)
