"""Writes the demo fleet as the node file that libvirt's test driver opens.

Sources: libvirt's pages on the test driver and on the formats of domains, snapshots, storage pools
and volumes. Two things are not on those pages: snapshots have to stand inline (a reference to a
file ends the process), and each needs its ``active`` mark and an embedded domain, without which the
library refuses the file or writes a warning to stderr.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from snapaudit.demo.blueprint import ROOT, Image, Machine, Power, Snap, in_pool
from snapaudit.demo.layout import Frozen, Layout, chain

_TEST = "http://libvirt.org/schemas/domain/test/1.0"
_NAMESPACE = UUID("6f1c6a52-6f0e-4d5e-9a43-0f7f2f6c3b11")
_GIB = 2**30

ET.register_namespace("test", _TEST)


def node(
    machines: Iterable[tuple[Machine, Layout]], pools: Iterable[str], images: Mapping[str, Image]
) -> str:
    """The whole file as text; equal arguments give equal text."""
    root = Element("node")
    root.extend(_domain(machine, layout, images) for machine, layout in machines)
    root.extend(_pool(name, images.values()) for name in pools)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _domain(machine: Machine, layout: Layout, images: Mapping[str, Image]) -> Element:
    domain = _definition(machine, layout.active, images if machine.records_chain else {})
    _text(domain, f"{{{_TEST}}}runstate", str(machine.power.value))
    for parent, snap in machine.lineage():
        is_current = snap is machine.snaps[-1]
        frozen = layout.snaps[snap.name]
        domain.append(_snapshot(machine, snap, parent, frozen, is_current=is_current))
    return domain


def _definition(
    machine: Machine, active: Mapping[str, str], images: Mapping[str, Image]
) -> Element:
    """A domain with its disks; below the top image only what ``images`` knows is listed."""
    domain = Element("domain", type="test")
    _text(domain, "name", machine.name)
    _text(domain, "uuid", _uuid("domain", machine.name))
    _text(domain, "title", machine.title)
    _text(domain, "memory", "2", unit="GiB")
    _text(SubElement(domain, "os"), "type", "hvm")
    devices = SubElement(domain, "devices")
    for target, top in active.items():
        devices.append(_disk(target, list(chain(images, top)), is_complete=bool(images)))
    if machine.iso:
        devices.append(_cdrom(in_pool("iso", machine.iso)))
    return domain


def _disk(target: str, paths: list[str], *, is_complete: bool) -> Element:
    disk = Element("disk", type="file", device="disk")
    SubElement(disk, "driver", name="qemu", type="qcow2")
    SubElement(disk, "source", file=paths[0])
    level = disk
    for path in paths[1:]:
        level = SubElement(level, "backingStore", type="file")
        SubElement(level, "format", type="qcow2")
        SubElement(level, "source", file=path)
    if is_complete:
        SubElement(level, "backingStore")
    SubElement(disk, "target", dev=target, bus="virtio")
    return disk


def _cdrom(path: str) -> Element:
    cdrom = Element("disk", type="file", device="cdrom")
    SubElement(cdrom, "driver", name="qemu", type="raw")
    SubElement(cdrom, "source", file=path)
    SubElement(cdrom, "target", dev="sda", bus="sata")
    SubElement(cdrom, "readonly")
    return cdrom


def _snapshot(
    machine: Machine, snap: Snap, parent: str | None, frozen: Frozen, *, is_current: bool
) -> Element:
    element = Element(f"{{{_TEST}}}domainsnapshot")
    _text(element, "name", snap.name)
    if snap.note:
        _text(element, "description", snap.note)
    if parent is not None:
        _text(SubElement(element, "parent"), "name", parent)
    _text(element, "creationTime", str(snap.unix_seconds))
    _text(element, "state", _state(machine, snap))
    element.append(_memory(snap, frozen))
    element.append(_snapshot_disks(snap, frozen))
    element.append(_definition(machine, frozen.images, {}))
    _text(element, "active", "1" if is_current else "0")
    return element


def _state(machine: Machine, snap: Snap) -> str:
    """The state a snapshot keeps: without memory only that of the disks."""
    if snap.ram_gib is not None:
        return "paused" if machine.power is Power.PAUSED else "running"
    ran = snap.writes_gib is not None and machine.power is not Power.OFF
    return "disk-snapshot" if ran else "shutoff"


def _memory(snap: Snap, frozen: Frozen) -> Element:
    if snap.ram_gib is None:
        return Element("memory", snapshot="no")
    if frozen.memory is None:
        return Element("memory", snapshot="internal")
    return Element("memory", snapshot="external", file=frozen.memory.path)


def _snapshot_disks(snap: Snap, frozen: Frozen) -> Element:
    disks = Element("disks")
    for target in frozen.images:
        if snap.writes_gib is None:
            SubElement(disks, "disk", name=target, snapshot="internal")
        elif target not in frozen.overlays:
            SubElement(disks, "disk", name=target, snapshot="no")
        else:
            disk = SubElement(disks, "disk", name=target, snapshot="external", type="file")
            SubElement(disk, "driver", type="qcow2")
            SubElement(disk, "source", file=frozen.overlays[target].path)
    return disks


def _pool(name: str, images: Iterable[Image]) -> Element:
    pool = Element("pool", type="dir")
    _text(pool, "name", name)
    _text(pool, "uuid", _uuid("pool", name))
    _text(SubElement(pool, "target"), "path", f"{ROOT}/{name}")
    pool.extend(_volume(image) for image in images if image.pool == name)
    return pool


def _volume(image: Image) -> Element:
    volume = Element("volume", type="file")
    _text(volume, "name", image.file)
    _text(volume, "capacity", str(round(image.size_gib * _GIB)), unit="bytes")
    _text(volume, "allocation", str(round(image.used_gib * _GIB)), unit="bytes")
    SubElement(SubElement(volume, "target"), "format", type=image.format)
    if image.backing:
        backing = SubElement(volume, "backingStore")
        _text(backing, "path", image.backing)
        SubElement(backing, "format", type="qcow2")
    return volume


def _text(parent: Element, tag: str, text: str, **attributes: str) -> None:
    SubElement(parent, tag, attributes).text = text


def _uuid(kind: str, name: str) -> str:
    return str(uuid5(_NAMESPACE, f"{kind}/{name}"))
