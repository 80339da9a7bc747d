"""What a process that holds passwords does first: no core dumps, nothing uncensored on stderr."""

from __future__ import annotations

import ctypes
import resource
import sys

from snapaudit.redaction import censored

_PR_SET_DUMPABLE = 4


def harden() -> None:
    """For the program and each of its worker processes.

    Children that are other programs can be dumped as ever: exec takes that back.
    """
    no_core_dumps()
    sys.stderr = censored(sys.stderr)


def no_core_dumps() -> None:
    """Memory with passwords in it never becomes a file.

    The limit alone is not enough: where the kernel hands dumps to a program (systemd-coredump) it
    is not asked. Not being dumpable is, and also keeps debuggers of the same user away (prctl(2)).
    """
    _soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
