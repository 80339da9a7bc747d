"""The state folder: where plans, journal, holds and marks lie, and who may have written there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from snapaudit.codec.files import replace_file
from snapaudit.errors import RefusedError, SnapauditError

MODE = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class State:
    """A state folder and the paths in it. Naming them looks at nothing and creates nothing."""

    folder: Path

    @property
    def plans(self) -> Path:
        """Folder of the plans as reviewers edit them."""
        return self.folder / "plans"

    @property
    def sealed(self) -> Path:
        """Folder of the same plans as last sealed: which plans were made here."""
        return self.folder / "sealed"

    @property
    def journal(self) -> Path:
        """The journal, one entry a line."""
        return self.folder / "journal.jsonl"

    @property
    def head(self) -> Path:
        """Number and hash of the entry that was last when the last run ended."""
        return self.folder / "journal.head"

    @property
    def lock(self) -> Path:
        """What the run that may change something has locked."""
        return self.folder / "lock"

    @property
    def holds(self) -> Path:
        """What must never be deleted."""
        return self.folder / "holds.json"

    @property
    def marks(self) -> Path:
        """When findings that are announced first were announced."""
        return self.folder / "marks.json"

    @property
    def sightings(self) -> Path:
        """How much each endpoint showed when it was last seen whole."""
        return self.folder / "sightings.json"

    @property
    def last_audit(self) -> Path:
        """The whole audit of the last recorded run, compressed: what the weekly report is of."""
        return self.folder / "last-audit.json.gz"


def prepare(state: State) -> None:
    """Create the folder and those in it, or make sure that nobody else could have written there.

    Raises RefusedError naming the folder and the repair.
    """
    for folder in (state.folder, state.plans, state.sealed):
        try:
            folder.mkdir(mode=MODE, parents=True, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            raise RefusedError(
                f"{folder}: cannot be used: {error.strerror}; run as the user that the state "
                "folder belongs to, or name another one by `state:` in the configuration"
            ) from error
        complaint = distrust(found, wanted=stat.S_ISDIR)
        if complaint is not None:
            raise RefusedError(f"{folder}: {complaint}")


def distrust(found: os.stat_result, *, wanted: object = stat.S_ISREG) -> str | None:
    """Why something could have been put there by somebody else, with the repair; None: it is ours.

    ``wanted`` is the kind it must be: ``stat.S_ISREG``, or ``stat.S_ISDIR``.
    """
    noun = "folder" if wanted is stat.S_ISDIR else "file"
    is_wanted = stat.S_ISDIR if wanted is stat.S_ISDIR else stat.S_ISREG
    if not is_wanted(found.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "something else"
        return f"is {what}, not a {noun}; name the {noun} itself"
    if found.st_uid not in (0, os.geteuid()):
        return f"belongs to another user (id {found.st_uid}); chown it, after looking at it"
    if found.st_mode & _OTHERS_WRITE:
        return "others may write to it; look at it, then: chmod go-w"
    return None


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """The file behind a path as a handle, never through a link. Raises OSError.

    Opening a named pipe does not wait for a writer; `distrust` then says what it is.
    """
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def read_all(handle: int, limit: int) -> bytes:
    """What the file holds, at most ``limit`` bytes and one more, so that too much is noticed."""
    parts: list[bytes] = []
    left = limit + 1
    while left and (part := os.read(handle, min(left, 2**20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def store(path: Path, body: bytes) -> None:
    """Replace a file of the state folder, durably. Raises SnapauditError."""
    try:
        replace_file(path, body)
    except OSError as error:
        raise SnapauditError(f"{path}: cannot be written: {error.strerror}") from error
