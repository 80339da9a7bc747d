"""libvirt's XML of storage pools and volumes as small records.

Source: libvirt's format page for storage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element

from snapaudit.hypervisors.libvirt.xml import ImageXml, attribute, format_of, from_seconds, parse

# As far as 64 bits reach.
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeXml:
    """A volume of a pool. ``length_bytes`` is the length of its file, where libvirt told it."""

    name: str
    path: str
    kind: str
    format: str | None
    capacity_bytes: int | None
    allocation_bytes: int | None
    length_bytes: int | None
    backing: ImageXml | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolXml:
    """A storage pool and its fill level in bytes."""

    id: str
    name: str
    kind: str
    path: str | None
    capacity_bytes: int | None
    available_bytes: int | None


def volume(text: str) -> VolumeXml:
    """A volume from its XML."""
    root = parse(text)
    return VolumeXml(
        name=root.findtext("name", ""),
        path=root.findtext("target/path") or root.findtext("key") or "",
        kind=root.get("type", "file"),
        format=attribute(root, "target/format", "type"),
        capacity_bytes=_bytes(root, "capacity"),
        allocation_bytes=_bytes(root, "allocation"),
        length_bytes=_bytes(root, "physical"),
        backing=_volume_backing(root),
        changed_at=from_seconds(root.findtext("target/timestamps/mtime")),
    )


def _volume_backing(root: Element) -> ImageXml | None:
    backing = root.find("backingStore")
    path = backing.findtext("path") if backing is not None else None
    return ImageXml(path=path, format=format_of(backing)) if path and backing is not None else None


def pool(text: str) -> PoolXml:
    """A storage pool from its XML."""
    root = parse(text)
    return PoolXml(
        id=root.findtext("uuid", ""),
        name=root.findtext("name", ""),
        kind=root.get("type", ""),
        path=root.findtext("target/path"),
        capacity_bytes=_bytes(root, "capacity"),
        available_bytes=_bytes(root, "available"),
    )


def _bytes(root: Element, name: str) -> int | None:
    text = root.findtext(name)
    return int(text) if text is not None and _NUMBER.fullmatch(text.strip()) else None
