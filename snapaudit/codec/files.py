"""Files that are replaced in one step: whoever reads one sees the old text or the new, whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Disk:
    """How bytes reach the disk. A test puts a failing one in its place."""

    write: Callable[[int, bytes], int] = os.write
    sync: Callable[[int], None] = os.fsync


DISK = Disk()


def replace_file(path: Path, body: bytes, disk: Disk = DISK, *, mode: int = 0o600) -> None:
    """Replace a file and return once it would outlast a power cut.

    A full disk leaves the old file as it was, and nothing else behind. Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        try:
            _write_all(handle, body, disk)
            os.fchmod(handle, mode)
            disk.sync(handle)
        finally:
            os.close(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent, disk)


def sync_folder(folder: Path, disk: Disk = DISK) -> None:
    """Make the names in a folder outlast a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        disk.sync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, body: bytes, disk: Disk) -> None:
    view = memoryview(body)
    while view:
        view = view[disk.write(handle, bytes(view[: 2**24])) :]
