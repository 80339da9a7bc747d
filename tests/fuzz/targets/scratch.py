"""Files for targets that read files: in memory, gone when the process ends that asked first."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from snapaudit.enforce.state import State, prepare

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@cache
def folder() -> Path:
    """A folder of this process and the children it forks."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    made, owner = tempfile.mkdtemp(prefix="snapaudit-fuzz-", dir=place), os.getpid()
    atexit.register(lambda: shutil.rmtree(made, True) if os.getpid() == owner else None)
    return Path(made)


def file(name: str, data: bytes) -> Path:
    """A file of that name with these bytes, and only them."""
    path = folder() / name
    path.write_bytes(data)
    return path


@cache
def state() -> State:
    """A state folder that was prepared."""
    made = State(folder() / "state")
    prepare(made)
    return made


def kept(path: Path, data: bytes) -> Path:
    """A file of the state folder, which nobody else may write to."""
    path.write_bytes(data)
    path.chmod(0o600)
    return path
