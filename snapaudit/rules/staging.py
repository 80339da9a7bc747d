"""Staging: from an inventory to the scenes that facts look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.model.inventory import DiskLayer, Inventory, LayerRole, VirtualMachine
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import SubjectKind
from snapaudit.rules.facts.chain import disk_bytes
from snapaudit.rules.held import Held
from snapaudit.rules.purposes.classifier import Classifier
from snapaudit.rules.purposes.company import Company
from snapaudit.rules.purposes.spacing import rhythm
from snapaudit.rules.quantity import Unknown, age_of
from snapaudit.rules.scene import (
    DatastoreScene,
    EndpointScene,
    FileRole,
    FileScene,
    MachineScene,
    Scene,
    SnapshotScene,
    unread_of,
)


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Every scene of one inventory."""

    endpoint: EndpointScene
    datastores: tuple[DatastoreScene, ...]
    machines: tuple[MachineScene, ...]
    snapshots: tuple[SnapshotScene, ...]
    files: tuple[FileScene, ...]

    def by_kind(self) -> Iterator[tuple[SubjectKind, tuple[Scene, ...]]]:
        """The scenes by the kind of their subject."""
        yield SubjectKind.ENDPOINT, (self.endpoint,)
        yield SubjectKind.DATASTORE, self.datastores
        yield SubjectKind.VIRTUAL_MACHINE, self.machines
        yield SubjectKind.SNAPSHOT, self.snapshots
        yield SubjectKind.FILE, self.files


def stage(
    inventory: Inventory, now: datetime, classifier: Classifier, past: Past = NOTHING_REMEMBERED
) -> Stage:
    """The scenes of an inventory at a moment of our clock.

    Ages are taken by the endpoint's clock, since its clock wrote the creation times; where it was
    not read, by ours.
    """
    endpoint = endpoint_scene(inventory, now)
    machines = tuple(MachineScene(endpoint, vm) for vm in inventory.virtual_machines)
    return Stage(
        endpoint=endpoint,
        datastores=tuple(_datastores(endpoint, past)),
        machines=machines,
        snapshots=tuple(
            scene for machine in machines for scene in _snapshots(machine, classifier, past)
        ),
        files=files_of(endpoint),
    )


def endpoint_scene(inventory: Inventory, now: datetime) -> EndpointScene:
    """The endpoint of an inventory at a moment of our clock."""
    skew = timedelta(seconds=inventory.clock_skew_seconds or 0.0)
    return EndpointScene(
        inventory=inventory,
        now=now + skew,
        hosts={host.id: host for host in inventory.hosts},
        datastores={store.id: store for store in inventory.datastores},
        unread=unread_of(inventory),
    )


def _datastores(endpoint: EndpointScene, past: Past) -> Iterator[DatastoreScene]:
    held, name = Held(endpoint.inventory), endpoint.inventory.endpoint
    for store in endpoint.inventory.datastores:
        yield DatastoreScene(
            endpoint,
            store,
            held.total(store.id),
            held.largest_delta(store.id),
            _fault(past) or past.forecasts.get((name, store.id)),
        )


def _snapshots(
    machine: MachineScene, classifier: Classifier, past: Past
) -> Iterator[SnapshotScene]:
    snapshots = machine.vm.snapshots
    if not snapshots:
        return
    now, company = machine.endpoint.now, _company(machine, past)
    endpoint, vm_id, growth = machine.endpoint.inventory.endpoint, machine.vm.id, past.growth
    fault = _fault(past)
    for snapshot in snapshots:
        age = age_of(snapshot.created_at, now)
        grown = growth.get((endpoint, vm_id, snapshot.id)) if growth else fault
        reading, expires_at = classifier.read(snapshot, age, company, now, grown)
        yield SnapshotScene(machine, snapshot, age, reading, expires_at, grown)


def _fault(past: Past) -> Unknown | None:
    return None if past.fault is None else Unknown(f"the history cannot be read: {past.fault}")


def _company(machine: MachineScene, past: Past) -> Company:
    snapshots, disks = machine.vm.snapshots, disk_bytes(machine)
    times = (shot.created_at for shot in snapshots if shot.created_at is not None)
    return Company(
        hypervisor=machine.endpoint.inventory.hypervisor,
        snapshots=len(snapshots),
        rhythm=rhythm(times),
        disk_bytes=None if isinstance(disks, Unknown) else disks,
        is_rotating=(machine.endpoint.inventory.endpoint, machine.vm.id) in past.rotating,
        vm_name=machine.vm.name,
        protections=frozenset(machine.vm.protections),
    )


def files_of(endpoint: EndpointScene) -> tuple[FileScene, ...]:
    """The files that are subjects of their own."""
    return (*_strays(endpoint), *_phantoms(endpoint))


def _strays(endpoint: EndpointScene) -> Iterator[FileScene]:
    for stray in endpoint.inventory.strays:
        yield FileScene(
            endpoint=endpoint,
            id=stray.id,
            name=stray.name,
            path=stray.path,
            role=FileRole(stray.kind.value),
            size_bytes=stray.size_bytes,
            datastore_id=stray.datastore_id,
            changed_at=stray.changed_at,
        )


def _phantoms(endpoint: EndpointScene) -> Iterator[FileScene]:
    """Each phantom overlay once, with the first machine in whose chain it stands."""
    seen: set[str] = set()
    for vm in endpoint.inventory.virtual_machines:
        for disk in vm.disks:
            for layer in disk.layers:
                if layer.role is LayerRole.PHANTOM and layer.path not in seen:
                    seen.add(layer.path)
                    yield _phantom(endpoint, vm, layer)


def _phantom(endpoint: EndpointScene, vm: VirtualMachine, layer: DiskLayer) -> FileScene:
    return FileScene(
        endpoint=endpoint,
        id=layer.path,
        name=layer.path.rsplit("/", 1)[-1],
        path=layer.path,
        role=FileRole.PHANTOM,
        size_bytes=layer.size_bytes,
        datastore_id=layer.datastore_id,
        vm=vm,
    )
