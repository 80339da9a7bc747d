"""The value of ``config.hardware.device``: the disks out of all devices, each from its tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.vsphere.raw import RawDisk
from snapaudit.hypervisors.vsphere.soap.fault import type_of
from snapaudit.hypervisors.vsphere.soap.simple import boolean

DISK = "VirtualDisk"


def disks_of(element: Element) -> tuple[RawDisk, ...]:
    """From an ArrayOfVirtualDevice."""
    return tuple(disk_of(device) for device in element if type_of(device) == DISK)


def disk_of(element: Element) -> RawDisk:
    """From a VirtualDisk with whatever backing."""
    inside = {child.tag: child for child in element}
    backing, info = inside.get("backing"), inside.get("deviceInfo")
    get = ({} if backing is None else {child.tag: child.text for child in backing}).get
    thin = get("thinProvisioned")
    return RawDisk(
        key=int(inside["key"].text or ""),
        label="" if info is None else info.findtext("label", ""),
        capacity=capacity_of({name: child.text or "" for name, child in inside.items()}),
        backing="" if backing is None else type_of(backing) or "",
        file=get("fileName"),
        datastore=get("datastore"),
        mode=get("diskMode"),
        parents=tuple(_parents(backing)),
        thin=None if thin is None else boolean(thin),
        rdm=get("compatibilityMode"),
        sharing=get("sharing"),
    )


def capacity_of(fields: Mapping[str, str]) -> int | None:
    """In bytes: exactly since API 5.5, in whole kilobytes before."""
    for name, unit in (("capacityInBytes", 1), ("capacityInKB", 1024)):
        if name in fields:
            return int(fields[name]) * unit
    return None


def _parents(backing: Element | None) -> Iterator[str]:
    below = None if backing is None else backing.find("parent")
    while below is not None:
        yield below.findtext("fileName", "")
        below = below.find("parent")
