"""What every inventory keeps, whether a collector made it or a file brought it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from snapaudit.model.inventory import ByteRange, Inventory, Snapshot, VirtualMachine

# More than lies between the first and the last day of a calendar.
_MOST_SECONDS = 10**12


def faults(inventory: Inventory) -> Iterator[str]:
    """Each way in which the inventory contradicts the model, in words; nothing when it is sound."""
    yield from _twice("host", (host.id for host in inventory.hosts))
    yield from _twice("datastore", (store.id for store in inventory.datastores))
    yield from _twice("virtual machine", (vm.id for vm in inventory.virtual_machines))
    yield from _twice("stray file", (stray.id for stray in inventory.strays))
    yield from _naive("the inventory", inventory.collected_at)
    skew = inventory.clock_skew_seconds
    if skew is not None and not abs(skew) < _MOST_SECONDS:
        yield f"clock_skew_seconds is {skew:g}, and no clock is off by so much"
    for store in inventory.datastores:
        sizes = (store.capacity_bytes, store.free_bytes, store.provisioned_bytes)
        yield from _negative(f"datastore {store.id!r}", sizes)
    for stray in inventory.strays:
        yield from _negative(f"stray file {stray.id!r}", (stray.size_bytes,))
    for vm in inventory.virtual_machines:
        yield from _machine_faults(vm)


def _machine_faults(vm: VirtualMachine) -> Iterator[str]:
    where = f"virtual machine {vm.id!r}"
    yield from _twice(f"snapshot of {where}", (snapshot.id for snapshot in vm.snapshots))
    for disk in vm.disks:
        layers = (layer.size_bytes for layer in disk.layers)
        yield from _negative(f"disk {disk.label!r} of {where}", (disk.capacity_bytes, *layers))
    for snapshot in vm.snapshots:
        yield from _snapshot_faults(f"snapshot {snapshot.id!r} of {where}", snapshot)


def _snapshot_faults(where: str, snapshot: Snapshot) -> Iterator[str]:
    yield from _naive(where, snapshot.created_at)
    gain = snapshot.reclaimable_bytes
    yield from _negative(where, (snapshot.size_bytes, snapshot.pinned_bytes, gain.min, gain.max))
    if not _is_range(gain):
        yield f"{where}: reclaimable_bytes has a min above its max"


def _is_range(gain: ByteRange) -> bool:
    return gain.max is None or gain.min <= gain.max


def _twice(what: str, ids: Iterable[str]) -> Iterator[str]:
    for identity, count in Counter(ids).items():
        if count > 1:
            yield f"{what} {identity!r} stands {count} times"


def _naive(what: str, at: datetime | None) -> Iterator[str]:
    if at is not None and at.tzinfo is None:
        yield f"{what}: the time {at.isoformat()} has no time zone"


def _negative(what: str, sizes: Iterable[int | None]) -> Iterator[str]:
    if any(size is not None and size < 0 for size in sizes):
        yield f"{what}: a size is negative"
