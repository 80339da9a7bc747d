"""Machines as a server writes them: their properties as XML, from the records they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from xml.sax.saxutils import escape

from snapaudit.hypervisors.vsphere.raw import (
    RawChain,
    RawDisk,
    RawFile,
    RawLayout,
    RawSnapshot,
    RawTree,
)
from tests.hypervisors.vsphere.soapwords import prop, typed


def field(name: str, value: object) -> str:
    """An element; none at all for what is unset."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"<{name}>{str(value).lower()}</{name}>"
    if isinstance(value, datetime):
        return f"<{name}>{value.isoformat().replace('+00:00', 'Z')}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def tree(found: RawTree, style: str) -> str:
    """The property `snapshot`."""
    current = ""
    if found.current is not None:
        current = (
            f'<currentSnapshot type="VirtualMachineSnapshot">{found.current}</currentSnapshot>'
        )
    inside = current + _nodes(found, None, "rootSnapshotList")
    return prop("snapshot", "VirtualMachineSnapshotInfo", inside, style)


def _nodes(found: RawTree, parent: str | None, name: str) -> str:
    return "".join(
        f"<{name}>{_node(one)}{_nodes(found, one.moid, 'childSnapshotList')}"
        f"<replaySupported>false</replaySupported></{name}>"
        for one in found.snapshots
        if one.parent == parent
    )


def _node(one: RawSnapshot) -> str:
    return (
        f'<snapshot type="VirtualMachineSnapshot">{one.moid}</snapshot>'
        '<vm type="VirtualMachine">vm-1</vm>'
        + field("name", one.name)
        + field("description", one.description)
        + field("id", one.id)
        + field("createTime", one.created_at)
        + field("state", one.state)
        + field("quiesced", one.quiesced)
        + field("backupManifest", one.backup_manifest)
    )


def layout(found: RawLayout, style: str) -> str:
    """The property `layoutEx`."""
    inside = "".join(map(_file, found.files.values())) + _chains(found.disks)
    for one in found.snapshots:
        inside += (
            f'<snapshot><key type="VirtualMachineSnapshot">{one.moid}</key>'
            + field("dataKey", one.data_key)
            + field("memoryKey", one.memory_key)
            + _chains(one.disks)
            + "</snapshot>"
        )
    inside += field("timestamp", found.at)
    return prop("layoutEx", "VirtualMachineFileLayoutEx", inside, style)


def _file(one: RawFile) -> str:
    return (
        "<file>"
        + field("key", one.key)
        + field("name", one.name)
        + field("type", one.type)
        + field("size", one.size)
        + field("uniqueSize", one.unique_size)
        + field("backingObjectId", one.backing_object_id)
        + field("accessible", one.is_accessible)
        + "</file>"
    )


def _chains(disks: Iterable[RawChain]) -> str:
    return "".join(
        f"<disk><key>{disk.key}</key>"
        + "".join(
            "<chain>" + "".join(field("fileKey", key) for key in unit) + "</chain>"
            for unit in disk.units
        )
        + "</disk>"
        for disk in disks
    )


def devices(disks: Iterable[RawDisk], style: str, others: int = 2) -> str:
    """The property `config.hardware.device`: other devices, then the disks, then others."""
    around = "".join(_other(number, style) for number in range(others))
    inside = around + "".join(_disk(one, style) for one in disks) + around
    return prop("config.hardware.device", "ArrayOfVirtualDevice", inside, style)


def _attribute(kind: str, style: str) -> str:
    """Inside a value, the simulator declares the prefix no more."""
    return typed(kind) if style == "vcenter" else f'XMLSchema-instance:type="{kind}"'


def _other(number: int, style: str) -> str:
    return (
        f"<VirtualDevice {_attribute('VirtualE1000', style)}><key>{4000 + number}</key>"
        f"<deviceInfo {_attribute('Description', style)}><label>Network adapter</label>"
        f"<summary>VM Network</summary></deviceInfo>"
        f"<backing {_attribute('VirtualEthernetCardNetworkBackingInfo', style)}>"
        "<deviceName>VM Network</deviceName></backing><unitNumber>7</unitNumber></VirtualDevice>"
    )


def _disk(one: RawDisk, style: str) -> str:
    info = f"<deviceInfo {_attribute('Description', style)}>{field('label', one.label)}"
    capacity = None if one.capacity is None else one.capacity // 1024
    return (
        f"<VirtualDevice {_attribute('VirtualDisk', style)}><key>{one.key}</key>"
        f"{info}<summary>a disk</summary></deviceInfo>"
        f"<backing {_attribute(one.backing, style)}>{_backing(one)}</backing>"
        "<slotInfo><pciSlotNumber>33</pciSlotNumber></slotInfo><controllerKey>1000</controllerKey>"
        + field("capacityInKB", capacity)
        + field("capacityInBytes", one.capacity)
        + "<shares><shares>1000</shares><level>normal</level></shares></VirtualDevice>"
    )


def _backing(one: RawDisk) -> str:
    store = f'<datastore type="Datastore">{one.datastore}</datastore>' if one.datastore else ""
    below = ""
    for path in reversed(one.parents):
        below = (
            f"<parent>{field('fileName', path)}<diskMode>persistent</diskMode>"
            f"<thinProvisioned>true</thinProvisioned><sharing>sharingNone</sharing>{below}</parent>"
        )
    return (
        field("fileName", one.file)
        + store
        + field("compatibilityMode", one.rdm)
        + field("diskMode", one.mode)
        + field("thinProvisioned", one.thin)
        + below
        + "<digestEnabled>false</digestEnabled>"
        + field("sharing", one.sharing)
    )
