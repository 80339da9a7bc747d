"""Starts the program, or a module that runs it, as often as asked, forked off what has imported it.

Two thirds of a short run go into imports; here they are paid once. Every start still is a process
of its own with arguments, folder, environment and streams of its own, and ends as any other. It
shows no start from nothing: `running.py` says which tests have that. Run as a script, with the
number of the socket that the orders come from.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

_LONGEST = 1 << 20


def _import_all() -> None:
    import snapaudit
    from snapaudit.rules.purposes.classifier import classifier

    for module in pkgutil.walk_packages(snapaudit.__path__, "snapaudit."):
        if not module.name.endswith(".__main__"):
            with suppress(ImportError):  # an SDK may not be there; who needs it says so
                import_module(module.name)
    classifier()
    gc.freeze()


def _attend(orders: socket.socket) -> None:
    """Fork for each order; returns in a process that is to be the program."""
    while True:
        order, handles, *_ = socket.recv_fds(orders, _LONGEST, 4)
        if not order:
            raise SystemExit(0)
        if os.fork() == 0:
            orders.close()
            return _start(json.loads(order), handles)
        for handle in handles:
            os.close(handle)


def _start(order: dict[str, Any], handles: list[int]) -> None:
    """Become the program in a child, and tell its number and then how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, answers = handles
    pid = os.fork()
    if pid == 0:
        os.close(answers)
        _become(order, streams)
        return
    for handle in streams:
        os.close(handle)
    os.write(answers, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(order: dict[str, Any], streams: list[int]) -> None:
    for number, handle in enumerate(streams):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environ"])
    time.tzset()
    sys.path[0] = str(Path.cwd())
    sys.argv = [order["module"], *order["words"]]


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())  # as for `python -m`
    _import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _attend(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
