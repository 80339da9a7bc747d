"""Space: how much free room a merge takes while it runs.

A merge writes the delta into the image below and frees it only at the end, while the guest goes on
writing. docs/safety.md, GRD-16, has the formula.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from snapaudit.model.age import no_age
from snapaudit.model.inventory import DiskLayer, LayerRole, Snapshot, VirtualDisk, VirtualMachine

MIB = 2**20
MERGE_BYTES_PER_SECOND = 50 * MIB
LEAST_GROWTH_PER_SECOND = MIB
INSIDE_AN_IMAGE = frozenset({"internal", "unregistered"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSize:
    """What a merge copies and the room it takes, in bytes; None where a delta's size is unknown.

    ``datastore_ids`` are those it writes to; one that is None is an image in no known datastore.
    """

    merges_bytes: int | None
    needs_bytes: int | None
    datastore_ids: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _Delta:
    disk: VirtualDisk
    layer: DiskLayer
    target: DiskLayer | None


def merge_size(vm: VirtualMachine, snapshot: Snapshot | None, now: datetime) -> MergeSize:
    """What deleting the snapshot copies, or (None) merging the deltas that no snapshot explains.

    A snapshot that lies inside an image copies nothing. One of any other kind whose deltas are not
    in sight has them somewhere else: nobody knows what its deletion would copy.
    """
    deltas = list(_deltas(vm, snapshot))
    stores = dict.fromkeys(_store(delta) for delta in deltas)
    if not deltas:
        stores = dict.fromkeys(disk.layers[-1].datastore_id for disk in vm.disks if disk.layers)
    sizes = [delta.layer.size_bytes for delta in deltas]
    known = [size for size in sizes if size is not None]
    total = sum(known) if len(known) == len(sizes) else None
    if total is None or (not deltas and not _lies_inside(snapshot)):
        return MergeSize(merges_bytes=None, needs_bytes=None, datastore_ids=tuple(stores))
    growth = sum(_growth(delta, is_dense=not _holds_inside(vm)) for delta in deltas)
    needs = growth + _written_meanwhile(total, snapshot, now) if deltas else 0
    return MergeSize(merges_bytes=total, needs_bytes=needs, datastore_ids=tuple(stores))


def _lies_inside(snapshot: Snapshot | None) -> bool:
    return snapshot is not None and snapshot.kind in INSIDE_AN_IMAGE


def _deltas(vm: VirtualMachine, snapshot: Snapshot | None) -> Iterator[_Delta]:
    for disk in vm.disks:
        below: DiskLayer | None = None
        for layer in disk.layers:
            is_meant = (
                layer.role is LayerRole.PHANTOM
                if snapshot is None
                else layer.snapshot_id == snapshot.id
            )
            if is_meant:
                yield _Delta(disk, layer, below)
            below = layer


def _store(delta: _Delta) -> str | None:
    return delta.target.datastore_id if delta.target is not None else None


def _growth(delta: _Delta, *, is_dense: bool) -> int:
    """At most the delta; less when the image below is nearly as large as the disk already."""
    size = delta.layer.size_bytes or 0
    capacity = delta.disk.capacity_bytes
    allocated = delta.target.size_bytes if delta.target is not None else None
    if not is_dense or capacity is None or allocated is None:
        return size
    return min(size, max(0, capacity - allocated))


def _holds_inside(vm: VirtualMachine) -> bool:
    """Whether snapshots lie inside the images: what they occupy there leaves no less to write."""
    outside = {layer.snapshot_id for disk in vm.disks for layer in disk.layers}
    return any(snapshot.id not in outside for snapshot in vm.snapshots)


def _written_meanwhile(merges: int, snapshot: Snapshot | None, now: datetime) -> int:
    """What the guest writes while the merge runs, twice: into the delta and into the image below.

    The rate is that of the delta so far, at least a MiB a second.
    """
    seconds = merges / MERGE_BYTES_PER_SECOND
    rate = float(LEAST_GROWTH_PER_SECOND)
    if snapshot is not None and snapshot.created_at and not no_age(snapshot.created_at, now):
        age = max(1.0, (now - snapshot.created_at).total_seconds())
        rate = max(rate, merges / age)
    return round(2 * seconds * rate)
