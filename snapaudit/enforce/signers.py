"""The list of those who may approve: nothing that whoever runs the program could have written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from snapaudit.enforce.state import opened, read_all
from snapaudit.errors import RefusedError

MAX_BYTES = 2**20
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_REPAIR = "it has to belong to root, with `chmod 644`, in folders of root"


def read_signers(path: Path) -> bytes:
    """The list. Raises RefusedError where the running user could have changed or replaced it."""
    place = path.absolute()
    try:
        if Path(os.path.realpath(place)) != Path(os.path.normpath(place)):
            raise RefusedError(f"{path}: is, or lies behind, a symbolic link; name the file itself")
        with opened(place) as handle:
            _check_file(path, handle)
            for folder in place.parents:
                _check_folder(path, folder)
            raw = read_all(handle, MAX_BYTES)
    except OSError as error:
        raise RefusedError(f"{path}: the signers cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise RefusedError(f"{path}: is larger than 1 MiB, which no list of signers is")
    return raw


def _check_file(path: Path, handle: int) -> None:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError(f"{path}: is no regular file")
    if _is_ours(found) or _may_write(Path(f"/proc/self/fd/{handle}"), found):
        raise RefusedError(
            f"{path}: the user who runs snapaudit could have written who may approve; {_REPAIR}"
        )


def _check_folder(path: Path, folder: Path) -> None:
    found = folder.stat()
    # In a sticky folder others' files stay where they are, and all on this way are others'.
    is_sticky = bool(found.st_mode & stat.S_ISVTX)
    if _is_ours(found) or (_may_write(folder, found) and not is_sticky):
        raise RefusedError(
            f"{path}: the user who runs snapaudit could replace it, by way of {folder}; {_REPAIR}"
        )


def _is_ours(found: os.stat_result) -> bool:
    """Root runs everything and owns everything: there only what others own is in doubt."""
    user = os.geteuid()
    return found.st_uid != 0 if user == 0 else found.st_uid == user


def _may_write(path: Path, found: os.stat_result) -> bool:
    if os.geteuid() == 0:
        return bool(found.st_mode & _OTHERS_WRITE)
    return os.access(path, os.W_OK, effective_ids=True)
