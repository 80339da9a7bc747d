"""Records with sensible defaults, so that a test names only what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from snapaudit.model.inventory import (
    ByteRange,
    Coverage,
    CoverageState,
    Datastore,
    DiskLayer,
    Host,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    StrayFile,
    StrayKind,
    VirtualDisk,
    VirtualMachine,
)
from snapaudit.model.units import parse_duration

GIB = 2**30
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def ago(age: str) -> datetime:
    return NOW - parse_duration(age)


def gain(low: int = 0, high: int | None = 0, basis: str = "exact") -> ByteRange:
    return ByteRange(min=low, max=high, basis=basis)


def snapshot(name: str = "before-upgrade", *, age: str = "1h", **changes: Any) -> Snapshot:
    fields: dict[str, Any] = {
        "id": name,
        "name": name,
        "description": "",
        "kind": "internal",
        "created_at": ago(age),
        "parent_id": None,
        "power_state": PowerState.ON,
        "has_memory": False,
        "size_bytes": GIB,
        "pinned_bytes": GIB,
        "reclaimable_bytes": gain(GIB, GIB),
    }
    return Snapshot(**{**fields, **changes})


def layer(path: str = "/vm/web01.qcow2", **changes: Any) -> DiskLayer:
    fields: dict[str, Any] = {
        "path": path,
        "datastore_id": "pool-1",
        "size_bytes": 10 * GIB,
        "role": LayerRole.BASE,
        "exists": True,
    }
    return DiskLayer(**{**fields, **changes})


def disk(
    *layers: DiskLayer, label: str = "vda", capacity_bytes: int | None = 40 * GIB
) -> VirtualDisk:
    return VirtualDisk(
        id=label, label=label, capacity_bytes=capacity_bytes, layers=layers or (layer(),)
    )


def vm(name: str = "web01", *snapshots: Snapshot, **changes: Any) -> VirtualMachine:
    fields: dict[str, Any] = {
        "id": f"id-{name}",
        "name": name,
        "host_id": "host-1",
        "power_state": PowerState.ON,
        "disks": (disk(layer(f"/vm/{name}.qcow2")),),
        "snapshots": snapshots,
        "consolidation_needed": False,
        "busy": False,
    }
    return VirtualMachine(**{**fields, **changes})


def datastore(name: str = "pool-1", **changes: Any) -> Datastore:
    fields: dict[str, Any] = {
        "id": name,
        "name": name,
        "kind": "dir",
        "capacity_bytes": 1000 * GIB,
        "free_bytes": 500 * GIB,
        "provisioned_bytes": 600 * GIB,
        "host_ids": ("host-1",),
        "path": "/vm",
    }
    return Datastore(**{**fields, **changes})


def stray(path: str = "/vm/old.qcow2", **changes: Any) -> StrayFile:
    fields: dict[str, Any] = {
        "id": path,
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "kind": StrayKind.VOLUME,
        "datastore_id": "pool-1",
        "size_bytes": 5 * GIB,
        "reason": "no machine, chain or snapshot uses it",
    }
    return StrayFile(**{**fields, **changes})


def inventory(*machines: VirtualMachine, **changes: Any) -> Inventory:
    fields: dict[str, Any] = {
        "endpoint": "kvm1",
        "hypervisor": "libvirt",
        "manager_id": "manager-1",
        "collected_at": NOW,
        "coverage": Coverage(state=CoverageState.COMPLETE),
        "clock_skew_seconds": 0.0,
        "hosts": (Host(id="host-1", name="kvm1", version="9.0.0"),),
        "datastores": (datastore(),),
        "virtual_machines": machines,
    }
    return Inventory(**{**fields, **changes})
