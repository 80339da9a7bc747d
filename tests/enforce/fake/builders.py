"""Worlds with sensible defaults, so that a test names only what matters to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from tests.builders import GIB
from tests.enforce.fake.people import create
from tests.enforce.fake.things import Disk, Layer, Machine, Manager, Store
from tests.enforce.fake.world import World

DAY = timedelta(days=1)


def manager(world: World, endpoint: str = "kvm1", *stores: str, **changes: Any) -> Manager:
    """An endpoint without machines; two datastores unless others are named."""
    built = Manager(endpoint=endpoint, id=f"manager-{endpoint}", **changes)
    built.stores = {name: Store(name) for name in stores or ("pool-1", "pool-2")}
    world.managers[endpoint] = built
    return built


def machine(
    world: World,
    at: Manager,
    name: str = "web01",
    *,
    snaps: Iterable[str] = ("old",),
    disks: int = 1,
    store: str = "pool-1",
    age: timedelta = 9 * DAY,
    **changes: Any,
) -> Machine:
    """A running machine with a line of snapshots, the first the oldest."""
    built = Machine(
        id=f"id-{name}",
        name=name,
        disks=[_disk(name, number, store) for number in range(disks)],
        **changes,
    )
    at.machines[built.id] = built
    for number, each in enumerate(snaps):
        create(world, at, built, each, age=age - timedelta(hours=number))
    return built


def _disk(name: str, number: int, store: str) -> Disk:
    label = f"vd{'abcdefgh'[number]}"
    return Disk(label, 40 * GIB, [Layer(f"/{name}/{label}", store, 10 * GIB)])
