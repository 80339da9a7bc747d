"""What the world is made of. Everything may change here, unlike in the records of the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from snapaudit.model.inventory import PowerState
from tests.builders import GIB


class Way(StrEnum):
    """How a machine's snapshots are deleted: one call for all, or one call for each step."""

    NATIVE = "native"
    STEPS = "steps"


@dataclass(slots=True)
class Layer:
    """One image. ``snap`` is the snapshot it was opened for, None for a base or a phantom."""

    path: str
    store: str
    size: int
    snap: str | None = None
    phantom: bool = False


@dataclass(slots=True)
class Disk:
    label: str
    capacity: int
    layers: list[Layer]


@dataclass(slots=True)
class Snap:
    """``identity`` is new with each creation, though its name, path and second may be used again.

    ``size`` counts for an internal snapshot alone: an external one is as big as its layers.
    """

    name: str
    identity: str
    created_at: datetime
    parent: str | None
    kind: str
    size: int = GIB
    description: str = ""
    memory: bool = False
    protections: list[str] = field(default_factory=list)
    revision: int = 0


@dataclass(slots=True)
class Machine:
    """``revision`` counts what others did to its name and its chains, and a snapshot's own what
    they did to it and its place in the tree. What we do is not counted.
    """

    id: str
    name: str
    disks: list[Disk]
    ways: tuple[Way, ...] = (Way.NATIVE,)
    kind: str = "external"
    host: str = "host-1"
    power: PowerState = PowerState.ON
    snaps: dict[str, Snap] = field(default_factory=dict)
    current: str | None = None
    busy: bool = False
    template: bool = False
    protections: list[str] = field(default_factory=list)
    revision: int = 0

    def children(self, name: str) -> list[Snap]:
        return [snap for snap in self.snaps.values() if snap.parent == name]

    def changed(self, name: str | None, *, chains: bool) -> None:
        """Somebody changed a snapshot: its neighbours are others now, and perhaps the chains."""
        self.revision += chains
        snap = self.snaps.get(name or "")
        near = [] if snap is None else [snap, *self.children(snap.name)]
        if snap is not None and snap.parent is not None:
            near.append(self.snaps[snap.parent])
        for each in near:
            each.revision += 1

    def layers(self) -> Iterator[tuple[Disk, Layer]]:
        return ((disk, layer) for disk in self.disks for layer in disk.layers)

    def of(self, name: str) -> list[tuple[Disk, Layer]]:
        """The layers that this snapshot explains, each with its disk."""
        return [(disk, layer) for disk, layer in self.layers() if layer.snap == name]

    def phantoms(self) -> list[tuple[Disk, Layer]]:
        return [(disk, layer) for disk, layer in self.layers() if self.is_phantom(layer)]

    def is_phantom(self, layer: Layer) -> bool:
        """Nothing explains it: nobody ever did, or its snapshot was struck off without it."""
        return layer.phantom or (layer.snap is not None and layer.snap not in self.snaps)

    def linear(self) -> bool:
        """One line of snapshots, and for images of their own, one that the disks stand on whole."""
        parents = [snap.parent for snap in self.snaps.values()]
        on_top = self.kind == "internal" or self.current is None or not self.children(self.current)
        return on_top and len(parents) == len(set(parents))

    def stores(self) -> frozenset[str]:
        return frozenset(layer.store for _, layer in self.layers())


@dataclass(slots=True)
class Store:
    """``others`` is what lies on it besides the images of the machines."""

    id: str
    capacity: int = 1000 * GIB
    others: int = 0


@dataclass(slots=True)
class Manager:
    """One endpoint and who answers there. ``listed`` False: it answers, but with too little."""

    endpoint: str
    id: str
    stores: dict[str, Store] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    skew: timedelta = timedelta(0)
    reachable: bool = True
    listed: bool = True
    verified: bool = True
    lab: bool = False

    def free(self, store: str) -> int:
        images = sum(
            layer.size
            for machine in self.machines.values()
            for _, layer in machine.layers()
            if layer.store == store
        )
        return self.stores[store].capacity - self.stores[store].others - images
