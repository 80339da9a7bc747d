"""Offered: what deleting the snapshots that findings offer would free, datastore by datastore."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from snapaudit.model.finding import Audit
from snapaudit.model.inventory import ByteRange, VirtualMachine
from snapaudit.model.past import DatastoreKey
from snapaudit.model.policy import Remedy, SubjectKind

_BASIS = "unprotected snapshots that a finding offers, each deleted alone"


def offered(audit: Audit) -> dict[DatastoreKey, ByteRange]:
    """The bytes for each datastore on which something is offered.

    Of a machine on several datastores nobody knows how they share: there it is up to all of it.
    """
    gains: defaultdict[DatastoreKey, list[ByteRange]] = defaultdict(list)
    for endpoint, vm, gain in _gains(audit):
        stores = datastores_of(vm)
        for store in stores:
            low = gain.min if len(stores) == 1 else 0
            gains[endpoint, store].append(ByteRange(min=low, max=gain.max, basis=gain.basis))
    return {key: _sum(many) for key, many in gains.items()}


def datastores_of(vm: VirtualMachine) -> frozenset[str]:
    """Where the present images of a machine's disks lie."""
    layers = (disk.layers[-1].datastore_id for disk in vm.disks if disk.layers)
    return frozenset(store for store in layers if store is not None)


def _gains(audit: Audit) -> Iterator[tuple[str, VirtualMachine, ByteRange]]:
    wanted = {
        (one.subject.endpoint, one.subject.vm_id, one.subject.id)
        for one in audit.findings
        if one.remedy is Remedy.DELETE_SNAPSHOT
        and one.subject.kind is SubjectKind.SNAPSHOT
        and one.exemption is None
    }
    for inventory in audit.inventories if wanted else ():
        for vm in inventory.virtual_machines:
            for snapshot in () if vm.protections else vm.snapshots:
                place = (inventory.endpoint, vm.id, snapshot.id)
                if place in wanted and not snapshot.protections:
                    yield inventory.endpoint, vm, snapshot.reclaimable_bytes


def _sum(gains: list[ByteRange]) -> ByteRange:
    highest = [gain.max for gain in gains if gain.max is not None]
    return ByteRange(
        min=sum(gain.min for gain in gains),
        max=sum(highest) if len(highest) == len(gains) else None,
        basis=_BASIS,
    )
