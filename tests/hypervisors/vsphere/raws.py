"""Raw records of a vCenter, made to order, and a session that reads them and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from snapaudit.hypervisors.vsphere.raw import (
    NO_FILE,
    About,
    FoundFile,
    RawChain,
    RawDisk,
    RawFile,
    RawLayout,
    RawObject,
    RawSnapshot,
    RawSnapshotLayout,
    RawTask,
    RawTree,
)
from tests.builders import GIB, NOW, ago

DISK = 2000
VCENTER = About("vc-uuid", "VMware vCenter Server 8.0.3 build-1", "VirtualCenter", "8.0.3.0")
Unit = tuple[int, ...]
Frozen = Mapping[int, Sequence[Unit]]
DESCRIPTOR_BYTES = 512


@dataclass
class Files:
    """The files of one machine, each under a key of its own (vim.vm.FileLayoutEx)."""

    folder: str = "[ds1] web01"
    files: dict[int, RawFile] = field(default_factory=dict)

    def add(self, name: str, size: int, kind: str = "diskExtent", **changes: Any) -> int:
        """One file; a name with a datastore stands for itself, others lie in the folder."""
        key = len(self.files)
        path = name if name.startswith("[") else f"{self.folder}/{name}"
        self.files[key] = RawFile(key, path, kind, size, **changes)
        return key

    def image(self, name: str, size: int, extent: str = "flat", **changes: Any) -> Unit:
        """A descriptor and its extent, which together take ``size``."""
        stem = name.removesuffix(".vmdk")
        return (
            self.add(f"{stem}.vmdk", DESCRIPTOR_BYTES, "diskDescriptor", **changes),
            self.add(f"{stem}-{extent}.vmdk", size - DESCRIPTOR_BYTES, **changes),
        )

    def state(self, name: str, size: int = 0) -> int:
        """The state file of a snapshot."""
        return self.add(name, size, "snapshotData")

    def memory(self, name: str, size: int) -> int:
        """The memory file of a snapshot."""
        return self.add(name, size, "snapshotMemory")

    def layout(self, now: Frozen, *snapshots: RawSnapshotLayout) -> RawLayout:
        """The whole, with these running chains by disk key."""
        return RawLayout(self.files, chains_of(now), snapshots, NOW)


def chains_of(disks: Frozen) -> tuple[RawChain, ...]:
    return tuple(RawChain(key, tuple(units)) for key, units in disks.items())


def snapshot_layout(
    moid: str, data: int, frozen: Frozen, *, memory: int = NO_FILE
) -> RawSnapshotLayout:
    return RawSnapshotLayout(moid, data, memory, chains_of(frozen))


def raw_snapshot(moid: str, parent: str | None = None, **changes: Any) -> RawSnapshot:
    fields: dict[str, Any] = {
        "moid": moid,
        "id": 1 + sum(moid.encode()) % 1000,
        "name": moid,
        "description": "",
        "created_at": ago("9d"),
        "state": "poweredOff",
        "quiesced": False,
        "parent": parent,
    }
    return RawSnapshot(**{**fields, **changes})


def tree(*snapshots: RawSnapshot, current: str | None = None) -> RawTree:
    """The last one is current unless another is named; ``"none"``: nobody tells."""
    return RawTree(
        None if current == "none" else current or snapshots[-1].moid if snapshots else None,
        snapshots,
    )


def line(*moids: str, **changes: Any) -> RawTree:
    """Snapshots that each stand on the one before."""
    parents = (None, *moids)
    made = (
        raw_snapshot(moid, above, **changes) for moid, above in zip(moids, parents, strict=False)
    )
    return tree(*made)


def device(key: int = DISK, **changes: Any) -> RawDisk:
    fields: dict[str, Any] = {
        "key": key,
        "label": f"Hard disk {key - DISK + 1}",
        "capacity": 40 * GIB,
        "backing": "VirtualDiskFlatVer2BackingInfo",
        "file": None,
        "datastore": "datastore-1",
        "mode": "persistent",
        "thin": False,
        "sharing": "sharingNone",
    }
    return RawDisk(**{**fields, **changes})


def raw_vm(
    name: str = "web01",
    *,
    moid: str | None = None,
    snapshots: RawTree | None = None,
    layout: RawLayout | None = None,
    devices: Sequence[RawDisk] | None = None,
    missing: Mapping[str, str] | None = None,
    values: Mapping[str, object] | None = None,
) -> RawObject:
    """A machine at rest; ``values`` by path override, and None takes a path away."""
    one_file = Files(f"[ds1] {name}")
    plain = one_file.layout({DISK: [one_file.image(f"{name}.vmdk", 40 * GIB)]})
    told: dict[str, object] = {
        "name": name,
        "parent": "group-v2",
        "config.instanceUuid": f"instance-{name}",
        "config.uuid": f"bios-{name}",
        "config.template": False,
        "config.annotation": "",
        "config.changeTrackingEnabled": False,
        "config.files.vmPathName": f"[ds1] {name}/{name}.vmx",
        "runtime.powerState": "poweredOn",
        "runtime.connectionState": "connected",
        "runtime.host": "host-1",
        "runtime.consolidationNeeded": False,
        "runtime.snapshotInBackground": False,
        "runtime.faultToleranceState": "notConfigured",
        "snapshot": snapshots,
        "datastore": ("datastore-1",),
        "recentTask": (),
        "disabledMethod": (),
        "customValue": (),
        "layoutEx": layout or plain,
        "config.hardware.device": tuple(devices) if devices is not None else (device(),),
        **(values or {}),
    }
    absent = missing or {}
    kept = {p: value for p, value in told.items() if value is not None and p not in absent}
    return RawObject("VirtualMachine", moid or f"vm-{name}", kept, absent)


def raw_store(moid: str = "datastore-1", name: str = "ds1", **values: object) -> RawObject:
    """Values by the last part of their path, as ``freeSpace``; None takes one away."""
    told: dict[str, object] = {
        "capacity": 1000 * GIB,
        "freeSpace": 400 * GIB,
        "uncommitted": 100 * GIB,
        "accessible": True,
        "maintenanceMode": "normal",
        "type": "VMFS",
        "url": f"ds:///vmfs/volumes/{moid}/",
        **values,
    }
    summary = {f"summary.{key}": value for key, value in told.items() if value is not None}
    return RawObject("Datastore", moid, {"name": name, "host": ("host-1",), **summary})


def raw_host(moid: str = "host-1", **values: object) -> RawObject:
    told: dict[str, object] = {
        "name": f"{moid}.example.org",
        "parent": "domain-c1",
        "summary.config.product.fullName": "VMware ESXi 8.0.3 build-1",
        "runtime.inMaintenanceMode": False,
        "runtime.connectionState": "connected",
        "hardware.systemInfo.uuid": f"hardware-{moid}",
    }
    return RawObject("HostSystem", moid, {**told, **values})


def around() -> tuple[RawObject, ...]:
    """A host in a cluster, a datastore, and the folder ``DC/shop``."""
    return (
        raw_host(),
        raw_store(),
        RawObject("ClusterComputeResource", "domain-c1", {"name": "prod", "parent": "group-h1"}),
        RawObject("Folder", "group-d1", {"name": "Datacenters"}),
        RawObject("Datacenter", "datacenter-1", {"name": "DC", "parent": "group-d1"}),
        RawObject("Folder", "group-v1", {"name": "vm", "parent": "datacenter-1"}),
        RawObject("Folder", "group-v2", {"name": "shop", "parent": "group-v1"}),
    )


def worked() -> RawObject:
    """The worked case of sizes: A with 4 GiB of memory, 7 GiB written, B, 2 GiB written."""
    files = Files()
    base = files.image("web01.vmdk", 40 * GIB)
    first = files.image("web01-000001.vmdk", 7 * GIB, "delta")
    second = files.image("web01-000002.vmdk", 2 * GIB, "delta")
    memory = files.memory("web01-Snapshot1.vmem", 4 * GIB)
    layout = files.layout(
        {DISK: [base, first, second]},
        snapshot_layout("A", files.state("a.vmsn"), {DISK: [base]}, memory=memory),
        snapshot_layout("B", files.state("b.vmsn"), {DISK: [base, first]}),
    )
    made = tree(raw_snapshot("A", state="poweredOn"), raw_snapshot("B", "A"))
    return raw_vm(snapshots=made, layout=layout)


@dataclass
class MemoryService:
    """A session on records in memory. ``asked`` is what was read, in order.

    ``vanishing`` machines are listed and gone by the time they are asked for themselves.
    """

    objects: list[RawObject]
    about: About = VCENTER
    is_verified: bool = True
    now: datetime = NOW
    fields: Mapping[int, str] = field(default_factory=dict)
    vanishing: frozenset[str] = frozenset()
    asked: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def custom_fields(self) -> Mapping[int, str]:
        return self.fields

    def read(self, wanted: Mapping[str, Sequence[str]]) -> Iterator[RawObject]:
        for raw in self.objects:
            kind = "ComputeResource" if raw.kind == "ClusterComputeResource" else raw.kind
            if kind in wanted:
                yield _only(raw, wanted[kind])

    def read_of(self, kind: str, moids: Iterable[str], paths: Sequence[str]) -> Iterator[RawObject]:
        meant = tuple(moids)
        self.asked.append((kind, meant, tuple(paths)))
        for raw in self.objects:
            if raw.moid in meant and raw.kind == kind and raw.moid not in self.vanishing:
                yield _only(raw, paths)

    def creations(self, since: datetime) -> Iterator[RawTask]:
        return iter(())

    def privileges(
        self, moids: Sequence[str], kinds: Mapping[str, str], names: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        return {moid: frozenset(names) for moid in moids}

    def search(self, datastore: str) -> Iterator[FoundFile]:
        return iter(())

    def close(self) -> None:
        """Nothing to let go."""


def _only(raw: RawObject, paths: Sequence[str]) -> RawObject:
    return RawObject(
        raw.kind,
        raw.moid,
        {path: raw.values[path] for path in paths if path in raw.values},
        {path: raw.missing[path] for path in paths if path in raw.missing},
    )


def service(*machines: RawObject, **changes: Any) -> MemoryService:
    """A vCenter with these machines, and their datastore knowing them."""
    others = changes.pop("around", around())
    return MemoryService([*machines, *(_knowing(one, machines) for one in others)], **changes)


def _knowing(raw: RawObject, machines: Sequence[RawObject]) -> RawObject:
    """Datastore.vm, which leads from a datastore to the machines on it."""
    if raw.kind != "Datastore" or "vm" in raw.values:
        return raw
    lying = tuple(vm.moid for vm in machines if raw.moid in _used(vm))
    return RawObject(raw.kind, raw.moid, {**raw.values, "vm": lying}, raw.missing)


def _used(machine: RawObject) -> tuple[str, ...]:
    found = machine.values.get("datastore")
    return found if isinstance(found, tuple) else ()
