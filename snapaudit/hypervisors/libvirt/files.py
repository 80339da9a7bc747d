"""Looks at image files, where they can be reached: on this machine, through the daemon, or not.

What cannot be looked at is answered with the reason, which travels on as that of an unknown size.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from snapaudit.hypervisors.libvirt.birth import birth_of
from snapaudit.hypervisors.libvirt.qcow2 import LocalSource, Qcow2Error, Source

_BLOCK = 512
_NO_TIME = "no time was left to read the image; give the endpoint a longer deadline"
_SAVE_MAGIC = b"LibvirtQemudSave"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What is known of one file; ``exists`` None: nobody could look.

    ``mark`` tells it from another that later has its name, whatever is written to it.
    """

    exists: bool | None
    mark: str | None = None
    used_bytes: int | None = None
    is_device: bool = False
    changed_at: datetime | None = None


NOTHING_KNOWN = FileFacts(exists=None)


class Files(Protocol):
    """The image files behind one daemon."""

    @property
    def reads_images(self) -> bool:
        """Whether images can be opened at all; when not, ``open`` always gives the same reason."""
        ...

    def look(self, path: str) -> FileFacts:
        """Size and existence of a file; never raises."""
        ...

    def open(self, path: str) -> Source | str:
        """The bytes of an image, or the reason in words why they cannot be read."""
        ...

    def resolve(self, path: str) -> str:
        """One name for one file: links followed where that is possible."""
        ...

    def free_bytes(self, folder: str) -> tuple[int, int] | None:
        """Capacity and free bytes of the file system of a folder, now."""
        ...

    def listing(self, folder: str) -> tuple[str, ...] | None:
        """The paths of the files in a folder, now; None when it cannot be listed."""
        ...


class UnreachableFiles:
    """Images that cannot be looked at from here, for a reason."""

    reads_images = False

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def look(self, path: str) -> FileFacts:
        """Nothing is known."""
        del path
        return NOTHING_KNOWN

    def open(self, path: str) -> Source | str:
        """The reason."""
        del path
        return self.reason

    def resolve(self, path: str) -> str:
        """The path, tidied; links cannot be followed."""
        return posixpath.normpath(path) if path.startswith("/") else path

    def free_bytes(self, folder: str) -> tuple[int, int] | None:
        """Not known."""
        del folder
        return None

    def listing(self, folder: str) -> tuple[str, ...] | None:
        """Not known."""
        del folder
        return None


class LocalFiles:
    """Images that are files of this machine, each looked at once in the life of this object.

    ``has_time`` is asked before an image is opened: large ones take seconds to measure, and some
    sizes unknown are better than a host that is missing because its deadline passed.
    """

    reads_images = True

    def __init__(self, has_time: Callable[[], bool] = lambda: True) -> None:
        self._has_time = has_time
        self._seen: dict[str, FileFacts] = {}
        self._resolved: dict[str, str] = {}

    def look(self, path: str) -> FileFacts:
        """From the file system."""
        if path not in self._seen:
            self._seen[path] = _look(path)
        return self._seen[path]

    def open(self, path: str) -> Source | str:
        """The file, opened for reading; no lock is taken."""
        if not self._has_time():
            return _NO_TIME
        try:
            return LocalSource(path)
        except PermissionError:
            return "the image file may not be read by this account"
        except (OSError, ValueError, Qcow2Error) as error:
            return f"the image file cannot be read: {getattr(error, 'strerror', None) or error}"

    def resolve(self, path: str) -> str:
        """Links followed; what is no path of a file stays as it is."""
        if path not in self._resolved:
            self._resolved[path] = os.path.realpath(path) if path.startswith("/") else path
        return self._resolved[path]

    def free_bytes(self, folder: str) -> tuple[int, int] | None:
        """From the file system, as of now."""
        try:
            system = os.statvfs(folder)
        except OSError:
            return None
        return system.f_blocks * system.f_frsize, system.f_bavail * system.f_frsize

    def listing(self, folder: str) -> tuple[str, ...] | None:
        """From the file system; hidden files are no images and are left out."""
        try:
            with os.scandir(folder) as found:
                files = [item.path for item in found if item.is_file() and item.name[0] != "."]
        except OSError:
            return None
        return tuple(sorted(files))


def _look(path: str) -> FileFacts:
    try:
        facts = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return FileFacts(exists=False)
    except (OSError, ValueError):
        return NOTHING_KNOWN
    return FileFacts(
        exists=True,
        mark=f"{facts.st_ino}@{birth_of(path)}",
        used_bytes=facts.st_blocks * _BLOCK,
        is_device=not stat.S_ISREG(facts.st_mode),
        changed_at=datetime.fromtimestamp(int(facts.st_mtime), UTC),
    )


class DownloadedFiles(UnreachableFiles):
    """Images of another machine, read piece by piece through their storage pool."""

    reads_images = True

    def __init__(
        self,
        download: Callable[[str, int, int], bytes],
        length: dict[str, int],
        has_time: Callable[[], bool] = lambda: True,
    ) -> None:
        super().__init__("the image lies in no storage pool, so the daemon cannot hand it out")
        self._download, self._length, self._has_time = download, length, has_time

    def open(self, path: str) -> Source | str:
        """The volume of that path, or the reason why the daemon gives none."""
        if not self._has_time():
            return _NO_TIME
        size = self._length.get(path)
        return self.reason if size is None else _Volume(self._download, path, size)


@dataclass(frozen=True, slots=True)
class _Volume:
    download: Callable[[str, int, int], bytes]
    path: str
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        wanted = max(0, min(length, self.size - offset))
        return self.download(self.path, offset, wanted) if wanted else b""


def is_saved_memory(files: Files, path: str) -> bool:
    """Whether a file begins like a memory image that libvirt wrote (its header's magic word)."""
    source = files.open(path)
    if isinstance(source, str):
        return False
    try:
        return source.read_at(0, len(_SAVE_MAGIC)) == _SAVE_MAGIC
    except OSError:
        return False
