"""Held: what snapshots occupy, datastore by datastore."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from snapaudit.model.inventory import DiskLayer, Inventory, LayerRole, VirtualMachine
from snapaudit.rules.quantity import Unknown, known_sum

_OVERLAYS = (LayerRole.DELTA, LayerRole.PHANTOM)
_REASON = "the size or place of something that a snapshot holds is not known"


@dataclass(slots=True)
class _Sizes:
    deltas: list[int | None] = field(default_factory=list)
    inside: list[int | None] = field(default_factory=list)


class Held:
    """The sizes of deltas, phantom overlays and internal snapshots of one inventory.

    A file that two chains share counts once. A snapshot without an overlay of its own lies inside
    the images of its machine; on which of several datastores, nobody can say. Where not even the
    disks are told, it may be a delta as well.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._by_store: defaultdict[str | None, _Sizes] = defaultdict(_Sizes)
        seen: set[tuple[str | None, str]] = set()
        for vm in inventory.virtual_machines:
            for layer in overlays(vm):
                identity = (layer.datastore_id, layer.path)
                if identity not in seen:
                    seen.add(identity)
                    self._by_store[layer.datastore_id].deltas.append(layer.size_bytes)
            self._add_inside(vm)
        nowhere = self._by_store[None]
        self._unplaced_deltas: list[int | None] = [None] * len(nowhere.deltas)
        self._unplaced = [*self._unplaced_deltas, *nowhere.inside]

    def _add_inside(self, vm: VirtualMachine) -> None:
        if not vm.snapshots:
            return
        outside = {layer.snapshot_id for layer in overlays(vm)}
        sizes = [shot.size_bytes for shot in vm.snapshots if shot.id not in outside]
        if not vm.disks:
            self._by_store[None].deltas.extend(sizes)
            return
        stores = {disk.layers[-1].datastore_id for disk in vm.disks if disk.layers} - {None}
        for store in stores or {None}:
            is_certain = len(stores) == 1
            self._by_store[store].inside.extend(sizes if is_certain else [None] * len(sizes))

    def total(self, datastore_id: str) -> int | Unknown:
        """All of it together."""
        sizes = self._by_store[datastore_id]
        return known_sum([*sizes.deltas, *sizes.inside, *self._unplaced], _REASON)

    def largest_delta(self, datastore_id: str) -> int | Unknown:
        """The largest delta or phantom overlay; 0 when there is none."""
        deltas = [*self._by_store[datastore_id].deltas, *self._unplaced_deltas]
        largest = max((size for size in deltas if size is not None), default=0)
        return Unknown(_REASON, largest) if None in deltas else largest


def overlays(vm: VirtualMachine) -> Iterator[DiskLayer]:
    """The deltas and phantom overlays in the chains of a machine."""
    for disk in vm.disks:
        for layer in disk.layers:
            if layer.role in _OVERLAYS:
                yield layer
