"""Peril: the moment at which a run is killed, counted in the steps that can be told apart."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from snapaudit.codec.files import Disk


class Killed(BaseException):
    """The process is gone. Nothing in it may catch this, as nothing could catch ``kill -9``."""


@dataclass(slots=True)
class Peril:
    """Counts every step; ``at`` is the one that kills, None for none.

    ``full`` is the step from which on nothing can be written any more; ``broken`` tells that this
    has come to light. ``slow`` is what happens while an entry is being written.

    A write has three steps: before it, in the middle of it (torn), and after its fsync.
    """

    at: int | None = None
    full: int | None = None
    broken: bool = False
    slow: Callable[[], object] = lambda: None
    steps: list[str] = field(default_factory=list)

    def step(self, name: str) -> bool:
        """Whether the run dies at this step."""
        self.steps.append(name)
        return len(self.steps) == self.at

    def point(self, name: str) -> None:
        if self.step(name):
            raise Killed(name)

    @property
    def disk(self) -> Disk:
        """A disk without the cost of an fsync, on which a write may be torn."""
        return Disk(write=self._write, sync=self._sync)

    def _write(self, handle: int, line: bytes) -> int:
        self.point("before the write")
        if self.full is not None and len(self.steps) >= self.full:
            self.broken = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.step("torn"):
            os.write(handle, line[: len(line) // 2])
            raise Killed("torn")
        return os.write(handle, line)

    def _sync(self, handle: int) -> None:
        self.slow()
        self.point("after fsync")
