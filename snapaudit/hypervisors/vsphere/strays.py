"""Which of a datastore's virtual-disk files are used by no machine, and what they look like."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from snapaudit.hypervisors.vsphere.raw import FoundFile
from snapaudit.model.inventory import Datastore, StrayFile, StrayKind

_EXTENT = re.compile(r"-(?:flat|delta|sesparse|rdmp?|[sf]\d{3})(?=\.vmdk$)", re.IGNORECASE)
_DELTA = re.compile(r"-\d{6}(?:-(?:delta|sesparse))?\.vmdk$", re.IGNORECASE)
# Folders at the root of a datastore in which products keep disks that no machine need have.
_FOLDERS: Mapping[str, str] = {
    "fcd": "first-class disks",
    "kubevols": "volumes of containers",
    "appvolumes": "application volumes",
    "cloudvolumes": "application volumes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a search is held against.

    ``used`` are the files of all machines by `key`; a file changed at or after ``settled_at`` may
    be in the making. ``here`` is ``this vCenter`` or ``this host``.
    """

    used: frozenset[str]
    settled_at: datetime
    here: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Files that nothing uses, and how many unused ones were not judged, by the reason."""

    strays: tuple[StrayFile, ...]
    passed_over: Mapping[str, int]


def key(path: str) -> str:
    """A datastore path in the one form in which paths are compared."""
    store, _, rest = unquote(path).partition("]")
    return f"{store}] " + re.sub(r"/+", "/", rest.strip()).lstrip("/")


def judge(store: Datastore, found: Iterable[FoundFile], ground: Ground) -> Judged:
    """What of a datastore's files is left when all that is used or kept by others is taken away.

    An extent belongs to its descriptor; it stands for itself only where that is gone.
    """
    unused = [one for one in found if key(one.path) not in ground.used]
    strays, passed_over = list[StrayFile](), Counter[str]()
    for file, extents in _disks(unused, ground.used):
        why = _kept_by_others(file.path) or _in_the_making((file, *extents), ground.settled_at)
        if why is not None:
            passed_over[why] += 1
        else:
            strays.append(_stray(store, file, _size(file, extents), ground.here))
    return Judged(strays=tuple(strays), passed_over=passed_over)


def _disks(
    unused: Sequence[FoundFile], used: frozenset[str]
) -> Iterator[tuple[FoundFile, Sequence[FoundFile]]]:
    """Each disk with its extents."""
    extents = defaultdict[str, list[FoundFile]](list)
    present = {key(one.path) for one in unused} | used
    for one in unused:
        owner = _EXTENT.sub("", key(one.path))
        if owner != key(one.path) and owner in present:
            extents[owner].append(one)
    belonging = {id(one) for group in extents.values() for one in group}
    for one in unused:
        if id(one) not in belonging:
            yield one, extents.get(key(one.path), ())


def _kept_by_others(path: str) -> str | None:
    """Whose files lie there, where they are no machine's own; None: nobody's that is known."""
    *folders, name = key(path).partition("] ")[2].lower().split("/")
    if name.endswith("-ctk.vmdk"):
        return "change tracking"
    if name.startswith("hbrdisk."):
        return "replication"
    if folders and folders[0].startswith("contentlib-"):
        return "content libraries"
    return _FOLDERS.get(folders[0]) if folders else None


def _in_the_making(parts: Iterable[FoundFile], settled_at: datetime) -> str | None:
    is_young = any(one.changed_at is not None and one.changed_at >= settled_at for one in parts)
    return "files that were changed just before" if is_young else None


def _size(file: FoundFile, extents: Sequence[FoundFile]) -> int | None:
    """Some servers give a descriptor the size of its whole disk, others its own few bytes."""
    sizes = [one.size for one in extents if one.size is not None]
    if file.size is None or len(sizes) < len(extents):
        return None
    return max(file.size, sum(sizes))


def _stray(store: Datastore, file: FoundFile, size: int | None, here: str) -> StrayFile:
    is_delta = _DELTA.search(file.path) is not None
    what = "a delta" if is_delta else "a disk"
    if _EXTENT.search(file.path):
        what = "a part of a disk, without its descriptor,"
    return StrayFile(
        id=f"{store.id}:{file.path}",
        name=key(file.path).partition("] ")[2].rpartition("/")[2],
        path=file.path,
        kind=StrayKind.OVERLAY if is_delta else StrayKind.VOLUME,
        datastore_id=store.id,
        size_bytes=size,
        reason=(
            f"{what} that no machine of {here} uses, as far as this account sees machines; "
            f"one outside {here} may, if it reaches the datastore"
        ),
        changed_at=file.changed_at,
    )
