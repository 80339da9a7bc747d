"""A vim.vm.FileLayoutEx read off its bytes: files, then disks, then snapshots with their disks.

That is the order in which every server writes them. What does not look exactly as expected is left
to the parser as a whole.
"""

from __future__ import annotations

import re

from snapaudit.hypervisors.vsphere.raw import (
    NO_FILE,
    RawChain,
    RawFile,
    RawLayout,
    RawSnapshotLayout,
)
from snapaudit.hypervisors.vsphere.soap.simple import moment

_KEY, _NUMBER, _TEXT = rb"(-?\d{1,9})", rb"(-?\d{1,18})", rb"([^<&\x00-\x1f]+)"
_FILE = re.compile(
    rb"<file><key>%b</key><name>%b</name><type>(\w+)</type><size>%b</size>"
    rb"(?:<uniqueSize>%b</uniqueSize>)?(?:<backingObjectId>%b</backingObjectId>)?"
    rb"(?:<accessible>(true|false)</accessible>)?</file>" % (_KEY, _TEXT, _NUMBER, _NUMBER, _TEXT),
    re.ASCII,
)
_DISK = re.compile(rb"<disk><key>%b</key>" % _KEY)
_END_OF_DISK, _END_OF_CHAIN = b"</disk>", b"</chain>"
_CHAIN = re.compile(rb"<chain>(?:<fileKey>-?\d{1,9}</fileKey>)*")
_FILE_KEY = re.compile(rb"-?\d+")
_SNAPSHOT = re.compile(
    rb'<snapshot><key type="\w+">%b</key><dataKey>%b</dataKey>'
    rb"(?:<memoryKey>%b</memoryKey>)?" % (_TEXT, _KEY, _KEY)
)
_END_OF_SNAPSHOT = b"</snapshot>"
_REST = re.compile(rb"(?:<timestamp>([\w:.+-]+)</timestamp>)?</val></propSet>", re.ASCII)


_Unit = tuple[int, ...]


class PlainLayouts:
    """Reads one layout after the other, and keeps what many of them have in common.

    That is the types of files, and the chains: file keys are small numbers, machine by machine.
    """

    def __init__(self) -> None:
        self._words: dict[bytes, str] = {}
        self._units: dict[bytes, _Unit] = {}

    def read(self, data: bytes, at: int) -> tuple[RawLayout, int] | None:
        """The layout that begins there, and where its property ends."""
        files, at = self._files(data, at)
        disks, at = self._disks(data, at)
        snapshots, at = self._snapshots(data, at)
        rest = _REST.match(data, at)
        if rest is None:
            return None
        made_at = moment(rest[1].decode()) if rest[1] else None
        return RawLayout(files, disks, snapshots, made_at), rest.end()

    def _files(self, data: bytes, at: int) -> tuple[dict[int, RawFile], int]:
        """The files there, up to the first that is unusual, and where that is."""
        found: dict[int, RawFile] = {}
        words = self._words
        while match := _FILE.match(data, at):
            key, name, kind, size, unique, backing, accessible = match.groups()
            if kind not in words:
                words[kind] = kind.decode()
            number = int(key)
            found[number] = RawFile(
                number,
                name.decode(),
                words[kind],
                int(size),
                None if unique is None else int(unique),
                None if backing is None else backing.decode(),
                None if accessible is None else accessible == b"true",
            )
            at = match.end()
        return found, at

    def _disks(self, data: bytes, at: int) -> tuple[tuple[RawChain, ...], int]:
        """The same of disks."""
        found: list[RawChain] = []
        while match := _DISK.match(data, at):
            end = data.find(_END_OF_DISK, match.end())
            chains = data[match.end() : end].split(_END_OF_CHAIN)
            if end < 0 or chains.pop() or not all(map(self._is_chain, chains)):
                break
            units = [self._units[chain] for chain in chains]
            found.append(RawChain(int(match[1]), tuple(units)))
            at = end + len(_END_OF_DISK)
        return tuple(found), at

    def _is_chain(self, data: bytes) -> bool:
        """Whether it has the usual form; its file keys are kept then."""
        if data in self._units:
            return True
        if not _CHAIN.fullmatch(data):
            return False
        self._units[data] = tuple(map(int, _FILE_KEY.findall(data)))
        return True

    def _snapshots(self, data: bytes, at: int) -> tuple[tuple[RawSnapshotLayout, ...], int]:
        """The same of snapshots."""
        found: list[RawSnapshotLayout] = []
        while match := _SNAPSHOT.match(data, at):
            moid, data_key, memory_key = match.groups()
            disks, end = self._disks(data, match.end())
            if not data.startswith(_END_OF_SNAPSHOT, end):
                break
            memory = NO_FILE if memory_key is None else int(memory_key)
            found.append(RawSnapshotLayout(moid.decode(), int(data_key), memory, disks))
            at = end + len(_END_OF_SNAPSHOT)
        return tuple(found), at
