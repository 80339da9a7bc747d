"""Looks at a vCenter in memory as the collector has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from snapaudit.hypervisors.vsphere.collect import collect
from snapaudit.hypervisors.vsphere.extras import Extras
from snapaudit.hypervisors.vsphere.raw import About, RawObject
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory, VirtualMachine
from tests.builders import NOW
from tests.hypervisors.vsphere.raws import MemoryService

HOST = About("host-uuid", "VMware ESXi 8.0.3 build-1", "HostAgent", "8.0.3.0")
ENDPOINT = Endpoint(name="vc1", kind="vsphere", url="https://vc.example.org")


def seen(found: MemoryService, endpoint: Endpoint = ENDPOINT, **extras: Any) -> Inventory:
    return collect(found, endpoint, NOW, lambda _: None, Extras(**extras))


def named(inventory: Inventory, name: str = "web01") -> VirtualMachine:
    return next(vm for vm in inventory.virtual_machines if vm.name == name)


def words(texts: Iterable[str]) -> set[str]:
    return {text.partition(": ")[0] for text in texts}


def but(machine: RawObject, values: Mapping[str, object]) -> RawObject:
    """The machine with other values; None takes one away."""
    told = {**machine.values, **values}
    kept = {path: value for path, value in told.items() if value is not None}
    return RawObject(machine.kind, machine.moid, kept, machine.missing)
