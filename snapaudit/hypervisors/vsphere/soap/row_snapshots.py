"""A vim.vm.SnapshotInfo from a row of events: a node begins with its ``snapshot``."""

from __future__ import annotations

from sys import intern

from snapaudit.hypervisors.vsphere.raw import RawTree
from snapaudit.hypervisors.vsphere.soap.row import VAL, Known, Next, Unusual
from snapaudit.hypervisors.vsphere.soap.snapshots import CHILDREN, ROOTS, snapshot_of

_SNAPSHOT, _CURRENT = intern("snapshot"), intern("currentSnapshot")
_LISTS = (intern(ROOTS), intern(CHILDREN))
_TEXTS = ("vm", "name", "description", "id", "createTime", "state", "quiesced", "backupManifest")
_NODE = frozenset(map(intern, (*_TEXTS, "replaySupported")))
NAMES = (_SNAPSHOT, _CURRENT, *_LISTS, *_NODE)


def tree(take: Next, known: Known) -> RawTree:
    """All nodes, parents before their children."""
    nodes: list[dict[str, str]] = []
    parents: list[str | None] = []
    line: list[dict[str, str]] = []
    current = None
    while (event := take()) is not VAL:
        if known(event) is event:
            _end(event, line)
            continue
        name = take()
        if name in _NODE:
            line[-1][name] = event
        elif name is _SNAPSHOT:
            parents.append(line[-1][_SNAPSHOT] if line else None)
            nodes.append({_SNAPSHOT: event})
            line.append(nodes[-1])
        elif name is _CURRENT:
            current = event
        elif name in _LISTS or known(name) is not name:
            raise Unusual  # such as a text so long that it came in two
    if line:
        raise Unusual
    return RawTree(current, tuple(map(snapshot_of, nodes, parents)))


def _end(name: str, line: list[dict[str, str]]) -> None:
    if name in _LISTS:
        line.pop()
    elif name in _NODE:
        line[-1][name] = ""
    else:
        raise Unusual
