"""The value of ``layoutEx`` (vim.vm.FileLayoutEx): most of the elements of a whole reading."""

from __future__ import annotations

from collections.abc import Callable

from snapaudit.hypervisors.vsphere.raw import RawChain, RawFile, RawLayout, RawSnapshotLayout
from snapaudit.hypervisors.vsphere.soap.stream import Stream
from snapaudit.hypervisors.vsphere.soap.values import boolean, moment


class LayoutReader:
    """Reads the inside of one value after the other.

    Fields stay in one dict until what holds them ends. Only a snapshot's ``key`` has to be put
    aside, since its disks, which follow, have one as well.
    """

    def __init__(self, stream: Stream, done: Callable[[RawLayout], None]) -> None:
        self._texts, self._leave, self._done = stream.texts, stream.leave, done
        self._words: dict[str, str] = {}
        self._fields: dict[str, str] = {}
        self._unit: list[int] = []
        self._begin()

    def _begin(self) -> None:
        self._files: dict[int, RawFile] = {}
        self._chain: list[tuple[int, ...]] = []
        self._disks: list[RawChain] = []
        self._own: list[RawChain] = self._disks
        self._snapshots: list[RawSnapshotLayout] = []
        self._of: dict[str, str] | None = None

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """An element begins."""
        self._texts.clear()
        if name == "snapshot":
            self._disks, self._of = [], None
        elif name == "disk" and self._disks is not self._own and self._of is None:
            self._of, self._fields = self._fields, {}

    def end(self, name: str) -> None:
        """An element ends."""
        texts = self._texts
        if name == "fileKey":
            self._unit.append(int(texts[0]))
        elif name == "file":
            self._end_file()
        elif name == "chain":
            self._chain.append(tuple(self._unit))
            self._unit.clear()
        elif name == "disk":
            self._disks.append(RawChain(int(self._fields["key"]), tuple(self._chain)))
            self._chain.clear()
            self._fields.clear()
        elif name == "snapshot":
            self._end_snapshot()
        elif name == "val":
            self._finish()
        else:
            self._fields[name] = texts[0] if len(texts) == 1 else "".join(texts)
        texts.clear()

    def _end_file(self) -> None:
        fields = self._fields
        get = fields.get
        key, kind, unique, accessible = int(fields["key"]), fields["type"], get("uniqueSize"), None
        if "accessible" in fields:
            accessible = boolean(fields["accessible"])
        self._files[key] = RawFile(
            key,
            fields["name"],
            self._words.setdefault(kind, kind),
            int(fields["size"]),
            None if unique is None else int(unique),
            get("backingObjectId"),
            accessible,
        )
        fields.clear()

    def _end_snapshot(self) -> None:
        fields = self._fields if self._of is None else self._of
        self._snapshots.append(
            RawSnapshotLayout(
                fields["key"],
                int(fields["dataKey"]),
                int(fields["memoryKey"]) if "memoryKey" in fields else -1,
                tuple(self._disks),
            )
        )
        self._disks, self._of, self._fields = self._own, None, {}

    def _finish(self) -> None:
        at = moment(self._fields.get("timestamp"))
        layout = RawLayout(self._files, tuple(self._own), tuple(self._snapshots), at)
        self._fields = {}
        self._begin()
        self._leave()
        self._done(layout)
