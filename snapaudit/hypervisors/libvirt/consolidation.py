"""Deltas that no snapshot explains: what forbids merging them, and whether they are the machine's.

A chain of two images may be a disk with a forgotten delta, or a template with its only clone. Names
tell which is likelier and prove nothing; only a snapshot that this machine took on the lower image,
or below it, does. Where it is missing, a person decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename

from snapaudit.hypervisors.libvirt.machine import DiskChain, Machine
from snapaudit.hypervisors.libvirt.protections import Surroundings, shared
from snapaudit.hypervisors.libvirt.snapshots import kind
from snapaudit.model.inventory import LayerRole


@dataclass(frozen=True, slots=True)
class Layer:
    """An image of a disk's chain with its neighbours; ``above`` None: it is the disk's top."""

    target: str
    overlay: str
    base: str
    above: str | None
    below: tuple[str, ...]
    """Everything under the overlay, base first; the last of them is ``base``."""


def layer(disk: DiskChain, overlay: str) -> Layer | None:
    """The place of an image in a disk's chain; None when it has none, or nothing lies below it."""
    paths = disk.chain.paths
    if overlay not in paths[1:]:
        return None
    at = paths.index(overlay)
    above = paths[at + 1] if at + 1 < len(paths) else None
    return Layer(disk.target, overlay, paths[at - 1], above, paths[:at])


def phantoms(machine: Machine) -> tuple[Layer, ...]:
    """The deltas of a machine that no snapshot explains, disk by disk, the highest first."""
    found = [
        layer(disk, path)
        for disk in machine.disks
        for path, role in reversed(list(zip(disk.chain.paths, disk.roles, strict=True)))
        if role is LayerRole.PHANTOM
    ]
    return tuple(item for item in found if item is not None)


def protections(machine: Machine, around: Surroundings) -> Iterator[str]:
    """What forbids merging them, beside what holds for the whole machine."""
    for item in phantoms(machine):
        own = (*item.below, item.overlay)
        yield from shared(item.base, {item.overlay}, own, machine, around)
        yield from shared(item.overlay, {item.above} if item.above else set(), (), machine, around)
        yield from _inside(item, machine, around)


def _inside(item: Layer, machine: Machine, around: Surroundings) -> Iterator[str]:
    inside = around.tables.sizes.get(item.overlay)
    if inside is not None and inside.snapshots:
        names = ", ".join(sorted(entry.name for entry in inside.snapshots)[:3])
        yield f"internal-inside: merging {basename(item.overlay)} would lose {names}"
    elif item.overlay in around.tables.unread and _has_internal(machine):
        yield f"internal-inside: {basename(item.overlay)} may hold internal snapshots"


def _has_internal(machine: Machine) -> bool:
    return any(kind(snapshot) == "internal" for snapshot in machine.domain.snapshots)


def doubt(machine: Machine, around: Surroundings) -> str | None:
    """Why it is not certain that the images below are this machine's own; None when it is."""
    for item in reversed(phantoms(machine)):
        if not _is_proven(item, machine, around):
            return (
                f"nothing proves that {item.base} is its own and not a template that it alone uses "
                "at the moment: no snapshot of it was taken on that image or below"
            )
    return None


def _is_proven(item: Layer, machine: Machine, around: Surroundings) -> bool:
    frozen = {
        around.graph.resolve(path)
        for snapshot in machine.domain.snapshots
        for target, path in snapshot.frozen.items()
        if target == item.target
    }
    return any(path in machine.explained or path in frozen for path in item.below)
