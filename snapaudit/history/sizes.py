"""Sizes: what snapshots had grown to in the last runs, and how fast that makes them grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from snapaudit.history.database import Database
from snapaudit.history.growing import growth
from snapaudit.history.identity import to_moment, to_number
from snapaudit.history.verdicts import snapshots_of
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.past import Growth, SnapshotKey

# A snapshot's pace is that of its last readings: what it did a month ago fills nothing today.
_LAST_SIZES = 4


def growth_of_all(
    database: Database, inventories: Iterable[Inventory], before: datetime, now: datetime
) -> dict[SnapshotKey, Growth]:
    """The growth of every snapshot that was seen before, its present size included."""
    sizes = _sizes(database, before)
    if not sizes:
        return {}
    found: dict[SnapshotKey, Growth] = {}
    for inventory in inventories:
        for number, vm, snapshot in snapshots_of(inventory):
            earlier = sizes.get(number)
            if earlier is None or snapshot.size_bytes is None:
                continue
            grown = growth([*earlier, (now, snapshot.size_bytes)], _ceiling(vm))
            if grown is not None:
                found[inventory.endpoint, vm.id, snapshot.id] = grown
    return found


def _sizes(database: Database, before: datetime) -> dict[int, list[tuple[datetime, int]]]:
    """The last sizes of every snapshot, oldest first; at most one a moment."""
    runs = database.rows(
        "SELECT id, audited_at FROM run WHERE audited_at <= ? AND has_details = 1 "
        "ORDER BY audited_at DESC, id DESC LIMIT ?",
        (to_number(before), _LAST_SIZES),
    )
    sizes: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for run, at in reversed(runs):
        moment = to_moment(at)
        for number, size in database.rows(
            "SELECT subject, size FROM sighting WHERE run = ? AND size IS NOT NULL "
            "AND purpose IS NOT NULL",
            (run,),
        ):
            known = sizes[number]
            if not known or known[-1][0] < moment:
                known.append((moment, size))
    return sizes


def _ceiling(vm: VirtualMachine) -> int | None:
    """A delta of a disk grows to the size of the disk and no further."""
    sizes = [disk.capacity_bytes for disk in vm.disks]
    known = [size for size in sizes if size is not None]
    return sum(known) if known and len(known) == len(sizes) else None
