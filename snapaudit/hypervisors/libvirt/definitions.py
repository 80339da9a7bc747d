"""Takes a merged overlay out of definitions: of domains, and of those embedded in snapshots.

Only the disks concerned are rewritten. The rest of the text stays as libvirt wrote it, so that what
other programs keep in it (metadata, command lines) is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.libvirt.xml import XmlError, parse, source_path

# Snapshots have disks without content too: <disk name='vda' snapshot='internal'/>. In attributes
# libvirt writes < and > as entities. What has no end is given up where the next disk begins: looked
# for in all of the rest, every beginning anew, it would take the square of the length.
_DISK = re.compile(r"<disk\b[^<>]*?(?:/>|>[^<]*+(?:<(?!/?disk\b)[^<]*+)*+</disk>)")
Resolve = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Swap:
    """An overlay that is merged, and the image that now holds everything."""

    overlay: str
    base: str
    base_format: str
    is_device: bool


@dataclass(frozen=True, slots=True)
class Mirror:
    """The copy that a block job keeps up to date; ``is_ready``: it holds everything by now."""

    path: str
    is_ready: bool


def names(text: str, path: str, resolve: Resolve) -> bool:
    """Whether any disk of any definition in the text has the image as source or below."""
    return any(path in _images(disk, resolve) for _, disk in _disks(text))


def rewritten(text: str, swap: Swap, resolve: Resolve) -> str:
    """The text with every disk that names the overlay standing on the base instead.

    Raises XmlError for a disk that is nested deeper than it can be written again.
    """

    def one(found: re.Match[str]) -> str:
        disk = parse(found[0])
        if disk.find("target") is None or swap.overlay not in _images(disk, resolve):
            return found[0]
        _rewrite(disk, swap, resolve)
        return _written(disk)

    return _DISK.sub(one, text)


def _written(disk: Element) -> str:
    try:
        return ET.tostring(disk, encoding="unicode").strip()
    except RecursionError as error:
        raise XmlError("a disk in the daemon's XML is nested too deep to be rewritten") from error


def _rewrite(disk: Element, swap: Swap, resolve: Resolve) -> None:
    """What lies below is dropped: libvirt reads it from the images again at the next start."""
    top = source_path(disk)
    for level in disk.findall("backingStore"):
        disk.remove(level)
    if top is None or resolve(top) != swap.overlay:
        return
    for old in disk.findall("source"):
        for name in ("file", "dev", "pool", "volume", "mode", "index"):
            old.attrib.pop(name, None)
        old.set("dev" if swap.is_device else "file", swap.base)
    disk.set("type", "block" if swap.is_device else "file")
    driver = disk.find("driver")
    if driver is None:
        driver = ET.SubElement(disk, "driver", {"name": "qemu"})
    driver.set("type", swap.base_format)


def targets(text: str) -> list[str]:
    """The disks by their target names."""
    return [name for name, _ in _disks(text)]


def tops(text: str, resolve: Resolve) -> set[str]:
    """The images that disks have as their own."""
    found = (source_path(disk) for _, disk in _disks(text))
    return {resolve(path) for path in found if path}


def chain(text: str, target: str) -> tuple[str, ...]:
    """The images of a disk as the definition names them, top first."""
    for name, disk in _disks(text):
        if name == target:
            return tuple(_sources(disk))
    return ()


def mirror(text: str, target: str) -> Mirror | None:
    """The block job's copy of a disk, where there is one."""
    for name, disk in _disks(text):
        found = disk.find("mirror")
        if name == target and found is not None:
            return Mirror(source_path(found) or "", found.get("ready") == "yes")
    return None


def _disks(text: str) -> Iterator[tuple[str, Element]]:
    for found in _DISK.finditer(text):
        disk = parse(found[0])
        target = disk.find("target")
        if target is not None:
            yield target.get("dev", ""), disk


def _images(disk: Element, resolve: Resolve) -> set[str]:
    return {resolve(path) for path in _sources(disk)}


def _sources(disk: Element) -> Iterator[str]:
    level: Element | None = disk
    while level is not None:
        path = source_path(level)
        if path:
            yield path
        level = level.find("backingStore")
