"""The reports folder: which dated folders lie in it, and a new one put beside them.

A folder is ours by the ``edition.json`` in it. What has none is somebody else's: it is neither
listed nor touched.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from snapaudit.codec.documents import from_json, to_json
from snapaudit.codec.files import replace_file
from snapaudit.errors import InputError, RefusedError, SnapauditError
from snapaudit.model.edition import EDITION_SCHEMA, Edition, Shelved

MARK = "edition.json"
INDEX = "index.html"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LARGEST_MARK = 2**20


def shelved(folder: Path) -> tuple[Shelved, ...]:
    """Every dated folder of ours, the newest first; one whose mark is damaged with the reason."""
    try:
        days = sorted((one.name for one in folder.iterdir() if _is_ours(one)), reverse=True)
    except OSError as error:
        raise SnapauditError(f"{folder}: cannot be read: {error.strerror}") from error
    return tuple(_read(folder / day) for day in days)


def _is_ours(path: Path) -> bool:
    is_dated = _DAY.fullmatch(path.name) is not None
    return is_dated and not path.is_symlink() and (path / MARK).is_file()


def _read(folder: Path) -> Shelved:
    try:
        return Shelved(day=folder.name, edition=_edition(folder / MARK))
    except (OSError, InputError) as error:
        return Shelved(day=folder.name, edition=None, complaint=f"it cannot be read: {error}")


def _edition(path: Path) -> Edition:
    if path.is_symlink() or path.stat().st_size > _LARGEST_MARK:
        raise InputError(str(path), "is no list of files that was written here")
    found = from_json(Edition, path.read_bytes(), str(path))
    if found.schema != EDITION_SCHEMA:
        raise InputError(str(path), f"expected {EDITION_SCHEMA}, found {found.schema}")
    return found


def put(folder: Path, edition: Edition, bodies: Mapping[str, bytes]) -> Path:
    """Write a report's files into the folder of its day; a report of that day is replaced.

    The mark comes last: after a crash the folder still says what was there before. Files may be
    read by whoever may read the reports folder, which is made for its owner alone.
    """
    place = folder / f"{edition.reported_at:%Y-%m-%d}"
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()}
    mark = to_json(replace(edition, files=digests)).encode()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
        _refuse_foreign(place)
        place.mkdir(exist_ok=True)
        place.chmod(0o700 | mode & 0o055)
        for name, body in (*bodies.items(), (MARK, mark)):
            replace_file(place / name, body, mode=0o600 | mode & 0o044)
    except OSError as error:
        raise SnapauditError(f"{place}: cannot be written: {error.strerror}") from error
    return place


def put_index(folder: Path, body: bytes) -> Path:
    """Replace the list of all reports."""
    path = folder / INDEX
    mode = stat.S_IMODE(folder.stat().st_mode)
    try:
        replace_file(path, body, mode=0o600 | mode & 0o044)
    except OSError as error:
        raise SnapauditError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def _refuse_foreign(place: Path) -> None:
    """A folder that was there before, and not from here, is not written into."""
    if place.is_symlink() or (place.exists() and not _is_ours(place) and any(place.iterdir())):
        raise RefusedError(f"{place}: was not written here; move it away, then publish again")
