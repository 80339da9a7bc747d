"""The value of ``snapshot`` (vim.vm.SnapshotInfo) from its tree."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.vsphere.raw import RawSnapshot, RawTree
from snapaudit.hypervisors.vsphere.soap.simple import boolean, moment

ROOTS, CHILDREN = "rootSnapshotList", "childSnapshotList"


def tree_of(element: Element) -> RawTree:
    """All nodes, parents before their children; a tree may be deeper than Python's stack."""
    found: list[RawSnapshot] = []
    left = [(node, None) for node in reversed(element.findall(ROOTS))]
    waiting: list[tuple[Element, str | None]] = list(left)
    while waiting:
        node, parent = waiting.pop()
        fields = {child.tag: child.text or "" for child in node if child.tag != CHILDREN}
        found.append(snapshot_of(fields, parent))
        children = node.findall(CHILDREN)
        waiting.extend((child, found[-1].moid) for child in reversed(children))
    return RawTree(element.findtext("currentSnapshot"), tuple(found))


def snapshot_of(fields: Mapping[str, str], parent: str | None) -> RawSnapshot:
    """A node from the texts of its elements. Raises KeyError or ValueError."""
    get = fields.get
    quiesced = get("quiesced")
    return RawSnapshot(
        fields["snapshot"],
        int(fields["id"]),
        fields["name"],
        get("description", ""),
        moment(get("createTime")),
        get("state", ""),
        None if quiesced is None else boolean(quiesced),
        parent,
        get("backupManifest"),
    )
