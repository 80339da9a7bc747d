"""Sightings: how much each endpoint showed when it was last seen whole (docs/safety.md, GRD-28).

A list that comes back empty, or half as long as before, is more often a fault than the truth.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from snapaudit.codec.strict import parse, pretty
from snapaudit.enforce.state import State, distrust, opened, read_all, store
from snapaudit.errors import InputError
from snapaudit.model.inventory import Coverage, CoverageState, Inventory

SIGHTINGS_SCHEMA = "snapaudit/sightings@1"
MAX_BYTES = 2**20
# Somebody who deletes the only two snapshots of a host is doing what they should.
FEW_SNAPSHOTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How many machines and snapshots there were."""

    virtual_machines: int
    snapshots: int


def sighting(inventory: Inventory) -> Sighting:
    """What an inventory shows."""
    machines = inventory.virtual_machines
    return Sighting(
        virtual_machines=len(machines), snapshots=sum(len(vm.snapshots) for vm in machines)
    )


def doubted(
    inventories: Iterable[Inventory], before: Mapping[str, Sighting]
) -> tuple[Inventory, ...]:
    """The inventories, with those called suspicious that show less than half of what they did."""
    return tuple(_doubted(one, before.get(one.endpoint)) for one in inventories)


def _doubted(inventory: Inventory, before: Sighting | None) -> Inventory:
    if before is None or inventory.coverage.state is not CoverageState.COMPLETE:
        return inventory
    now = sighting(inventory)
    for what, was, is_now, least in (
        ("virtual machines", before.virtual_machines, now.virtual_machines, 1),
        ("snapshots", before.snapshots, now.snapshots, FEW_SNAPSHOTS),
    ):
        if 2 * is_now < was and was - is_now >= least:
            reason = f"only {is_now} of the {was} {what} that were there at the last whole view"
            coverage = Coverage(state=CoverageState.SUSPICIOUS, reason=reason)
            return replace(inventory, coverage=coverage)
    return inventory


def read_sightings(state: State) -> dict[str, Sighting]:
    """What was noted last; nothing where there is no note, or none that can be read."""
    try:
        with opened(state.sightings) as handle:
            complaint = distrust(os.fstat(handle))
            raw = read_all(handle, MAX_BYTES)
        if complaint is not None:
            return {}
        return dict(_entries(parse(raw, str(state.sightings))))
    except (InputError, OSError):
        return {}


def _entries(document: Mapping[str, Any]) -> Iterator[tuple[str, Sighting]]:
    found = document.get("endpoints")
    for name, entry in found.items() if isinstance(found, dict) else ():
        numbers = [_number(entry, key) for key in ("virtual_machines", "snapshots")]
        machines, snapshots = numbers
        if machines is not None and snapshots is not None:
            yield name, Sighting(virtual_machines=machines, snapshots=snapshots)


def _number(entry: object, key: str) -> int | None:
    found = entry.get(key) if isinstance(entry, dict) else None
    return found if isinstance(found, int) else None


def note_sightings(
    state: State,
    inventories: Iterable[Inventory],
    named: frozenset[str] = frozenset(),
    deleted: Mapping[str, int] | None = None,
) -> None:
    """Note what was seen whole, and what a person accepted by naming the endpoint.

    ``deleted``: how many snapshots of an endpoint went since, by our own hand.
    """
    noted = read_sightings(state)
    for inventory in inventories:
        is_accepted = (
            inventory.coverage.state is CoverageState.SUSPICIOUS and inventory.endpoint in named
        )
        if inventory.coverage.state is CoverageState.COMPLETE or is_accepted:
            seen = sighting(inventory)
            less = (deleted or {}).get(inventory.endpoint, 0)
            noted[inventory.endpoint] = replace(seen, snapshots=max(0, seen.snapshots - less))
    entries = {
        name: {"virtual_machines": one.virtual_machines, "snapshots": one.snapshots}
        for name, one in sorted(noted.items())
    }
    store(state.sightings, pretty({"schema": SIGHTINGS_SCHEMA, "endpoints": entries}))
