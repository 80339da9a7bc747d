"""Waiting, bounded, for a condition or for processes to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

_NAP = 0.005


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Return as soon as the condition holds; TimeoutError naming ``what`` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(_NAP)


def is_alive(pid: int) -> bool:
    """Whether a process still runs. One that ended and that nobody waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def alive(pids: Iterable[int]) -> list[int]:
    """Those of the processes that still run."""
    return [pid for pid in pids if is_alive(pid)]


def belonging_to(folder: Path) -> list[int]:
    """Processes whose command line or environment names a folder, as far as we may look."""
    entries = (entry for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return alive(int(entry.name) for entry in entries if str(folder).encode() in _about(entry))


def _about(entry: Path) -> bytes:
    text = b""
    for name in ("cmdline", "environ"):
        try:
            text += (entry / name).read_bytes()
        except OSError:
            continue
    return text
