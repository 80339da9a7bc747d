"""A machine put together: its disks with their lines, and the snapshots that hang on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.hypervisors.xen.layers import total
from snapaudit.hypervisors.xen.lines import Disk, Own, disk_of
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import VdiRecord, VmRecord
from snapaudit.hypervisors.xen.stores import collects_nothing

LARGE = 2**30
"""Bytes from which on work that waits for the garbage collector matters."""

_MANY = 5


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine or template with its snapshots. ``own`` are all the images that are its own."""

    record: VmRecord
    snapshots: tuple[VmRecord, ...]
    disks: tuple[Disk, ...]
    own: Own

    def disk_under(self, leaf: VdiRecord) -> Disk | None:
        """The disk on whose line a disk snapshot hangs."""
        return next((disk for disk in self.disks if disk.mark_of(leaf) is not None), None)


def machine_of(record: VmRecord, pool: Pool) -> Machine:
    """Put a machine together."""
    live = [(use.position, vdi) for use, vdi in pool.disks(record) if vdi is not None]
    snapshots = pool.snapshots.get(record.ref, ())
    leaves: dict[str, str | None] = {}
    for _, vdi in live:
        leaves |= {each.uuid: None for each in pool.leftovers.get(vdi.ref, ())}
    for snapshot in snapshots:
        leaves |= {vdi.uuid: snapshot.uuid for vdi in disks_of(snapshot, pool)}
    own = Own(frozenset(vdi.uuid for _, vdi in live), leaves)
    disks = tuple(disk_of(position, vdi, own, pool) for position, vdi in live)
    return Machine(record, snapshots, disks, own)


def disks_of(vm: VmRecord, pool: Pool) -> list[VdiRecord]:
    """The images of a machine's or snapshot's disks, those that are there."""
    return [vdi for _, vdi in pool.disks(vm) if vdi is not None]


def memory_of(snapshot: VmRecord, pool: Pool) -> VdiRecord | None:
    """The image that holds a checkpoint's memory."""
    return pool.vdis.get(snapshot.suspend_vdi or "")


def waiting(machine: Machine, pool: Pool) -> tuple[VdiRecord, ...]:
    """All images of its lines that wait for the garbage collector."""
    found = (image for disk in machine.disks for image in disk.waiting(pool))
    return tuple({image.uuid: image for image in found}.values())


def needs_consolidation(machine: Machine, pool: Pool) -> bool | None:
    """Whether the garbage collector has to catch up first; None where the lines are not known.

    One small merge waits for some minutes after each deletion and is nothing to speak of. Much of
    it, or any while the collector is not at work, makes lines grow towards their limit.
    """
    if any(disk.line.trouble for disk in machine.disks):
        return None
    return any(_is_late(disk.waiting(pool), pool) for disk in machine.disks)


def _is_late(late: tuple[VdiRecord, ...], pool: Pool) -> bool:
    stuck = any(collects_nothing(sr) for sr in map(pool.sr_of, late) if sr is not None)
    size = total(late)
    return bool(late) and (stuck or len(late) >= _MANY or size is None or size >= LARGE)


def traits(machine: Machine, pool: Pool) -> Iterator[str]:
    """What XAPI tells of its lines that no other field has a place for."""
    late = waiting(machine, pool)
    if late:
        yield f"uncoalesced: {len(late)} images wait for the garbage collector"
    stores = {disk.leaf.sr: pool.sr_of(disk.leaf) for disk in machine.disks}
    for sr in stores.values():
        reason = collects_nothing(sr) if sr is not None else None
        if reason is not None:
            yield f"gc: {reason}"
    for disk in machine.disks:
        if disk.leaf.marks.get("leaf-coalesce") == "false":
            yield f"gc: disk {disk.position} is never merged with its base (leaf-coalesce=false)"
