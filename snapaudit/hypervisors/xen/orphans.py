"""What is left of machines that are gone, and images that nothing uses. Told, never touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.hypervisors.xen import protections
from snapaudit.hypervisors.xen.layers import path_of, size_of, total
from snapaudit.hypervisors.xen.lines import Own, disk_of
from snapaudit.hypervisors.xen.machines import Machine, disks_of
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import DISKS, SUSPEND, VdiRecord, VmRecord
from snapaudit.hypervisors.xen.snapshots import snapshot_of
from snapaudit.hypervisors.xen.stores import is_shown
from snapaudit.model.inventory import (
    DiskLayer,
    LayerRole,
    PowerState,
    StrayFile,
    StrayKind,
    VirtualDisk,
    VirtualMachine,
)

_LEFT_OVER = (
    "a disk snapshot that no snapshot uses; it may also belong to a backup, a restore or a move "
    "that is under way"
)
_UNUSED = "no machine, template or snapshot uses this disk"
_MEMORY = "the memory of a machine or checkpoint that no longer refers to it"


def orphans(pool: Pool) -> Iterator[VirtualMachine]:
    """For each snapshot whose machine is gone, a machine that stands in for it."""
    for record in pool.snapshots.get(None, ()):
        yield _orphan(record, pool)


def _orphan(record: VmRecord, pool: Pool) -> VirtualMachine:
    own = Own(frozenset(), {vdi.uuid: record.uuid for vdi in disks_of(record, pool)})
    machine = Machine(record, (record,), (), own)
    disks = tuple(
        _disk(use.position, vdi, own, record.uuid, pool)
        for use, vdi in pool.disks(record)
        if vdi is not None
    )
    why = (protections.ORPHAN,)
    return VirtualMachine(
        id=f"orphan:{record.uuid}",
        name=f"{record.name} (machine gone)",
        host_id=None,
        power_state=PowerState.UNKNOWN,
        disks=disks,
        snapshots=(snapshot_of(record, machine, disks, pool, why, was_checkpoint=False),),
        consolidation_needed=False,
        busy=bool(record.operations),
        tags=record.tags,
        protections=why,
    )


def _disk(position: str, leaf: VdiRecord, own: Own, snapshot_id: str, pool: Pool) -> VirtualDisk:
    line = disk_of(position, leaf, own, pool).line
    sr = pool.sr_of(leaf)
    where = sr.uuid if sr is not None and is_shown(sr) else None
    below = line.images[:-1]
    base = DiskLayer(
        path=path_of(line.images[0], pool),
        datastore_id=where,
        size_bytes=total(below),
        role=LayerRole.BASE,
    )
    top = DiskLayer(
        path=path_of(leaf, pool),
        datastore_id=where,
        size_bytes=size_of(leaf),
        role=LayerRole.DELTA,
        snapshot_id=snapshot_id,
    )
    layers = (base, top) if below else (top,)
    return VirtualDisk(
        id=leaf.uuid, label=position, capacity_bytes=leaf.virtual_size, layers=layers
    )


def strays(machines: Iterable[Machine], pool: Pool) -> Iterator[StrayFile]:
    """Images that nothing uses, but for those that a machine's line shows already."""
    shown = {mark.leaf.uuid for each in machines for disk in each.disks for mark in disk.marks}
    memories = {vm.suspend_vdi for vm in pool.vms.values()}
    for vdi in sorted(pool.vdis.values(), key=lambda each: each.uuid):
        found = _kind(vdi, memories)
        sr = pool.sr_of(vdi)
        if found is not None and sr is not None and is_shown(sr) and vdi.uuid not in shown:
            kind, reason = found
            yield StrayFile(
                id=vdi.uuid,
                name=vdi.name or vdi.uuid,
                path=path_of(vdi, pool),
                kind=kind,
                datastore_id=sr.uuid,
                size_bytes=size_of(vdi),
                reason=reason,
                changed_at=vdi.snapshot_time,
            )


def _kind(vdi: VdiRecord, memories: set[str | None]) -> tuple[StrayKind, str] | None:
    if vdi.vbds or not vdi.managed or vdi.missing:
        return None
    if vdi.type == SUSPEND:
        return None if vdi.ref in memories else (StrayKind.MEMORY, _MEMORY)
    if vdi.type not in DISKS:
        return None
    return (StrayKind.OVERLAY, _LEFT_OVER) if vdi.is_a_snapshot else (StrayKind.VOLUME, _UNUSED)
