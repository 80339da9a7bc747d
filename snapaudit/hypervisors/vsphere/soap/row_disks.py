"""An array of devices from a row of events in which only disks are left, each behind a mark."""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

from snapaudit.hypervisors.vsphere.raw import RawDisk
from snapaudit.hypervisors.vsphere.soap.devices import capacity_of
from snapaudit.hypervisors.vsphere.soap.parts import Disk
from snapaudit.hypervisors.vsphere.soap.row import VAL, Known, Next, Unusual
from snapaudit.hypervisors.vsphere.soap.simple import boolean

_DEVICE, _BACKING, _PARENT = map(intern, ("VirtualDevice", "backing", "parent"))
_KEY, _FILE, _LABEL = map(intern, ("key", "fileName", "label"))
# What a disk has inside besides its backing, none of it with a field of a name that is used here.
_ASIDE = frozenset(
    {"deviceInfo", "slotInfo", "connectable", "deviceGroupInfo", "shares", "storageIOAllocation"}
    | {"keyId", "providerId", "vDiskId", "vFlashCacheConfigInfo"}
)
NAMES = (_DEVICE, _BACKING, _PARENT, _KEY, _FILE, _LABEL, *map(intern, _ASIDE))

_Fields = dict[str, str]


def disks(take: Next, known: Known) -> tuple[RawDisk, ...]:
    """All disks of a machine."""
    return tuple(_marked(take, known))


def _marked(take: Next, known: Known) -> Iterator[RawDisk]:
    while (mark := take()) is not VAL:
        if type(mark) is not Disk:
            raise Unusual
        levels: list[_Fields] = [{}]
        below: list[str] = []
        while (event := take()) is not _DEVICE:
            if known(event) is event:
                _end(event, levels, below)
                continue
            name = take()
            if name is _FILE and _FILE in levels[-1]:
                levels.append({})
            levels[-1].setdefault(name, event)
        if len(levels) > 1:
            raise Unusual
        yield _disk(mark.backing, levels[0], tuple(reversed(below)))


def _end(name: str, levels: list[_Fields], below: list[str]) -> None:
    """Each parent of a backing begins with its file, and those below it end before it does."""
    if name is _PARENT and len(levels) > 1:
        below.append(levels.pop()[_FILE])
    elif name not in _ASIDE and name is not _BACKING:
        raise Unusual


def _disk(backing: str, fields: _Fields, parents: tuple[str, ...]) -> RawDisk:
    get = fields.get
    thin = get("thinProvisioned")
    return RawDisk(
        int(fields[_KEY]),
        get(_LABEL, ""),
        capacity_of(fields),
        backing,
        get(_FILE),
        get("datastore"),
        get("diskMode"),
        parents,
        None if thin is None else boolean(thin),
        get("compatibilityMode"),
        get("sharing"),
    )
