"""A vim.vm.FileLayoutEx from a row of events."""

from __future__ import annotations

from sys import intern

from snapaudit.hypervisors.vsphere.raw import (
    NO_FILE,
    RawChain,
    RawFile,
    RawLayout,
    RawSnapshotLayout,
)
from snapaudit.hypervisors.vsphere.soap.layout import file_of
from snapaudit.hypervisors.vsphere.soap.row import VAL, Known, Next, Unusual
from snapaudit.hypervisors.vsphere.soap.simple import moment

_FILE, _DISK, _CHAIN, _FILE_KEY = map(intern, ("file", "disk", "chain", "fileKey"))
_SNAPSHOT, _DATA, _MEMORY, _AT = map(intern, ("snapshot", "dataKey", "memoryKey", "timestamp"))
_KEY = intern("key")
_TEXTS = ("name", "type", "size", "uniqueSize", "backingObjectId", "accessible")
_WHOLES = frozenset({_FILE, _DISK, _CHAIN, _SNAPSHOT})
NAMES = (_FILE, _DISK, _CHAIN, _FILE_KEY, _SNAPSHOT, _DATA, _MEMORY, _AT, _KEY, *_TEXTS)


class Layouts:
    """Reads one layout after the other.

    Fields gather until what holds them ends. A snapshot's ``key`` is put aside when ``dataKey``
    follows it, for its disks have one as well; the disks up to its end are its own.
    """

    def read(self, take: Next, known: Known) -> RawLayout:
        """A layout."""
        self._begin()
        at = None
        event = take()
        while event is not VAL:
            if known(event) is event:
                self._end(event)
                event = take()
                continue
            name = take()
            if name is _FILE_KEY:
                self._unit.append(int(event))
            elif name is _DATA:
                self._begin_snapshot(int(event))
            elif name is _AT:
                at = event
            elif name in _WHOLES:
                raise Unusual
            else:
                self._fields[name] = event
            event = take()
        return RawLayout(self._files, tuple(self._own), tuple(self._snapshots), moment(at))

    def _begin(self) -> None:
        self._fields: dict[str, str] = {}
        self._files: dict[int, RawFile] = {}
        self._unit: list[int] = []
        self._chain: list[tuple[int, ...]] = []
        self._disks: list[RawChain] = []
        self._own = self._disks
        self._snapshots: list[RawSnapshotLayout] = []

    def _begin_snapshot(self, data_key: int) -> None:
        self._head = (self._fields.pop(_KEY), data_key)
        self._disks = []

    def _end(self, name: str) -> None:
        if name is _FILE:
            self._end_file()
        elif name is _CHAIN:
            self._chain.append(tuple(self._unit))
            self._unit = []
        elif name is _DISK:
            self._end_disk()
        elif name is _SNAPSHOT:
            self._end_snapshot()
        else:
            raise Unusual

    def _end_file(self) -> None:
        file = file_of(self._fields)
        self._files[file.key] = file
        self._fields.clear()

    def _end_disk(self) -> None:
        self._disks.append(RawChain(int(self._fields.pop(_KEY)), tuple(self._chain)))
        self._chain = []

    def _end_snapshot(self) -> None:
        memory = int(self._fields.pop(_MEMORY, NO_FILE))
        self._snapshots.append(RawSnapshotLayout(*self._head, memory, tuple(self._disks)))
        self._disks = self._own
        self._fields.clear()
