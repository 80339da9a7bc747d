"""Snapshots in an image of which libvirt knows nothing (``qemu-img snapshot -c``)."""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.hypervisors.libvirt import identity
from snapaudit.hypervisors.libvirt.machine import DiskChain, Machine
from snapaudit.hypervisors.libvirt.qcow2 import SnapshotSizes
from snapaudit.hypervisors.libvirt.snapshots import from_tables
from snapaudit.hypervisors.libvirt.tables import Tables
from snapaudit.model.inventory import LayerRole, PowerState, Snapshot

_PROTECTION = "unregistered: libvirt does not know it, so it cannot delete it"


def find(machine: Machine, tables: Tables) -> Iterator[Snapshot]:
    """One record for each image and snapshot. A template's belong to the template's own machine."""
    known = {snapshot.name for snapshot in machine.domain.snapshots}
    for disk in machine.disks:
        for path in _own_images(disk):
            sizes = tables.sizes.get(path)
            for entry in sizes.snapshots if sizes is not None else ():
                if entry.name not in known:
                    yield _record(disk, path, entry)


def _own_images(disk: DiskChain) -> Iterator[str]:
    for path, role in zip(disk.chain.paths, disk.roles, strict=True):
        if role is not LayerRole.TEMPLATE or path == disk.chain.paths[-1]:
            yield path


def _record(disk: DiskChain, path: str, entry: SnapshotSizes) -> Snapshot:
    sizes = from_tables([entry])
    return Snapshot(
        id=f"{path}#{entry.id}",
        name=entry.name,
        description=f"inside {path} (disk {disk.target})",
        kind="unregistered",
        created_at=entry.created_at,
        parent_id=None,
        power_state=PowerState.UNKNOWN if entry.vm_state_bytes else PowerState.OFF,
        has_memory=entry.vm_state_bytes > 0,
        size_bytes=sizes.size_bytes,
        pinned_bytes=sizes.pinned_bytes,
        reclaimable_bytes=sizes.reclaimable_bytes,
        protections=(_PROTECTION,),
        identity=identity.of_unregistered(path, entry.id, entry.stamp),
    )
