"""Reads what libvirt shows of the staged fleet, call by call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from tests.builders import GIB, NOW


def xml(thing: Any) -> Element:
    """What a domain or a volume says of itself."""
    return fromstring(thing.XMLDesc(0))


def snaps(node: Any, machine: str) -> dict[str, Element]:
    found = node.lookupByName(machine).listAllSnapshots(0)
    return {snap.getName(): fromstring(snap.getXMLDesc(0)) for snap in found}


def all_snaps(node: Any) -> list[Element]:
    return [s for domain in node.listAllDomains(0) for s in snaps(node, domain.name()).values()]


def volumes(node: Any) -> dict[str, Element]:
    pools = node.listAllStoragePools(0)
    return {volume.path(): xml(volume) for pool in pools for volume in pool.listAllVolumes(0)}


def backing(node: Any) -> dict[str, str | None]:
    """What every volume stands on."""
    return {path: v.findtext("backingStore/path") for path, v in volumes(node).items()}


def chains(definition: Element) -> dict[str, list[str]]:
    """What a definition lists for each disk, top first."""
    disks = definition.iterfind(".//devices/disk[@device='disk']")
    return {attribute(disk, "target", "dev"): list(_sources(disk)) for disk in disks}


def overlays(snap: Element) -> dict[str, str]:
    """The new image that a snapshot names for each of its external disks."""
    disks = snap.iterfind("disks/disk[@snapshot='external']")
    return {disk.get("name", ""): next(_sources(disk)) for disk in disks}


def _sources(disk: Element) -> Iterator[str]:
    return (source.get("file", "") for source in disk.iter("source"))


def stitched(node: Any, top: str) -> list[str]:
    """The chain as the volumes alone tell it, top first."""
    below, found = backing(node), [top]
    while path := below.get(found[-1]):
        found.append(path)
    return found


def attribute(element: Element, child: str, name: str) -> str:
    found = element.find(child)
    return "" if found is None else found.get(name, "")


def age(snap: Element) -> timedelta:
    return NOW - datetime.fromtimestamp(int(snap.findtext("creationTime", "")), UTC)


def fill(pool: Any) -> float:
    _, capacity, allocation, _ = pool.info()
    return float(allocation / capacity)


def allocated(node: Any, pool: str) -> dict[str, float]:
    """GiB in use, by volume."""
    listed = node.storagePoolLookupByName(pool).listAllVolumes(0)
    return {volume.name(): volume.info()[2] / GIB for volume in listed}
