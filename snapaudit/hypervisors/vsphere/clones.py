"""Clones: which machines stand on which file, read off all chains of all machines.

vSphere itself merges a delta into an image that linked clones of other machines stand on. The index
proves only presence: that nobody stands on a file is known when every machine could be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.vsphere.datastores import Stores
from snapaudit.hypervisors.vsphere.machine import Machine
from snapaudit.hypervisors.vsphere.raw import RawChain, RawDisk, RawLayout

_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Machines by the files of their chains.

    ``holders`` are those that run on a file itself, ``users`` all in whose chains it stands, frozen
    ones included. ``unread`` are the machines whose chains are not known.
    """

    stores: Stores
    names: Mapping[str, str]
    users: Mapping[str, frozenset[str]]
    holders: Mapping[str, frozenset[str]]
    unread: frozenset[str]

    def others(self, machine: Machine, path: str) -> tuple[str, ...]:
        """The other machines in whose chains a file of this machine stands."""
        return self._others(self.users, machine, path)

    def others_at_top(self, machine: Machine, path: str) -> tuple[str, ...]:
        """The other machines that run on the file itself, as a backup proxy does."""
        return self._others(self.holders, machine, path)

    def _others(
        self, table: Mapping[str, frozenset[str]], machine: Machine, path: str
    ) -> tuple[str, ...]:
        found = table.get(self.stores.file_id(path, machine.words("datastore")), frozenset())
        return tuple(sorted(found - {machine.moid}))

    def named(self, moids: Iterable[str]) -> str:
        """Machines in words, the first by its name."""
        first, *more = sorted(self.names.get(moid, moid) for moid in moids)
        return f"{first} and {len(more)} more" if more else first

    def blindness(self, machine: Machine) -> str | None:
        """Why nobody can tell whether other machines stand on this one's files."""
        unread = sorted(self.names.get(moid, moid) for moid in self.unread - {machine.moid})
        if not unread:
            return None
        shown = ", ".join(unread[:_EXAMPLES]) + (", ..." if len(unread) > _EXAMPLES else "")
        return f"the chains of {len(unread)} other machine(s) could not be read ({shown})"


def index(machines: Iterable[Machine], stores: Stores) -> Index:
    """From every machine that could stand on a file of another."""
    users, holders = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    unread, names = set[str](), dict[str, str]()
    for machine in machines:
        names[machine.moid] = machine.name
        among = machine.words("datastore")
        for path in chain_files(machine):
            users[stores.file_id(path, among)].add(machine.moid)
        for path in _tops(machine):
            holders[stores.file_id(path, among)].add(machine.moid)
        if not _is_known(machine):
            unread.add(machine.moid)
    return Index(
        stores=stores,
        names=names,
        users={path: frozenset(moids) for path, moids in users.items()},
        holders={path: frozenset(moids) for path, moids in holders.items()},
        unread=frozenset(unread),
    )


def _is_known(machine: Machine) -> bool:
    layout = machine.layout
    if layout is None or machine.is_unread("layoutEx"):
        return False
    return all(key in layout.files for key in _keys(_chains(layout)))


def chain_files(machine: Machine) -> frozenset[str]:
    """The names of all files in the chains of a machine, frozen ones included."""
    layout = machine.layout
    found = set(_backings(machine.devices or ()))
    if layout is not None:
        found.update(_names(layout, _keys(_chains(layout))))
    return frozenset(found)


def _chains(layout: RawLayout) -> Iterator[RawChain]:
    yield from layout.disks
    for snapshot in layout.snapshots:
        yield from snapshot.disks


def _keys(chains: Iterable[RawChain]) -> Iterator[int]:
    for chain in chains:
        for unit in chain.units:
            yield from unit


def _names(layout: RawLayout, keys: Iterable[int]) -> Iterator[str]:
    for key in keys:
        if key in layout.files:
            yield layout.files[key].name


def _backings(disks: Iterable[RawDisk]) -> Iterator[str]:
    for disk in disks:
        yield from ((disk.file,) if disk.file else ())
        yield from disk.parents


def _tops(machine: Machine) -> Iterator[str]:
    layout = machine.layout
    if layout is not None:
        tops = (RawChain(chain.key, chain.units[-1:]) for chain in layout.disks)
        yield from _names(layout, _keys(tops))
