"""The fake vCenter as raw records: what each property path of its objects says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from snapaudit.hypervisors.vsphere.paths import (
    CLUSTER,
    DATACENTER,
    DATASTORE,
    FOLDER,
    HOST,
    VAPP,
    VIRTUAL_MACHINE,
)
from snapaudit.hypervisors.vsphere.raw import (
    NO_FILE,
    RawChain,
    RawDisk,
    RawFile,
    RawLayout,
    RawObject,
    RawSnapshot,
    RawSnapshotLayout,
    RawTree,
)
from tests.builders import GIB
from tests.hypervisors.vsphere.faketasks import Task
from tests.hypervisors.vsphere.fakeworld import Unit, Vcenter, Vm

Tasks = Mapping[str, Task]
KINDS: dict[str, Callable[[Vcenter, Tasks], list[str]]] = {
    VIRTUAL_MACHINE: lambda world, _: list(world.vms),
    DATASTORE: lambda world, _: list(world.stores),
    HOST: lambda world, _: list(world.hosts),
    CLUSTER: lambda _world, _: ["domain-1"],
    FOLDER: lambda _world, _: ["group-d1", "group-v1"],
    DATACENTER: lambda _world, _: ["datacenter-1"],
    VAPP: lambda _world, _: [],
    "Task": lambda _, tasks: list(tasks),
}
_AROUND = {
    "domain-1": {"name": "cluster", "parent": "group-h1"},
    "group-d1": {"name": "Datacenters"},
    "group-v1": {"name": "vm", "parent": "datacenter-1"},
    "datacenter-1": {"name": "DC", "parent": "group-d1"},
}


def objects(
    world: Vcenter,
    tasks: Tasks,
    denied: Mapping[tuple[str, str], str],
    kind: str,
    moids: Sequence[str],
    paths: Sequence[str],
) -> Iterator[RawObject]:
    """Each object with the paths that were asked for; one that is gone by now is left out."""
    for moid in moids:
        values = _values(world, tasks, kind, moid)
        if values is None:
            continue
        missing = {path: denied[moid, path] for path in paths if (moid, path) in denied}
        asked = (path for path in paths if path not in missing)
        told = {path: values[path] for path in asked if values.get(path) is not None}
        yield RawObject(kind, moid, told, missing)


def _values(world: Vcenter, tasks: Tasks, kind: str, moid: str) -> Mapping[str, object] | None:
    match kind:
        case "VirtualMachine":
            return _of_machine(world, world.vms[moid]) if moid in world.vms else None
        case "Datastore":
            return _of_store(world, moid)
        case "HostSystem":
            return _of_host(moid)
        case "Task":
            return _of_task(tasks[moid])
    return _AROUND[moid]


def _of_store(world: Vcenter, moid: str) -> Mapping[str, object]:
    store = world.stores[moid]
    return {
        "name": store.name,
        "parent": "group-s1",
        "summary.capacity": store.capacity,
        "summary.freeSpace": store.free,
        "summary.uncommitted": 0,
        "summary.accessible": store.accessible,
        "summary.maintenanceMode": "normal",
        "summary.type": "VMFS",
        "summary.url": f"ds:///vmfs/volumes/{moid}/",
        "host": tuple(world.hosts),
        "vm": tuple(vm.moid for vm in world.vms.values() if moid in vm.stores),
    }


def _of_host(moid: str) -> Mapping[str, object]:
    return {
        "name": f"{moid}.example.org",
        "parent": "domain-1",
        "summary.config.product.fullName": "VMware ESXi 8.0.3 build-1",
        "runtime.inMaintenanceMode": False,
        "runtime.connectionState": "connected",
    }


def _of_task(task: Task) -> Mapping[str, object]:
    return {
        "info.state": task.state,
        "info.descriptionId": task.kind,
        "info.entity": task.vm.moid,
        "info.progress": task.progress,
        "info.queueTime": task.queued_at,
    }


def _of_machine(world: Vcenter, vm: Vm) -> Mapping[str, object]:
    return {
        "name": vm.name,
        "parent": "group-v1",
        "config.instanceUuid": vm.instance_uuid,
        "config.uuid": vm.uuid,
        "config.template": vm.template,
        "config.annotation": "",
        "config.changeTrackingEnabled": False,
        "config.managedBy": vm.managed_by,
        "config.files.vmPathName": f"[{vm.stores[0]}] {vm.folder}/{vm.name}.vmx",
        "runtime.powerState": vm.power,
        "runtime.connectionState": vm.connection,
        "runtime.host": vm.host,
        "runtime.consolidationNeeded": vm.consolidation_needed,
        "runtime.snapshotInBackground": vm.in_background,
        "runtime.faultToleranceState": "notConfigured",
        "snapshot": _tree(vm),
        "datastore": tuple(vm.stores),
        "recentTask": tuple(vm.tasks),
        "disabledMethod": tuple(vm.disabled),
        "layoutEx": _Layout(world, vm).made(),
        "config.hardware.device": tuple(_disks(vm)),
    }


def _tree(vm: Vm) -> RawTree | None:
    if not vm.snaps:
        return None
    nodes: list[RawSnapshot] = []
    waiting = [snap for snap in vm.snaps.values() if snap.parent not in vm.snaps]
    while waiting:
        snap = waiting.pop(0)
        nodes.append(
            RawSnapshot(
                moid=snap.moid,
                id=snap.id,
                name=snap.name,
                description=snap.description,
                created_at=snap.created_at,
                state=snap.power,
                quiesced=False,
                parent=snap.parent,
            )
        )
        waiting += vm.children(snap.moid)
    return RawTree(vm.current, tuple(nodes))


def _disks(vm: Vm) -> Iterator[RawDisk]:
    for number, (key, chain) in enumerate(vm.chains.items(), 1):
        yield RawDisk(
            key=key,
            label=f"Hard disk {number}",
            capacity=100 * GIB,
            backing="FlatVer2BackingInfo",
            file=chain[-1].name,
            datastore=chain[-1].store,
            mode="persistent",
            parents=tuple(unit.name for unit in reversed(chain[:-1])),
            thin=True,
        )


class _Layout:
    """The files of a machine, each under a key of its own (vim.vm.FileLayoutEx)."""

    def __init__(self, world: Vcenter, vm: Vm) -> None:
        self._world, self._vm = world, vm
        self._files: dict[str, RawFile] = {}

    def made(self) -> RawLayout:
        snapshots = tuple(
            RawSnapshotLayout(
                snap.moid,
                self._key(f"{self._home}-Snapshot{snap.id}.vmsn", "snapshotData", 2**15),
                NO_FILE
                if snap.memory is None
                else self._key(
                    f"{self._home}-Snapshot{snap.id}.vmem", "snapshotMemory", snap.memory
                ),
                self._chains(snap.chains),
            )
            for snap in self._vm.snaps.values()
        )
        disks = self._chains(self._vm.chains)
        files = {file.key: file for file in self._files.values()}
        return RawLayout(files, disks, snapshots, self._world.clock.now())

    @property
    def _home(self) -> str:
        return f"[{self._vm.stores[0]}] {self._vm.folder}/{self._vm.name}"

    def _chains(self, chains: Mapping[int, Sequence[Unit]]) -> tuple[RawChain, ...]:
        return tuple(
            RawChain(key, tuple(self._unit(unit) for unit in chain))
            for key, chain in chains.items()
        )

    def _unit(self, unit: Unit) -> tuple[int, ...]:
        word = "delta" if unit.is_delta else "flat"
        extent = unit.name.replace(".vmdk", f"-{word}.vmdk")
        return (
            self._key(unit.name, "diskDescriptor", 600),
            self._key(extent, "diskExtent", unit.size),
        )

    def _key(self, name: str, kind: str, size: int) -> int:
        if name not in self._files:
            self._files[name] = RawFile(len(self._files), name, kind, size, is_accessible=True)
        return self._files[name].key
