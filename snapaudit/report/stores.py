"""Stores: the datastores of an audit, the one in greatest danger first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from snapaudit.model.finding import Audit, Finding
from snapaudit.model.inventory import (
    ByteRange,
    Datastore,
    Inventory,
    LayerRole,
    VirtualMachine,
)
from snapaudit.model.policy import Severity, SubjectKind

_OF_SNAPSHOTS = frozenset({LayerRole.DELTA, LayerRole.PHANTOM})
_BASIS = "deltas, phantoms and internal snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One datastore with its findings; ``held`` is what snapshots and phantoms occupy on it."""

    endpoint: str
    datastore: Datastore
    held: ByteRange
    findings: tuple[Finding, ...]

    @property
    def fill_ratio(self) -> float | None:
        """The occupied share from 0 to 1, or None when the datastore does not tell."""
        capacity, free = self.datastore.capacity_bytes, self.datastore.free_bytes
        return None if not capacity or free is None else min(1.0, max(0.0, 1 - free / capacity))

    @property
    def held_ratio(self) -> float | None:
        """The share of the capacity that snapshots are known to hold, or None."""
        capacity = self.datastore.capacity_bytes
        return None if not capacity else min(1.0, self.held.min / capacity)

    @property
    def severity(self) -> Severity | None:
        """That of the worst finding."""
        return max((one.severity for one in self.findings), key=lambda s: s.rank, default=None)


def endangered_first(audit: Audit) -> tuple[Store, ...]:
    """Every datastore: by its worst finding, then those that cannot be reached, then by fill."""
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in audit.findings:
        if finding.subject.kind is SubjectKind.DATASTORE and finding.exemption is None:
            found.setdefault((finding.subject.endpoint, finding.subject.id), []).append(finding)
    stores = (
        Store(
            endpoint=inventory.endpoint,
            datastore=datastore,
            held=held[datastore.id],
            findings=tuple(found.get((inventory.endpoint, datastore.id), ())),
        )
        for inventory in audit.inventories
        for held in (_held(inventory),)
        for datastore in inventory.datastores
    )
    return tuple(sorted(stores, key=_danger))


def _danger(store: Store) -> tuple[int, bool, float, tuple[str, ...]]:
    rank = -1 if store.severity is None else store.severity.rank
    fill = -1.0 if store.fill_ratio is None else store.fill_ratio
    names = (store.endpoint, store.datastore.name, store.datastore.id)
    return (-rank, store.datastore.accessible, -fill, names)


def _held(inventory: Inventory) -> dict[str, ByteRange]:
    """What is held on each datastore; a file that two chains share counts once."""
    sizes: dict[str | None, dict[object, int | None]] = {}
    for vm in inventory.virtual_machines:
        for store_id, what, size in (*_overlays(vm), *_inside(vm)):
            sizes.setdefault(store_id, {})[what] = size
    is_all_placed = None not in sizes
    return {
        store.id: _total(sizes.get(store.id, {}).values(), is_all_placed)
        for store in inventory.datastores
    }


def _overlays(vm: VirtualMachine) -> Iterable[tuple[str | None, object, int | None]]:
    for disk in vm.disks:
        for layer in disk.layers:
            if layer.role in _OF_SNAPSHOTS:
                yield layer.datastore_id, layer.path, layer.size_bytes


def _inside(vm: VirtualMachine) -> Iterable[tuple[str | None, object, int | None]]:
    """Snapshots without an overlay lie inside the images; on which of several stores is unknown.

    Of a machine whose disks nobody told it is unknown altogether.
    """
    outside = {layer.snapshot_id for disk in vm.disks for layer in disk.layers}
    places = {disk.layers[-1].datastore_id for disk in vm.disks if disk.layers} - {None}
    for snapshot in vm.snapshots:
        if snapshot.id not in outside:
            size = snapshot.size_bytes if len(places) == 1 else None
            yield from ((place, (vm.id, snapshot.id), size) for place in places or (None,))


def _total(sizes: Iterable[int | None], is_all_placed: bool) -> ByteRange:
    all_sizes = tuple(sizes)
    known = sum(size for size in all_sizes if size is not None)
    is_sure = is_all_placed and None not in all_sizes
    return ByteRange(min=known, max=known if is_sure else None, basis=_BASIS)
