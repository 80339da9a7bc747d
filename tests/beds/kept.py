"""What beds keep from one test run to the next: never in the checkout, nor where others may write.

It lies in the virtual environment; without one, in a temporary folder that ends with the tests.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_DAY = 24 * 3600


@cache
def kept() -> Path:
    """The folder for it."""
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        folder = Path(sys.prefix) / "beds"
        folder.mkdir(exist_ok=True)
        return folder
    folder = Path(tempfile.mkdtemp(prefix="sa-kept-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Test runs side by side make a thing of this name one after the other."""
    with (kept() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def forget_older(pattern: str) -> None:
    """Remove what nobody made or renewed since yesterday, so that nobody may be about to use it."""
    for path in kept().glob(pattern):
        if path.stat().st_mtime > time.time() - 2 * _DAY:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
