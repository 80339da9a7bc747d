"""Runs snapaudit in this process, and kills the process at a chosen entry of the journal.

``python -m tests.enforcement.dying MOMENT N WORDS...`` is ``snapaudit WORDS...`` that dies of
SIGKILL at the N-th entry it writes: before it, in the middle of its line, or once it is on the
disk. The product has no place to ask for that.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from enum import StrEnum

from snapaudit.__main__ import main
from snapaudit.enforce.journal import Journal

_TO_ARRIVE = 0.3


class Moment(StrEnum):
    """When it dies, by the entry it writes.

    ``before``: at once, so that nobody knows whether the call before it has left this process.
    ``torn``: half of the line is written, and a call before it has long arrived. ``after``: the
    entry is on the disk.
    """

    BEFORE = "before"
    TORN = "torn"
    AFTER = "after"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _dying(write: Callable[[Journal, bytes], None], moment: Moment, at: int) -> object:
    left = at

    def written(journal: Journal, line: bytes) -> None:
        nonlocal left
        left -= 1
        if left == 0 and moment is Moment.BEFORE:
            _die()
        if left == 0 and moment is Moment.TORN:
            time.sleep(_TO_ARRIVE)
            os.write(journal._handle, line[: len(line) // 2])
            _die()
        write(journal, line)
        if left == 0:
            _die()

    return written


if __name__ == "__main__":
    _, when, number, *words = sys.argv
    dies = _dying(Journal._write, Moment(when), int(number))
    setattr(Journal, "_write", dies)  # noqa: B010 - assigning to a method is no ordinary thing
    sys.argv = ["snapaudit", *words]
    main()
