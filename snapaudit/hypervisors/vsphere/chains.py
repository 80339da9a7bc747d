"""Chains: which disk stands on which, in the running machine and frozen in each of its snapshots.

A chain is the units of one disk, base first; a unit is the keys of the files that make one image.
Everything is by disk key, and by sets of file keys, since one file stands in many chains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

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
_Keys = frozenset[int]

_NO_DISKS: Disks = {}
_NO_KEYS = _Keys()
flat = chain.from_iterable


class Above(NamedTuple):
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
    ``independent`` are those that no snapshot includes. ``keys_of`` are the file keys in what a
    snapshot froze, ``known`` all of those, ``shared`` the ones that run as well or that several
    froze. ``is_disjoint``: no two images have a file in common, as it should be. ``weights`` keeps
    what images were found to occupy.
    """

    files: Mapping[int, RawFile]
    now: Disks
    frozen: Mapping[str, Disks]
    records: Mapping[str, RawSnapshotLayout]
    snapshots: tuple[RawSnapshot, ...]
    current: str | None
    children: Mapping[str | None, tuple[str, ...]]
    keys_of: Mapping[str, frozenset[int]]
    known: frozenset[int]
    shared: frozenset[int]
    is_disjoint: bool
    raw_devices: frozenset[int]
    independent: frozenset[int]
    capacities: Mapping[int, int]
    weights: dict[Unit, tuple[int, tuple[str, ...]]] = field(default_factory=dict)

    def frozen_by(self, moid: str) -> Disks:
        """What a snapshot froze; nothing where that is not listed."""
        return self.frozen.get(moid, _NO_DISKS)

    def keys_frozen_by(self, moid: str) -> frozenset[int]:
        """The file keys in it."""
        return self.keys_of.get(moid, _NO_KEYS)

    def above(self, moid: str) -> Iterator[Above]:
        """What was written since a snapshot, disk by disk, on every way that leads on from it.

        A disk that is not in the snapshot, or has another first unit there, was added later.
        """
        ways = tuple(self._ways_on(moid))
        for disk, frozen in self.measured(self.frozen_by(moid)).items():
            for later in ways:
                units = later.get(disk, ())
                if units and frozen and units[0] == frozen[0]:
                    yield _between(disk, frozen, units)

    def _ways_on(self, moid: str) -> Iterator[Disks]:
        for child in self.children.get(moid, ()):
            yield self.frozen_by(child)
        if self.current == moid:
            yield _without(self.now, self.independent)

    def measured(self, disks: Disks) -> Disks:
        """Without the disks whose files do not tell what they occupy."""
        return _without(disks, self.raw_devices)

    def branches(self, moid: str) -> int:
        """How many snapshots, the running machine among them, stand right on this one."""
        return len(self.children.get(moid, ())) + (self.current == moid)


def _without(disks: Disks, left_out: frozenset[int]) -> Disks:
    if not left_out:
        return disks
    return {disk: units for disk, units in disks.items() if disk not in left_out}


def _between(disk: int, frozen: Units, units: Units) -> Above:
    if units[: len(frozen)] != frozen:
        known = keys(frozen)
        more = tuple(unit for unit in units if not known.issuperset(unit))
        return Above(disk, frozen, more, f"the chains of disk {disk} contradict the tree")
    more = units[len(frozen) :]
    return Above(disk, frozen, more, None if more else f"disk {disk} has no delta of its own")


def build(layout: RawLayout, tree: RawTree | None, devices: Iterable[RawDisk] = ()) -> Chains:
    """From a machine's layout and tree. Layouts of snapshots that the tree lacks are left out."""
    snapshots = tree.snapshots if tree is not None else ()
    known = {one.moid for one in snapshots}
    records = {one.moid: one for one in layout.snapshots if one.moid in known}
    frozen = {moid: _by_disk(record.disks) for moid, record in records.items()}
    children: dict[str | None, list[str]] = {}
    for one in snapshots:
        children.setdefault(one.parent, []).append(one.moid)
    disks, now = tuple(devices), _by_disk(layout.disks)
    keys_of = {moid: _all_keys(one) for moid, one in frozen.items()}
    frozen_keys, shared = _known(keys_of.values(), _all_keys(now))
    return Chains(
        files=layout.files,
        now=now,
        frozen=frozen,
        records=records,
        snapshots=snapshots,
        current=tree.current if tree is not None else None,
        children={moid: tuple(them) for moid, them in children.items()},
        keys_of=keys_of,
        known=frozen_keys,
        shared=shared,
        is_disjoint=_is_disjoint((now, *frozen.values())),
        raw_devices=frozenset(one.key for one in disks if one.rdm),
        independent=frozenset(one.key for one in disks if is_independent(one)),
        capacities={one.key: one.capacity for one in disks if one.capacity is not None},
    )


def _known(frozen: Iterable[frozenset[int]], running: frozenset[int]) -> tuple[_Keys, _Keys]:
    """The keys that snapshots froze, and those of them that stand in other chains as well."""
    known, shared = _Keys(), _Keys()
    for keys in frozen:
        shared |= known & keys
        known |= keys
    return known, shared | (known & running)


def _is_disjoint(every: Iterable[Disks]) -> bool:
    units = set(flat(line for disks in every for line in disks.values()))
    return sum(map(len, units)) == len(set(flat(units)))


def is_independent(disk: RawDisk) -> bool:
    """Whether snapshots leave the disk out."""
    return (disk.mode or "").startswith("independent")


def _by_disk(chains: Iterable[RawChain]) -> Disks:
    return {chain.key: chain.units for chain in chains}


def keys(units: Iterable[Unit]) -> frozenset[int]:
    """The file keys of these units."""
    return frozenset(flat(units))


def _all_keys(disks: Disks) -> frozenset[int]:
    return frozenset(flat(flat(disks.values())))
