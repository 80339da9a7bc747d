"""What a manager shows: the world as records of an inventory."""

from __future__ import annotations

from dataclasses import replace

from snapaudit.errors import Unreachable
from snapaudit.model.inventory import (
    ByteRange,
    Coverage,
    CoverageState,
    Datastore,
    DiskLayer,
    Host,
    Inventory,
    LayerRole,
    Snapshot,
    VirtualDisk,
    VirtualMachine,
)
from tests.enforce.fake.things import Disk, Layer, Machine, Manager, Snap
from tests.enforce.fake.world import World

_HOSTS = ("host-1", "host-2", "host-3", "host-4")


def collect(world: World, manager: Manager, *, only: str | None = None) -> Inventory:
    """Read the whole endpoint; ``only`` names the one machine to be measured, None means all.

    Raises Unreachable when it does not answer.
    """
    world.settle()
    if not manager.reachable:
        raise Unreachable(f"{manager.endpoint}: connection refused")
    return Inventory(
        endpoint=manager.endpoint,
        hypervisor="fake",
        collected_at=world.clock.now(),
        coverage=_coverage(manager),
        manager_id=manager.id,
        clock_skew_seconds=manager.skew.total_seconds(),
        lab=manager.lab,
        connection_verified=manager.verified,
        hosts=tuple(Host(id=host, name=host, version="1") for host in _HOSTS),
        datastores=tuple(_store(manager, name) for name in manager.stores),
        virtual_machines=tuple(
            _machine(world, each) if only in (None, each.id) else _unmeasured(_machine(world, each))
            for each in manager.machines.values()
        ),
    )


def missing(world: World, manager: Manager) -> Inventory:
    """What stands in an audit for an endpoint that does not answer."""
    return Inventory(
        endpoint=manager.endpoint,
        hypervisor="fake",
        collected_at=world.clock.now(),
        coverage=Coverage(state=CoverageState.MISSING, reason="connection refused"),
    )


def _coverage(manager: Manager) -> Coverage:
    if manager.listed:
        return Coverage(state=CoverageState.COMPLETE)
    return Coverage(state=CoverageState.PARTIAL, reason="some machines could not be read")


def _store(manager: Manager, name: str) -> Datastore:
    return Datastore(
        id=name,
        name=name,
        kind="dir",
        capacity_bytes=manager.stores[name].capacity,
        free_bytes=max(0, manager.free(name)),
        host_ids=_HOSTS,
    )


def _machine(world: World, machine: Machine) -> VirtualMachine:
    return VirtualMachine(
        id=machine.id,
        name=machine.name,
        host_id=machine.host,
        power_state=machine.power,
        disks=tuple(_disk(machine, disk) for disk in machine.disks),
        snapshots=tuple(_snapshot(machine, snap) for snap in machine.snaps.values()),
        current_snapshot_id=machine.current,
        consolidation_needed=bool(machine.phantoms()),
        busy=machine.busy or bool(world.running(machine)),
        is_template=machine.template,
        protections=tuple(machine.protections),
    )


def _unmeasured(vm: VirtualMachine) -> VirtualMachine:
    disks = tuple(
        replace(disk, layers=tuple(replace(layer, size_bytes=None) for layer in disk.layers))
        for disk in vm.disks
    )
    snapshots = tuple(replace(each, size_bytes=None, pinned_bytes=None) for each in vm.snapshots)
    return replace(vm, disks=disks, snapshots=snapshots)


def _disk(machine: Machine, disk: Disk) -> VirtualDisk:
    return VirtualDisk(
        id=disk.label,
        label=disk.label,
        capacity_bytes=disk.capacity,
        layers=tuple(_layer(machine, disk, layer) for layer in disk.layers),
    )


def _layer(machine: Machine, disk: Disk, layer: Layer) -> DiskLayer:
    return DiskLayer(
        path=layer.path,
        datastore_id=layer.store,
        size_bytes=layer.size,
        role=_role(machine, disk, layer),
        snapshot_id=layer.snap if layer.snap in machine.snaps else None,
        format="qcow2",
        exists=True,
    )


def _role(machine: Machine, disk: Disk, layer: Layer) -> LayerRole:
    if machine.is_phantom(layer):
        return LayerRole.PHANTOM
    return LayerRole.BASE if layer is disk.layers[0] else LayerRole.DELTA


def _snapshot(machine: Machine, snap: Snap) -> Snapshot:
    size = sum(layer.size for _, layer in machine.of(snap.name)) or snap.size
    return Snapshot(
        id=snap.name,
        name=snap.name,
        description=snap.description,
        kind=snap.kind,
        created_at=snap.created_at,
        parent_id=snap.parent,
        power_state=machine.power,
        has_memory=snap.memory,
        size_bytes=size,
        pinned_bytes=size,
        reclaimable_bytes=_gain(machine, snap),
        protections=tuple(snap.protections),
        identity=snap.identity,
    )


def _gain(machine: Machine, snap: Snap) -> ByteRange:
    found = machine.of(snap.name)
    if not found:
        return ByteRange(min=0, max=snap.size, basis="internal")
    size = sum(layer.size for _, layer in found)
    growth = 0
    for disk, layer in found:
        below = disk.layers[disk.layers.index(layer) - 1]
        growth += max(0, min(layer.size, disk.capacity - below.size))
    return ByteRange(min=size - growth, max=size, basis="merge")
