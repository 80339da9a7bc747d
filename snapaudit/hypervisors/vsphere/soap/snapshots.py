"""The value of ``snapshot`` (vim.vm.SnapshotInfo): a tree that nests, read in document order."""

from __future__ import annotations

from collections.abc import Callable

from snapaudit.hypervisors.vsphere.raw import RawSnapshot, RawTree
from snapaudit.hypervisors.vsphere.soap.fault import Malformed
from snapaudit.hypervisors.vsphere.soap.stream import Stream
from snapaudit.hypervisors.vsphere.soap.values import boolean, moment

_NODES = ("rootSnapshotList", "childSnapshotList")
# The limit of the platform is 32 levels.
_DEPTH = 500

_Fields = dict[str, str]


class SnapshotReader:
    """Reads the inside of one value after the other."""

    def __init__(self, stream: Stream, done: Callable[[RawTree], None]) -> None:
        self._texts, self._leave, self._done = stream.texts, stream.leave, done
        self._begin()

    def _begin(self) -> None:
        self._nodes: list[_Fields] = []
        self._parents: list[str | None] = []
        self._line: list[_Fields] = [{}]

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        """An element begins."""
        self._texts.clear()
        if name in _NODES:
            if len(self._line) > _DEPTH:
                raise Malformed("the answer nests snapshots deeper than any server can")
            above = self._line[-1]
            self._parents.append(above["snapshot"] if len(self._line) > 1 else None)
            fields: _Fields = {}
            self._nodes.append(fields)
            self._line.append(fields)

    def end(self, name: str) -> None:
        """An element ends."""
        if name in _NODES:
            self._line.pop()
        elif name == "val":
            self._finish()
        else:
            texts = self._texts
            self._line[-1][name] = texts[0] if len(texts) == 1 else "".join(texts)
        self._texts.clear()

    def _finish(self) -> None:
        found = tuple(map(_snapshot, self._nodes, self._parents))
        tree = RawTree(self._line[0].get("currentSnapshot"), found)
        self._begin()
        self._leave()
        self._done(tree)


def _snapshot(fields: _Fields, parent: str | None) -> RawSnapshot:
    quiesced = fields.get("quiesced")
    return RawSnapshot(
        moid=fields["snapshot"],
        id=int(fields["id"]),
        name=fields["name"],
        description=fields.get("description", ""),
        created_at=moment(fields.get("createTime")),
        state=fields.get("state", ""),
        quiesced=None if quiesced is None else boolean(quiesced),
        parent=parent,
        backup_manifest=fields.get("backupManifest"),
    )
