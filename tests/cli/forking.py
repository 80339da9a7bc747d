"""The other end of `forks.py`: has the program started there, and waits until it has ended."""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FORKS = Path(__file__).with_name("forks.py")


def run(
    module: str, words: tuple[str, ...], cwd: Path, environ: Mapping[str, str], within: float
) -> tuple[int, bytes, bytes]:
    """Exit code and both streams of ``python -m module``; a failure when it takes longer."""
    ends = [os.pipe() for _ in range(3)]
    with Path(os.devnull).open("rb") as nothing:
        said = {"module": module, "words": words, "cwd": str(cwd), "environ": dict(environ)}
        order = json.dumps(said).encode()
        theirs = [nothing.fileno(), *(write for _, write in ends)]
        socket.send_fds(_forks(environ.get("PYTHONPATH"), environ.get("LANG")), [order], theirs)
    for handle in theirs[1:]:
        os.close(handle)
    out, err, told = _read([read for read, _ in ends], time.monotonic() + within)
    return int(told.split()[1]), out, err


def _read(handles: list[int], until: float) -> list[bytes]:
    """What comes out of pipes until their end."""
    read = dict.fromkeys(handles, b"")
    with selectors.DefaultSelector() as selector:
        for handle in handles:
            selector.register(handle, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(max(0, until - time.monotonic())):
                piece = os.read(key.fd, 1 << 16)
                read[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
                    os.close(key.fd)
            if time.monotonic() > until:
                os.kill(int(read[handles[-1]].split()[0]), signal.SIGKILL)
                raise TimeoutError(f"it does not end: {read[handles[1]].decode()[-2000:]}")
    return list(read.values())


@cache
def _forks(pythonpath: str | None, lang: str | None) -> socket.socket:
    """The process that forks, for what an interpreter reads of its environment when it starts."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": pythonpath, "LANG": lang}
    process = subprocess.Popen(
        [sys.executable, str(_FORKS), str(theirs.fileno())],
        env={name: value for name, value in environ.items() if value is not None},
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours
