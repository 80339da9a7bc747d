"""Runs a daemon and answers for every process that comes of it: none outlives this one.

Guests detach from the daemon that starts them. Here they become children of this process, which
collects them at once when they end (an idle init may take seconds, and libvirt waits for it). When
its standard input closes, which it does also when the tests are killed, it ends them all and
removes their folder.

A program of its own, run by its path: it imports nothing of the project.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_TO_END_BY_ITSELF = 10.0
_NAP = 0.005


def main(folder: str, *command: str) -> int:
    """Run the command and return when it and all its descendants have ended."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "cannot adopt the processes of the daemon")
    nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[nothing])
    told_to_end = threading.Event()
    threading.Thread(target=_end_with_input, args=(pid, told_to_end), daemon=True).start()
    _wait_for_all()
    if told_to_end.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _wait_for_all() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def _end_with_input(pid: int, told_to_end: threading.Event) -> None:
    while os.read(0, 1024):
        continue
    told_to_end.set()
    _tell(pid, signal.SIGTERM)
    deadline = time.monotonic() + _TO_END_BY_ITSELF
    while pid in _children() and time.monotonic() < deadline:
        time.sleep(_NAP)
    while True:
        for child in _children():
            _tell(child, signal.SIGKILL)
        time.sleep(_NAP)


def _children() -> set[int]:
    """Ids of our children, those included that ended a moment ago."""
    files = Path("/proc/self/task").glob("*/children")
    return {int(pid) for file in files for pid in file.read_text().split()}


def _tell(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
