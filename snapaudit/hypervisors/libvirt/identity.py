"""What a snapshot is, whatever becomes of its neighbours: a fingerprint, since its id is a name.

Two parts. The first is read off the snapshot's own record: the machine, name, description, time,
state, memory, and each disk's mode and overlay. Left out is what libvirt rewrites when a neighbour
goes or a guest writes: the parent, the embedded definition of the machine, every size. The second
is read off the images, where those can be read, and tells a snapshot from one that was taken again
under its name in the same second: QEMU's date and clock inside an image, number and time of birth
of an overlay's file.
"""

from __future__ import annotations

import json
from hashlib import sha256

from snapaudit.hypervisors.libvirt.machine import Machine
from snapaudit.hypervisors.libvirt.sizes import Images
from snapaudit.hypervisors.libvirt.tables import Tables
from snapaudit.hypervisors.libvirt.xml import SnapshotDiskXml, SnapshotXml

_DIGITS = 32


def of_record(uuid: str, snapshot: SnapshotXml) -> str:
    """The first part alone, which one look at libvirt's record can check."""
    disks = sorted((disk.target, disk.mode, disk.overlay) for disk in snapshot.disks)
    return _digest(
        uuid,
        snapshot.name,
        snapshot.description,
        snapshot.created_at.isoformat() if snapshot.created_at else None,
        snapshot.state,
        snapshot.memory,
        snapshot.memory_file,
        disks,
    )


def of_snapshot(snapshot: SnapshotXml, machine: Machine, tables: Tables, images: Images) -> str:
    """Both parts, as ``record.images``."""
    in_images = [
        (disk.target, _in_image(snapshot.name, disk, machine, tables, images))
        for disk in sorted(snapshot.disks, key=lambda disk: disk.target)
        if disk.mode != "no"
    ]
    return f"{of_record(machine.uuid, snapshot)}.{_digest(in_images)}"


def record_part(identity: str) -> str:
    """The first part of a whole identity."""
    return identity.partition(".")[0]


def of_unregistered(path: str, snapshot_id: str, stamp: str) -> str:
    """A snapshot that only its image knows."""
    return _digest(path, snapshot_id, stamp)


def _in_image(
    name: str, disk: SnapshotDiskXml, machine: Machine, tables: Tables, images: Images
) -> list[str]:
    if disk.mode == "external":
        path = images.files.resolve(disk.overlay) if disk.overlay else None
        mark = images.files.look(path).mark if path else None
        return [mark] if mark else []
    held = machine.disk(disk.target)
    holding = tables.holding(name, held.chain.paths) if held is not None else ()
    return sorted(
        f"{entry.id}@{entry.stamp}"
        for path in holding
        for entry in tables.sizes[path].snapshots
        if entry.name == name
    )


def _digest(*parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:_DIGITS]
