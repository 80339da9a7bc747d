"""A vim.vm.FileLayoutEx from a row of events: most of the elements of a whole reading."""

from __future__ import annotations

from sys import intern

from snapaudit.hypervisors.vsphere.raw import (
    NO_FILE,
    RawChain,
    RawFile,
    RawLayout,
    RawSnapshotLayout,
)
from snapaudit.hypervisors.vsphere.soap.row import VAL, Known, Next, Unusual
from snapaudit.hypervisors.vsphere.soap.simple import boolean, moment

_FILE, _DISK, _CHAIN, _FILE_KEY = map(intern, ("file", "disk", "chain", "fileKey"))
_SNAPSHOT, _DATA, _MEMORY, _AT = map(intern, ("snapshot", "dataKey", "memoryKey", "timestamp"))
_KEY, _NAME, _TYPE, _SIZE = map(intern, ("key", "name", "type", "size"))
_UNIQUE, _BACKING, _ACCESSIBLE = map(intern, ("uniqueSize", "backingObjectId", "accessible"))
NAMES = (
    *(_FILE, _DISK, _CHAIN, _FILE_KEY, _SNAPSHOT, _DATA, _MEMORY, _AT),
    *(_KEY, _NAME, _TYPE, _SIZE, _UNIQUE, _BACKING, _ACCESSIBLE),
)


class Layouts:
    """Reads one layout after the other; words that many files share are kept once.

    Fields gather until what holds them ends. A snapshot's ``key`` is put aside when ``dataKey``
    follows it, for its disks have one as well; the disks up to its end are its own.
    """

    def __init__(self) -> None:
        self._words: dict[str, str] = {}

    def read(self, take: Next, known: Known) -> RawLayout:
        """A layout."""
        self._begin()
        at = None
        while (event := take()) is not VAL:
            if known(event) is event:
                self._end(event)
                continue
            name = take()
            if name is _NAME:
                self._file(event, take, known)
            elif name is _FILE_KEY:
                self._unit.append(int(event))
            elif name is _DATA:
                self._begin_snapshot(int(event))
            elif name is _AT:
                at = event
            else:
                self._fields[name] = event
        return RawLayout(self._files, tuple(self._own), tuple(self._snapshots), moment(at))

    def _begin(self) -> None:
        self._fields: dict[str, str] = {}
        self._files: dict[int, RawFile] = {}
        self._unit: list[int] = []
        self._chain: list[tuple[int, ...]] = []
        self._disks: list[RawChain] = []
        self._own = self._disks
        self._snapshots: list[RawSnapshotLayout] = []

    def _file(self, name: str, take: Next, known: Known) -> None:
        """The rest of a file, up to its end. What is not always there comes last."""
        kind, end_of_kind, size, end_of_size = take(), take(), take(), take()
        if end_of_kind is not _TYPE or end_of_size is not _SIZE:
            raise Unusual
        rest = {}
        while (text := take()) is not _FILE:
            if known(text) is text:
                raise Unusual
            rest[take()] = text
        unique, accessible = rest.get(_UNIQUE), rest.get(_ACCESSIBLE)
        key = int(self._fields.pop(_KEY))
        self._files[key] = RawFile(
            key,
            name,
            self._words.setdefault(kind, kind),
            int(size),
            None if unique is None else int(unique),
            rest.get(_BACKING),
            None if accessible is None else boolean(accessible),
        )

    def _begin_snapshot(self, data_key: int) -> None:
        self._head = (self._fields.pop(_KEY), data_key)
        self._disks = []

    def _end(self, name: str) -> None:
        if name is _CHAIN:
            self._chain.append(tuple(self._unit))
            self._unit = []
        elif name is _DISK:
            self._end_disk()
        elif name is _SNAPSHOT:
            self._end_snapshot()
        else:
            raise Unusual

    def _end_disk(self) -> None:
        self._disks.append(RawChain(int(self._fields.pop(_KEY)), tuple(self._chain)))
        self._chain = []

    def _end_snapshot(self) -> None:
        memory = int(self._fields.pop(_MEMORY, NO_FILE))
        self._snapshots.append(RawSnapshotLayout(*self._head, memory, tuple(self._disks)))
        self._disks = self._own
        self._fields.clear()
