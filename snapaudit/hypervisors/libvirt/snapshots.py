"""Snapshots as records: kind, parent, time, size, and what deleting each alone would give back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.hypervisors.libvirt.graph import Graph
from snapaudit.hypervisors.libvirt.machine import Machine
from snapaudit.hypervisors.libvirt.qcow2 import (
    Qcow2Error,
    SnapshotSizes,
    growth_of_commit,
)
from snapaudit.hypervisors.libvirt.sizes import Images
from snapaudit.hypervisors.libvirt.tables import Tables
from snapaudit.hypervisors.libvirt.xml import SnapshotDiskXml, SnapshotXml
from snapaudit.model.inventory import ByteRange, PowerState

# libvirt removes the memory file of a deleted snapshot since 9.1; 9.0 leaves it behind.
REMOVES_MEMORY_FILE = 9_001_000

_STATES = {
    "running": PowerState.ON,
    "blocked": PowerState.ON,
    "disk-snapshot": PowerState.ON,
    "paused": PowerState.PAUSED,
    "shutdown": PowerState.OFF,
    "shutoff": PowerState.OFF,
    "crashed": PowerState.OFF,
    "pmsuspended": PowerState.SUSPENDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The three sizes of a snapshot, as the model defines them."""

    size_bytes: int | None
    pinned_bytes: int | None
    reclaimable_bytes: ByteRange


def unknown(reason: str) -> Sizes:
    """Sizes nobody could tell, with the reason."""
    gain = ByteRange(min=0, max=None, basis=f"unknown: {reason}")
    return Sizes(size_bytes=None, pinned_bytes=None, reclaimable_bytes=gain)


def power_state(snapshot: SnapshotXml) -> PowerState:
    """What the machine did when the snapshot was taken."""
    return _STATES.get(snapshot.state, PowerState.UNKNOWN)


def kind(snapshot: SnapshotXml) -> str:
    """``external`` when any of it lies in files of its own, else ``internal``."""
    modes = {disk.mode for disk in snapshot.disks} | {snapshot.memory}
    return "external" if "external" in modes else "internal"


def external_disks(snapshot: SnapshotXml, graph: Graph) -> Iterator[tuple[SnapshotDiskXml, str]]:
    """The disks with an overlay of their own, and its path."""
    for disk in snapshot.disks:
        if disk.mode == "external" and disk.overlay:
            yield disk, graph.resolve(disk.overlay)


def external_sizes(snapshot: SnapshotXml, graph: Graph, images: Images, *, version: int) -> Sizes:
    """Overlays and memory file together. Deleting merges each overlay into what it stands on.

    The gain is what the overlay occupies less what its merge target grows by.
    """
    unnamed = [d.target for d in snapshot.disks if d.mode == "external" and not d.overlay]
    if unnamed or (snapshot.memory == "external" and not snapshot.memory_file):
        return unknown(f"libvirt does not name the file of {', '.join(unnamed) or 'its memory'}")
    overlays = [path for _, path in external_disks(snapshot, graph)]
    memory = [graph.resolve(snapshot.memory_file)] if snapshot.memory_file else []
    parts = {path: images.used(path) for path in (*overlays, *memory)}
    unseen = next((path for path, used in parts.items() if used is None), None)
    if unseen is not None:
        return unknown(f"nobody told the size of {unseen}")
    sizes = {path: used for path, used in parts.items() if used is not None}
    gains = [_merge_gain(path, graph, images) for path in overlays]
    in_memory = sum(sizes[path] for path in memory)
    gain = _sum([*gains, _memory_gain(in_memory, version)] if memory else gains)
    exact = gain.min == gain.max
    return Sizes(
        size_bytes=sum(sizes.values()),
        pinned_bytes=gain.min if exact else None,
        reclaimable_bytes=gain,
    )


def _memory_gain(in_memory: int, version: int) -> ByteRange:
    if version >= REMOVES_MEMORY_FILE:
        return ByteRange(min=in_memory, max=in_memory, basis="memory file")
    basis = "memory file, which this libvirt leaves behind"
    return ByteRange(min=0, max=in_memory, basis=basis)


def _merge_gain(overlay: str, graph: Graph, images: Images) -> ByteRange:
    used = images.used(overlay) or 0
    target = graph.backing.get(overlay)
    if images.facts(overlay).is_device:
        return ByteRange(min=0, max=0, basis="a block device gives nothing back to its pool")
    if target is None:
        return ByteRange(min=0, max=used, basis="allocation; the merge target is not known")
    measured = _measured_growth(overlay, target, images)
    if measured is not None:
        low, high = measured
        return ByteRange(min=max(0, used - high), max=max(0, used - low), basis="image tables")
    room = _room(target, images)
    return ByteRange(
        min=max(0, used - room) if room is not None else 0, max=used, basis="allocation"
    )


def _room(target: str, images: Images) -> int | None:
    """How far the merge target can grow at most."""
    capacity, used = images.capacity(target), images.used(target)
    return max(0, capacity - used) if capacity is not None and used is not None else None


def _measured_growth(overlay: str, target: str, images: Images) -> tuple[int, int] | None:
    above, below = images.files.open(overlay), images.files.open(target)
    if isinstance(above, str) or isinstance(below, str):
        return None
    try:
        return growth_of_commit(above, below)
    except (Qcow2Error, OSError):
        return None


def _sum(gains: list[ByteRange]) -> ByteRange:
    highs = [gain.max for gain in gains if gain.max is not None]
    bases = dict.fromkeys(gain.basis for gain in gains)
    return ByteRange(
        min=sum(gain.min for gain in gains),
        max=sum(highs) if len(highs) == len(gains) else None,
        basis="; ".join(bases) or "no disk takes part",
    )


def internal_sizes(snapshot: SnapshotXml, machine: Machine, tables: Tables) -> Sizes:
    """Exact, from the tables of the images that hold it, when all of them could be read."""
    found = []
    for disk in snapshot.disks:
        if disk.mode != "internal":
            continue
        held = machine.disk(disk.target)
        paths = held.chain.paths if held is not None else ()
        holding = tables.holding(snapshot.name, paths)
        if not holding:
            reason = tables.reason(paths) if paths else "its disk is no longer part of the machine"
            return unknown(reason or f"no image of disk {disk.target} holds it")
        found.append(_entry(tables, holding[-1], snapshot.name))
    return from_tables(found) if found else unknown("no disk takes part in it")


def _entry(tables: Tables, path: str, name: str) -> SnapshotSizes:
    return next(entry for entry in tables.sizes[path].snapshots if entry.name == name)


def from_tables(entries: list[SnapshotSizes]) -> Sizes:
    """The sizes of a snapshot inside one or several images."""
    alone = sum(entry.exclusive_bytes for entry in entries)
    return Sizes(
        size_bytes=sum(entry.not_in_active_bytes for entry in entries),
        pinned_bytes=alone,
        reclaimable_bytes=ByteRange(min=alone, max=alone, basis="exact: image tables"),
    )
