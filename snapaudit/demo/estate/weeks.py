"""Half a year of the estate, as the inventories that its endpoints would have shown each week."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from snapaudit.demo.estate.berlin import BERLIN
from snapaudit.demo.estate.elsewhere import COLOGNE, HAMBURG, LAB
from snapaudit.demo.estate.machines import machine
from snapaudit.demo.estate.nouns import Box, Shelf, Site
from snapaudit.model.inventory import Coverage, CoverageState, Datastore, Host, Inventory

SITES = (BERLIN, COLOGNE, HAMBURG, LAB)
WEEKS = 26
_GIB = 2**30


def weeks(now: datetime) -> Iterator[tuple[datetime, tuple[Inventory, ...]]]:
    """Each week's moment with what was seen then, the oldest first and the last at ``now``."""
    for back in reversed(range(WEEKS)):
        at = now - timedelta(weeks=back)
        yield at, tuple(_seen(site, back, at, now) for site in SITES)


def _seen(site: Site, week: int, at: datetime, now: datetime) -> Inventory:
    if site.absent is not None and week == 0:
        coverage = Coverage(state=CoverageState.MISSING, reason=site.absent)
        return Inventory(
            endpoint=site.endpoint,
            hypervisor=site.hypervisor,
            collected_at=at,
            coverage=coverage,
            lab=site.lab,
        )
    return Inventory(
        endpoint=site.endpoint,
        hypervisor=site.hypervisor,
        collected_at=at,
        coverage=Coverage(state=CoverageState.COMPLETE),
        manager_id=site.manager,
        clock_skew_seconds=0.0,
        lab=site.lab,
        connection_verified=True,
        hosts=tuple(_host(site, name) for name in site.hosts),
        datastores=tuple(_datastore(site, shelf, week) for shelf in site.shelves),
        virtual_machines=tuple(
            machine(site, number, box, week, now) for number, box in enumerate(site.boxes)
        ),
        blind_spots=site.blind_spots,
    )


def _host(site: Site, name: str) -> Host:
    return Host(
        id=name, name=name, version=site.version, cluster=site.cluster, in_maintenance=False
    )


def _datastore(site: Site, shelf: Shelf, week: int) -> Datastore:
    capacity = shelf.capacity + sum(step.gib for step in shelf.added if step.week >= week)
    used = _base(shelf, week) + sum(
        _overlaid(box, week) for box in site.boxes if box.shelf == shelf.id
    )
    return Datastore(
        id=shelf.id,
        name=shelf.name,
        kind=shelf.kind,
        capacity_bytes=round(capacity * _GIB),
        free_bytes=round(max(0.0, capacity - used) * _GIB),
        provisioned_bytes=None if shelf.provisioned is None else round(shelf.provisioned * _GIB),
        host_ids=site.hosts,
        path=f"/{shelf.name}",
    )


def _base(shelf: Shelf, week: int) -> float:
    """What lies there besides snapshots; the unrest is the same at every call."""
    steps = sum(step.gib for step in shelf.steps if step.week >= week)
    unrest = zlib.crc32(f"{shelf.id} {week}".encode()) / 2**31 - 1
    return shelf.base + shelf.weekly * (WEEKS - 1 - week) + steps + unrest * shelf.noise


def _overlaid(box: Box, week: int) -> float:
    shots = sum(shot.gib(week) for shot in box.shots if shot.is_there(week))
    is_haunted = box.phantom is not None and box.phantom[1] >= week
    return shots + (box.phantom[0] if box.phantom is not None and is_haunted else 0.0)
