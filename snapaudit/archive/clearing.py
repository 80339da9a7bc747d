"""Old reports are taken away, and nothing else: a folder in which anything was changed stays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from snapaudit.archive.shelf import MARK, shelved
from snapaudit.model.edition import Edition, Shelved


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """Days whose folder is gone, and days that stay although they are old, each with the reason."""

    gone: tuple[str, ...]
    staying: tuple[tuple[str, str], ...]


def clear(folder: Path, keep: int) -> Cleared:
    """Remove all but the newest ``keep`` reports."""
    gone, staying = [], []
    for one in shelved(folder)[max(1, keep) :]:
        complaint = _take_away(folder / one.day, one)
        if complaint is None:
            gone.append(one.day)
        else:
            staying.append((one.day, complaint))
    return Cleared(gone=tuple(gone), staying=tuple(staying))


def _take_away(place: Path, one: Shelved) -> str | None:
    if one.edition is None:
        return one.complaint
    try:
        # What lies there is removed, never what the mark names: that could lie anywhere.
        found = sorted(place.iterdir(), key=lambda path: path.name == MARK)
        complaint = _changed(found, one.edition)
        if complaint is not None:
            return complaint
        for path in found:
            path.unlink()
        place.rmdir()
    except OSError as error:
        return f"it cannot be removed: {error.strerror}"
    return None


def _changed(found: Iterable[Path], edition: Edition) -> str | None:
    """What in the folder is not as it was written; a file that is already gone is no loss."""
    for path in found:
        if path.name == MARK:
            continue
        if path.name not in edition.files:
            return f"it holds {path.name}, which was not written here"
        if not path.is_file() or path.is_symlink():
            return f"{path.name} is no file any more"
        if hashlib.sha256(path.read_bytes()).hexdigest() != edition.files[path.name]:
            return f"{path.name} was changed since it was written"
    return None
