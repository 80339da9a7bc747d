"""What every hypervisor keeps, whatever it reads from. Each platform's tests call `keeps`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from snapaudit.codec.documents import to_json
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.soundness import faults


def keeps(collect: Callable[[], Inventory]) -> Inventory:
    """Collect twice and hold both against the contract; the first inventory for more questions."""
    first, second = collect(), collect()
    assert list(faults(first)) == []
    assert first.manager_id
    _parents_exist(first)
    _references_exist(first)
    _nothing_is_silently_dropped(first)
    assert _timeless(first) == _timeless(second), "two collects differ"
    return first


def _timeless(inventory: Inventory) -> str:
    """Without what changes by itself: the time, and the space left on a shared disk."""
    stores = tuple(replace(store, free_bytes=None) for store in inventory.datastores)
    return to_json(
        replace(inventory, collected_at=datetime(2000, 1, 1, tzinfo=UTC), datastores=stores)
    )


def _parents_exist(inventory: Inventory) -> None:
    for vm in inventory.virtual_machines:
        ids = {snapshot.id for snapshot in vm.snapshots}
        assert {s.parent_id for s in vm.snapshots} - {None} <= ids
        assert vm.current_snapshot_id is None or vm.current_snapshot_id in ids


def _references_exist(inventory: Inventory) -> None:
    stores = {store.id for store in inventory.datastores}
    hosts = {host.id for host in inventory.hosts}
    layers = [
        layer for vm in inventory.virtual_machines for disk in vm.disks for layer in disk.layers
    ]
    assert {layer.datastore_id for layer in layers} - {None} <= stores
    assert {stray.datastore_id for stray in inventory.strays} <= stores
    assert {vm.host_id for vm in inventory.virtual_machines} - {None} <= hosts


def _nothing_is_silently_dropped(inventory: Inventory) -> None:
    state = inventory.coverage.state
    assert (state is CoverageState.PARTIAL) == bool(inventory.gaps)
    if state is not CoverageState.COMPLETE:
        assert inventory.coverage.reason
    for vm in inventory.virtual_machines:
        for snapshot in vm.snapshots:
            assert snapshot.reclaimable_bytes.basis
            assert set(vm.protections) <= set(snapshot.protections)
