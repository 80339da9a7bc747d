"""What people, other tools and bad luck do to the machines of a world."""

from __future__ import annotations

from datetime import timedelta

from snapaudit.model.inventory import PowerState
from tests.builders import GIB
from tests.enforce.fake.tasks import Forget, Merge
from tests.enforce.fake.things import Layer, Machine, Manager, Snap
from tests.enforce.fake.world import World


def create(
    world: World, manager: Manager, machine: Machine, name: str, *, age: timedelta | None = None
) -> Snap:
    """A new snapshot at the end of the line; ``age`` dates it back, as a redefinition does."""
    snap = Snap(
        name=name,
        identity=f"identity-{next(world.numbers)}",
        created_at=world.now_at(manager) - (age or timedelta(0)),
        parent=machine.current,
        kind=machine.kind,
    )
    machine.snaps[name] = snap
    machine.current = name
    for disk in machine.disks if machine.kind == "external" else []:
        path = f"/{machine.id}/{disk.label}.{name}"
        disk.layers.append(Layer(path, disk.layers[-1].store, 2 * GIB, snap=name))
    machine.changed(name, chains=machine.kind == "external")
    return snap


def recreate(world: World, machine: Machine, name: str) -> None:
    """Delete it and take it again within the same second: only the identity differs."""
    world.removed.add(machine.snaps[name].identity)
    machine.snaps[name].identity = f"identity-{next(world.numbers)}"


def delete(world: World, manager: Manager, machine: Machine, name: str) -> None:
    """Somebody else deletes it, properly and at once."""
    world.removed.add(machine.snaps[name].identity)
    machine.changed(name, chains=bool(machine.of(name)))
    for disk, layer in machine.of(name):
        Merge(manager, disk, layer)()
    Forget(machine, name)()


def rename(machine: Machine, name: str, new: str) -> None:
    snap = machine.snaps[name]
    snap.name = new
    machine.snaps = {each.name: each for each in machine.snaps.values()}
    for child in machine.snaps.values():
        child.parent = new if child.parent == name else child.parent
    for _, layer in machine.layers():
        layer.snap = new if layer.snap == name else layer.snap
    machine.current = new if machine.current == name else machine.current
    machine.changed(new, chains=False)


def revert(world: World, manager: Manager, machine: Machine, name: str) -> None:
    """Go on from that snapshot. Images above it stay, for the snapshots that need them."""
    machine.current = name
    if machine.kind == "internal":
        return
    for disk in machine.disks:
        at = next((i for i, layer in enumerate(disk.layers) if layer.snap == name), None)
        if at is None:
            continue
        for old in disk.layers[at:]:
            manager.stores[old.store].others += old.size
        path = f"/{machine.id}/{disk.label}.{next(world.numbers)}"
        disk.layers[at:] = [Layer(path, disk.layers[0].store, GIB, snap=name)]
    machine.revision += 1


def overlay(world: World, machine: Machine) -> None:
    """An image without a snapshot on top, as a backup that crashed leaves behind."""
    for disk in machine.disks:
        path = f"/{machine.id}/{disk.label}.{next(world.numbers)}"
        disk.layers.append(Layer(path, disk.layers[-1].store, GIB, phantom=True))
    machine.revision += 1


def move(machine: Machine, store: str) -> None:
    for _, layer in machine.layers():
        layer.store = store
        layer.path = f"/{store}{layer.path}"
    machine.revision += 1


def reissue(manager: Manager, one: Machine, other: Machine) -> None:
    """The manager gives the ids of two machines to each other's."""
    one.id, other.id = other.id, one.id
    manager.machines[one.id] = one
    manager.machines[other.id] = other


def crash(world: World, machine: Machine) -> None:
    """QEMU dies: the machine is off, and what ran on it stays as it is."""
    for task in world.running(machine):
        task.settle(world.clock.now())
    for task in world.running(machine):
        task.ended_at = world.clock.now()
        task.error = "the machine crashed"
    machine.power = PowerState.OFF
