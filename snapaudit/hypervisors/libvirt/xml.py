"""libvirt's XML as small records: pure functions, text in, values out.

Sources: libvirt's format pages for domains, snapshots and checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

MAX_CHARACTERS = 16 * 2**20


class XmlError(ValueError):
    """The daemon sent something that is not the XML it documents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageXml:
    """One image of a chain as the daemon names it."""

    path: str
    format: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskXml:
    """A disk: its images, top first. ``is_complete`` when the end of the chain is told."""

    target: str
    images: tuple[ImageXml, ...]
    is_complete: bool
    has_mirror: bool
    volume: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainXml:
    """A domain: what it is called, what its disks stand on, and every file or volume it names."""

    uuid: str
    name: str
    title: str
    description: str
    disks: tuple[DiskXml, ...]
    files: frozenset[str]
    volumes: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotDiskXml:
    """How one disk takes part in a snapshot: ``internal``, ``external`` or ``no``."""

    target: str
    mode: str
    overlay: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotXml:
    """A snapshot's metadata. ``frozen`` maps each disk to the image that was active when taken."""

    name: str
    description: str
    created_at: datetime | None
    parent: str | None
    state: str
    memory: str
    memory_file: str | None
    disks: tuple[SnapshotDiskXml, ...]
    frozen: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointXml:
    """A dirty-bitmap checkpoint."""

    name: str
    created_at: datetime | None
    parent: str | None
    targets: tuple[str, ...]
    bitmaps: tuple[str, ...]


def parse(text: str) -> Element:
    """The root element. A document type is refused, so no entity can be declared or fetched."""
    if len(text) > MAX_CHARACTERS or "<!DOCTYPE" in text:
        raise XmlError("the daemon's XML is larger than 16 MiB or declares a document type")
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        raise XmlError(f"the daemon's XML cannot be read: {error}") from error


def domain(text: str) -> DomainXml:
    """A domain from its XML."""
    root = parse(text)
    return DomainXml(
        uuid=root.findtext("uuid", ""),
        name=root.findtext("name", ""),
        title=root.findtext("title", ""),
        description=root.findtext("description", ""),
        disks=tuple(_disks(root)),
        files=frozenset(_files(root)),
        volumes=frozenset(
            (source.get("pool", ""), source.get("volume", "")) for source in root.iter("source")
        ),
    )


def _files(root: Element) -> Iterator[str]:
    """Disks, CD images, firmware, kernels: whatever is named here is in use."""
    for source in root.iter("source"):
        yield from (source.get(kind, "") for kind in ("file", "dev", "dir"))
    for name in ("kernel", "initrd", "dtb", "loader", "nvram"):
        yield root.findtext(f"os/{name}") or ""


def _disks(root: Element) -> Iterator[DiskXml]:
    for disk in root.iterfind("devices/disk"):
        if disk.get("device", "disk") not in ("disk", "lun"):
            continue
        source = disk.find("source")
        pool = source.get("pool") if source is not None else None
        images, is_complete = _images(disk)
        yield DiskXml(
            target=attribute(disk, "target", "dev") or "?",
            images=images,
            is_complete=is_complete,
            has_mirror=disk.find("mirror") is not None,
            volume=(pool, source.get("volume", "")) if source is not None and pool else None,
        )


def _images(disk: Element) -> tuple[tuple[ImageXml, ...], bool]:
    """Top first. The innermost ``<backingStore/>`` without a source ends the chain."""
    found = []
    top = source_path(disk)
    if top:
        found.append(ImageXml(path=top, format=attribute(disk, "driver", "type")))
    level = disk.find("backingStore")
    while level is not None and level.find("source") is not None:
        found.append(ImageXml(path=source_path(level) or "?", format=format_of(level)))
        level = level.find("backingStore")
    return tuple(found), level is not None


def source_path(element: Element) -> str | None:
    """The image that an element's source names: a path, or a place on the network."""
    source = element.find("source")
    if source is None:
        return None
    local = source.get("file") or source.get("dev") or source.get("dir")
    if local or source.get("protocol") is None:
        return local
    host = attribute(source, "host", "name") or ""
    return f"{source.get('protocol')}://{host}/{source.get('name', '')}"


def format_of(element: Element) -> str | None:
    """The image format an element names."""
    return attribute(element, "format", "type")


def attribute(element: Element, child: str, name: str) -> str | None:
    """An attribute of a child element, when both are there."""
    found = element.find(child)
    return found.get(name) if found is not None else None


def snapshot(text: str) -> SnapshotXml:
    """A snapshot from its XML, of a domain with the disks in the definition embedded in it.

    That definition, twice for running machines, is nine tenths of the text, and only an external
    snapshot's is of use, so it is cut off and parsed apart. Text cannot be taken for its beginning:
    there the bracket would be escaped.
    """
    head, opening, rest = text.partition("<domain ")
    root = parse(f"{head}</domainsnapshot>" if opening else text)
    disks = tuple(_snapshot_disks(root))
    is_external = any(disk.mode == "external" for disk in disks)
    memory = root.find("memory")
    return SnapshotXml(
        name=root.findtext("name", ""),
        description=root.findtext("description", ""),
        created_at=from_seconds(root.findtext("creationTime")),
        parent=root.findtext("parent/name"),
        state=root.findtext("state", ""),
        memory=memory.get("snapshot", "no") if memory is not None else "no",
        memory_file=memory.get("file") if memory is not None else None,
        disks=disks,
        frozen=_frozen(opening + rest) if is_external and opening else {},
    )


def _frozen(text: str) -> dict[str, str]:
    definition, closing, _ = text.partition("</domain>")
    disks = _disks(parse(definition + closing))
    return {disk.target: disk.images[0].path for disk in disks if disk.images}


def _snapshot_disks(root: Element) -> Iterator[SnapshotDiskXml]:
    for disk in root.iterfind("disks/disk"):
        yield SnapshotDiskXml(
            target=disk.get("name", "?"),
            mode=disk.get("snapshot", "no"),
            overlay=source_path(disk),
        )


def checkpoint(text: str) -> CheckpointXml:
    """A checkpoint from its XML; disks without a bitmap are left out."""
    root = parse(text)
    disks = [d for d in root.iterfind("disks/disk") if d.get("checkpoint", "no") != "no"]
    return CheckpointXml(
        name=root.findtext("name", ""),
        created_at=from_seconds(root.findtext("creationTime")),
        parent=root.findtext("parent/name"),
        targets=tuple(disk.get("name", "?") for disk in disks),
        bitmaps=tuple(disk.get("bitmap", "") for disk in disks),
    )


def host_uuid(capabilities: str) -> str | None:
    """The host's own UUID, which tells one libvirt host from another."""
    return parse(capabilities).findtext("host/uuid")


def from_seconds(text: str | None) -> datetime | None:
    """Unix seconds, with or without a fraction; nothing when there is no such moment."""
    try:
        return datetime.fromtimestamp(float(text or ""), UTC).replace(microsecond=0)
    except (ValueError, OverflowError, OSError):
        return None
