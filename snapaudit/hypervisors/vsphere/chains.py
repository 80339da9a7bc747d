"""Chains: which disk stands on which, in the running machine and frozen in each of its snapshots.

A chain is the units of one disk, base first; a unit is the keys of the files that make one image.
Everything is by disk key, and by sets of file keys, since one file stands in many chains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.vsphere.raw import (
    RawChain,
    RawDisk,
    RawFile,
    RawLayout,
    RawSnapshot,
    RawSnapshotLayout,
    RawTree,
)

Unit = tuple[int, ...]
Units = tuple[Unit, ...]
Disks = Mapping[int, Units]
"""Chains by the key of their disk."""


@dataclass(frozen=True, slots=True)
class Above:
    """What one disk wrote since a snapshot: the units above the frozen ones.

    ``trouble`` says why they do not tell the whole.
    """

    disk: int
    frozen: Units
    units: Units
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """All chains of a machine. ``frozen`` is by snapshot; one without layout is not in it.

    ``raw_devices`` are the disks that map a LUN: their mapping file reports the LUN's size.
    ``independent`` are those that no snapshot includes.
    """

    files: Mapping[int, RawFile]
    now: Disks
    frozen: Mapping[str, Disks]
    records: Mapping[str, RawSnapshotLayout]
    tree: RawTree | None
    raw_devices: frozenset[int] = frozenset()
    independent: frozenset[int] = frozenset()
    capacities: Mapping[int, int]

    @property
    def snapshots(self) -> tuple[RawSnapshot, ...]:
        """The snapshots of the tree, parents first."""
        return self.tree.snapshots if self.tree is not None else ()

    @property
    def current(self) -> str | None:
        """The snapshot that the running machine stands on."""
        return self.tree.current if self.tree is not None else None

    def children(self, moid: str) -> tuple[str, ...]:
        """The snapshots that stand on this one."""
        return tuple(one.moid for one in self.snapshots if one.parent == moid)

    def above(self, moid: str) -> Iterator[Above]:
        """What was written since a snapshot, disk by disk, on every way that leads on from it.

        A disk that is not in the snapshot, or has another first unit there, was added later.
        """
        for disk, frozen in self.measured(self.frozen.get(moid, {})).items():
            for later in self._ways_on(moid):
                units = later.get(disk, ())
                if units and frozen and units[0] == frozen[0]:
                    yield self._between(disk, frozen, units)

    def _ways_on(self, moid: str) -> Iterator[Disks]:
        for child in self.children(moid):
            yield self.frozen.get(child, {})
        if self.current == moid:
            yield {disk: units for disk, units in self.now.items() if disk not in self.independent}

    def _between(self, disk: int, frozen: Units, units: Units) -> Above:
        if units[: len(frozen)] != frozen:
            known = keys(frozen)
            more = tuple(unit for unit in units if not known.issuperset(unit))
            return Above(disk, frozen, more, f"the chains of disk {disk} contradict the tree")
        more = units[len(frozen) :]
        return Above(disk, frozen, more, None if more else f"disk {disk} has no delta of its own")

    def measured(self, disks: Disks) -> Disks:
        """Without the disks whose files do not tell what they occupy."""
        return {disk: units for disk, units in disks.items() if disk not in self.raw_devices}


def build(layout: RawLayout, tree: RawTree | None, devices: Iterable[RawDisk] = ()) -> Chains:
    """From a machine's layout and tree. Layouts of snapshots that the tree lacks are left out."""
    known = {one.moid for one in tree.snapshots} if tree is not None else set()
    records = {one.moid: one for one in layout.snapshots if one.moid in known}
    disks = tuple(devices)
    return Chains(
        files=layout.files,
        now=_by_disk(layout.disks),
        frozen={moid: _by_disk(record.disks) for moid, record in records.items()},
        records=records,
        tree=tree,
        raw_devices=frozenset(one.key for one in disks if one.rdm),
        independent=frozenset(one.key for one in disks if is_independent(one)),
        capacities={one.key: one.capacity for one in disks if one.capacity is not None},
    )


def is_independent(disk: RawDisk) -> bool:
    """Whether snapshots leave the disk out."""
    return (disk.mode or "").startswith("independent")


def _by_disk(chains: Iterable[RawChain]) -> Disks:
    return {chain.key: chain.units for chain in chains}


def keys(units: Iterable[Unit]) -> frozenset[int]:
    """The file keys of these units."""
    return frozenset(key for unit in units for key in unit)


def all_keys(disks: Disks) -> frozenset[int]:
    """The file keys of these disks: U(S) or U(now)."""
    return keys(unit for units in disks.values() for unit in units)
