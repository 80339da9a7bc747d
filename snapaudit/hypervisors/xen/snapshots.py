"""Snapshots as the model has them."""

from __future__ import annotations

from collections.abc import Sequence

from snapaudit.hypervisors.xen import protections
from snapaudit.hypervisors.xen.identity import identity
from snapaudit.hypervisors.xen.machines import Machine, disks_of, memory_of
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import VdiRecord, VmRecord
from snapaudit.hypervisors.xen.sizes import Measured, measured
from snapaudit.model.inventory import PowerState, Snapshot, VirtualDisk

SNAPSHOT, CHECKPOINT = "snapshot", "checkpoint"
SUSPENDED = "Suspended"
STATES = {
    "Running": PowerState.ON,
    "Halted": PowerState.OFF,
    "Paused": PowerState.PAUSED,
    SUSPENDED: PowerState.SUSPENDED,
}
_QUIESCED = {"quiesced": True, "crash_consistent": False}
_DETACHED = "a disk of it hangs on none of the lines of the machine's disks"


def snapshot_of(
    record: VmRecord,
    machine: Machine,
    disks: Sequence[VirtualDisk],
    pool: Pool,
    whole: tuple[str, ...],
    *,
    was_checkpoint: bool,
) -> Snapshot:
    """One snapshot; ``whole`` is what protects its machine.

    ``was_checkpoint``: we have discarded its memory ourselves, on the way to deleting it.
    """
    leaves = disks_of(record, pool)
    sizes = _measured(record, machine, disks, leaves, pool)
    is_checkpoint = record.power_state == SUSPENDED
    return Snapshot(
        id=record.uuid,
        name=record.name,
        description=record.description,
        kind=CHECKPOINT if is_checkpoint or was_checkpoint else SNAPSHOT,
        created_at=record.snapshot_time,
        parent_id=parent_of(record, machine),
        power_state=STATES.get(record.info.get("power-state-at-snapshot", ""), PowerState.UNKNOWN),
        has_memory=_has_memory(record),
        size_bytes=sizes.size_bytes,
        pinned_bytes=sizes.pinned_bytes,
        reclaimable_bytes=sizes.reclaimable_bytes,
        is_quiesced=True
        if record.has_vss_id
        else _QUIESCED.get(record.info.get("disk-snapshot-type", "")),
        protections=(
            *whole,
            *dict.fromkeys(protections.of_snapshot(record, machine, pool)),
        ),
        identity=identity(record, machine.record.uuid, (vdi.uuid for vdi in leaves)),
    )


def _measured(
    record: VmRecord,
    machine: Machine,
    disks: Sequence[VirtualDisk],
    leaves: list[VdiRecord],
    pool: Pool,
) -> Measured:
    sizes = [
        layer.size_bytes
        for disk in disks
        for layer in disk.layers
        if layer.snapshot_id == record.uuid
    ]
    known = [size for size in sizes if size is not None]
    troubles = [disk.line.trouble for disk in machine.disks if disk.line.trouble]
    is_whole = len(known) == len(leaves) and not troubles
    reason = troubles[0] if troubles else _DETACHED if len(sizes) < len(leaves) else _UNTOLD
    written = sum(known) if is_whole else None
    return measured(written, leaves, memory_of(record, pool), pool, reason or _UNTOLD)


_UNTOLD = "the storage does not tell the size of an image"


def _has_memory(record: VmRecord) -> bool | None:
    if record.power_state != SUSPENDED:
        return False
    return True if record.suspend_vdi is not None else None


def parent_of(record: VmRecord, machine: Machine) -> str | None:
    """The snapshot that a snapshot, or the machine itself, stands on."""
    return next((each.uuid for each in machine.snapshots if each.ref == record.parent), None)
