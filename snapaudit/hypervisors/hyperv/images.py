"""Images: every disk file that was told of, by a key that names one file on the whole endpoint.

Two nodes mean the same file by a path on a cluster shared volume or a share, and each its own by
any other path: those keys begin with the node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.hyperv import paths
from snapaudit.hypervisors.hyperv.cluster import Found, Reading
from snapaudit.hypervisors.hyperv.rows import DiskRow, FileRow

FIXED, DIFFERENCING = 2, 4
# ERROR_FILE_NOT_FOUND and ERROR_PATH_NOT_FOUND as HRESULT, with and without the sign.
_NOT_THERE = frozenset({0x80070002, 0x80070003, 0x80070002 - 2**32, 0x80070003 - 2**32})
_FORMATS = {2: "vhd", 3: "vhdx", 4: "vhds"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which paths mean the same file to every node."""

    cluster_roots: frozenset[str]

    def key(self, node: str, path: str) -> str:
        """The key of the file that a node means by a path."""
        plain = paths.key(path)
        is_shared = paths.share(plain) or paths.cluster_folder(plain)
        if is_shared or paths.longest(plain, self.cluster_roots):
            return plain
        return f"{node}|{plain}"


def scope(reading: Reading) -> Scope:
    """What the cluster shared volumes of an endpoint are."""
    rows = (row for answer in reading.answers.values() for row in answer.volumes)
    return Scope(frozenset(paths.key(row.path) for row in rows if row.is_csv))


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A disk file. ``is_read``: its header was, so that ``parent`` None means that it has none.

    ``exists`` is False when the host says that it is gone, None when nobody could look.
    """

    key: str
    path: str
    size_bytes: int | None = None
    capacity_bytes: int | None = None
    kind: int | None = None
    format: str | None = None
    parent: str | None = None
    is_read: bool = False
    exists: bool | None = None

    @property
    def is_automatic(self) -> bool:
        """Whether the platform made it for a checkpoint or a backup."""
        return paths.is_automatic(self.key)


@dataclass(frozen=True, slots=True)
class Images:
    """All files by their keys, and the keys of the files that stand on each."""

    scope: Scope
    by_key: Mapping[str, Image]
    children: Mapping[str, tuple[str, ...]]

    def size(self, key: str) -> int | None:
        """The bytes of the file, None when nobody told."""
        return self.by_key[key].size_bytes

    def on(self, key: str) -> tuple[str, ...]:
        """The files that stand on it, of whatever machine."""
        return self.children.get(key, ())


def known(number: int | None) -> int | None:
    """A size as it was told; one below zero is none."""
    return number if number is not None and number >= 0 else None


def build(reading: Reading, found: Iterable[Found]) -> Images:
    """Every file of every drive, checkpoint and chain."""
    within = scope(reading)
    named = _named(found, within)
    told: dict[str, list[tuple[str, DiskRow]]] = {}
    for node, answer in reading.answers.items():
        for row in answer.disks:
            told.setdefault(within.key(node, row.path), []).append((node, row))
            named.setdefault(within.key(node, row.path), row.path)
    for node, row in (one for rows in told.values() for one in rows):
        if row.parent:
            named.setdefault(within.key(node, row.parent), row.parent)
    lengths, gone = dict(_lengths(reading, within)), set(_gone(reading, within))
    by_key = {
        key: _image(key, path, told.get(key, []), within, lengths.get(key), is_gone=key in gone)
        for key, path in named.items()
    }
    return Images(within, by_key, _children(by_key))


def _named(found: Iterable[Found], within: Scope) -> dict[str, str]:
    """How the management service spells paths: it writes those it reports again after a merge."""
    named: dict[str, str] = {}
    for machine in found:
        held = (drive for row in machine.checkpoints for drive in row.drives)
        for drive in (*machine.row.drives, *held):
            if drive.path:
                named.setdefault(within.key(machine.node, drive.path), drive.path)
    return named


def _image(
    key: str,
    path: str,
    told: list[tuple[str, DiskRow]],
    within: Scope,
    length: int | None,
    *,
    is_gone: bool,
) -> Image:
    if not told:
        return Image(key=key, path=path, size_bytes=length, exists=False if is_gone else None)
    parents = {within.key(node, row.parent) if row.parent else None for node, row in told}
    best = next((row for _, row in told if row.file_bytes is not None), told[0][1])
    parent = parents.pop() if len(parents) == 1 else None
    stands_on_something = best.type == DIFFERENCING or paths.is_automatic(key)
    measured = known(best.file_bytes)
    return Image(
        key=key,
        path=path,
        size_bytes=length if measured is None else measured,
        capacity_bytes=known(best.size_bytes),
        kind=best.type,
        format=_FORMATS.get(best.format or 0),
        parent=parent,
        # Two nodes that name different parents, or a differencing disk without one: not known.
        is_read=not parents and (parent is not None or not stands_on_something),
        exists=True,
    )


def _children(by_key: Mapping[str, Image]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for image in by_key.values():
        if image.parent is not None:
            found.setdefault(image.parent, []).append(image.key)
    return {key: tuple(sorted(standing)) for key, standing in found.items()}


def _lengths(reading: Reading, within: Scope) -> Iterator[tuple[str, int | None]]:
    for node, row in loose(reading):
        yield within.key(node, row.path), known(row.length)


def loose(reading: Reading) -> Iterator[tuple[str, FileRow]]:
    """What lies in the folders, each with the node that saw it."""
    for node, answer in reading.answers.items():
        yield from ((node, row) for row in answer.files)


def _gone(reading: Reading, within: Scope) -> Iterator[str]:
    for node, answer in reading.answers.items():
        for error in answer.errors:
            if error.id and error.number in _NOT_THERE:
                yield within.key(node, error.id)
