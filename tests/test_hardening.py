"""No core dumps, and nothing uncensored on stderr: each looked at in a process of its own."""

from __future__ import annotations

import ctypes
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from snapaudit.app.worker import work_within

CANARY = "c0r3-kYx19-password"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
_PR_GET_DUMPABLE = 3
_LOOK = """
import ctypes, resource
print(resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


def hardened(code: str) -> subprocess.CompletedProcess[str]:
    """What a process says that was hardened before it runs the code."""
    lines = f"from snapaudit.hardening import harden\nharden()\n{code}"
    return subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, encoding="utf-8", check=False
    )


def _look(_tell: Callable[[object], None]) -> object:
    return resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(
        _PR_GET_DUMPABLE, 0, 0, 0, 0
    )


@LINUX
def test_grd_34_the_program_leaves_no_core() -> None:
    assert hardened(_LOOK).stdout.split() == ["0", "0"]


@LINUX
def test_grd_34_a_worker_process_leaves_no_core() -> None:
    answer = work_within(timedelta(seconds=60), _look, lambda _: None, threading.Event())
    assert answer == (0, 0)


@LINUX
def test_other_programs_that_it_starts_can_be_looked_at_as_ever() -> None:
    said = hardened(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_LOOK!r}])")
    assert said.stdout.split()[1] == "1"


def test_grd_34_a_crash_of_a_thread_or_a_library_tells_no_password() -> None:
    done = hardened(
        "import logging, threading\n"
        "from snapaudit.redaction import hide\n"
        f"hide({CANARY!r})\n"
        f"def fail(word): raise ValueError('no login with ' + word)\n"
        f"one = threading.Thread(target=fail, args=({CANARY!r},))\n"
        "one.start(); one.join()\n"
        f"logging.getLogger('sdk').warning('sent %s', {CANARY!r})\n"
        f"fail({CANARY!r})\n"
    )
    assert done.stderr.count("***") >= 3
    assert CANARY not in done.stderr
