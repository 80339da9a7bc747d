"""State folders for searching tests, which need thousands of them: in memory where there is any."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of our own in it, which nobody else may enter)


@contextmanager
def quick_folder() -> Iterator[Path]:
    name = tempfile.mkdtemp(prefix="snapaudit-", dir=_MEMORY if _MEMORY.is_dir() else None)
    try:
        yield Path(name) / "state"
    finally:
        shutil.rmtree(name)
