"""Creators: who took a snapshot, remembered for when the platform no longer tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from snapaudit.history.database import Database, Row
from snapaudit.history.verdicts import snapshots_of
from snapaudit.model.inventory import Inventory


def with_creators(database: Database, inventories: Iterable[Inventory]) -> tuple[Inventory, ...]:
    """The inventories, snapshots of unknown creator with the one that an earlier run was told."""
    told = "SELECT s.id, w.text FROM subject s JOIN word w ON w.id = s.creator"
    known: dict[int, str] = dict(map(_pair, database.rows(told)))
    return tuple(_with_creators(one, known) for one in inventories) if known else tuple(inventories)


def _pair(row: Row) -> tuple[int, str]:
    number, name = row
    return number, name


def _with_creators(inventory: Inventory, known: Mapping[int, str]) -> Inventory:
    told = {
        (vm.id, shot.id): known[number]
        for number, vm, shot in snapshots_of(inventory)
        if shot.creator is None and number in known
    }
    if not told:
        return inventory
    concerned = {vm_id for vm_id, _ in told}
    machines = tuple(
        replace(
            vm,
            snapshots=tuple(
                replace(shot, creator=told[vm.id, shot.id]) if (vm.id, shot.id) in told else shot
                for shot in vm.snapshots
            ),
        )
        if vm.id in concerned
        else vm
        for vm in inventory.virtual_machines
    )
    return replace(inventory, virtual_machines=machines)
