"""The value of ``layoutEx`` (vim.vm.FileLayoutEx) from its tree."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.vsphere.raw import (
    NO_FILE,
    RawChain,
    RawFile,
    RawLayout,
    RawSnapshotLayout,
)
from snapaudit.hypervisors.vsphere.soap.simple import boolean, moment


def layout_of(element: Element) -> RawLayout:
    """Raises ValueError, KeyError where a field is missing that always has to be there."""
    files = [
        file_of({child.tag: child.text or "" for child in f}) for f in element.iterfind("file")
    ]
    return RawLayout(
        files={file.key: file for file in files},
        disks=_chains(element),
        snapshots=tuple(map(_snapshot, element.iterfind("snapshot"))),
        at=moment(element.findtext("timestamp")),
    )


def file_of(fields: Mapping[str, str]) -> RawFile:
    """A file from the texts of its elements."""
    get = fields.get
    unique, accessible = get("uniqueSize"), get("accessible")
    return RawFile(
        int(fields["key"]),
        fields["name"],
        fields["type"],
        int(fields["size"]),
        None if unique is None else int(unique),
        get("backingObjectId"),
        None if accessible is None else boolean(accessible),
    )


def _chains(element: Element) -> tuple[RawChain, ...]:
    return tuple(
        RawChain(
            key=int(disk.findtext("key", "")),
            units=tuple(
                tuple(int(key.text or "") for key in unit.iterfind("fileKey"))
                for unit in disk.iterfind("chain")
            ),
        )
        for disk in element.iterfind("disk")
    )


def _snapshot(element: Element) -> RawSnapshotLayout:
    return RawSnapshotLayout(
        moid=element.findtext("key", ""),
        data_key=int(element.findtext("dataKey", "")),
        memory_key=int(element.findtext("memoryKey") or NO_FILE),
        disks=_chains(element),
    )
