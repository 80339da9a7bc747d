"""Clones: which machines stand on which file, read off all chains of all machines.

vSphere itself merges a delta into an image that linked clones of other machines stand on. The index
proves only presence: that nobody stands on a file is known when every machine could be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.vsphere.datastores import Stores
from snapaudit.hypervisors.vsphere.machine import Machine, chain_keys
from snapaudit.hypervisors.vsphere.raw import (
    RawDisk,
    RawFile,
    RawLayout,
)

_EXAMPLES = 3
_NOBODY: Mapping[str, tuple[str, ...]] = {}

Shared = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By machine and path: the other machines. Only what is shared is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Machines by the files that they share.

    ``shared`` counts every chain, frozen ones included; ``held`` only the files that another
    machine runs on itself. ``unread`` are the machines whose chains are not known.
    """

    names: Mapping[str, str]
    shared: Shared
    held: Shared
    unread: frozenset[str]

    def others(self, machine: Machine, path: str) -> tuple[str, ...]:
        """The other machines in whose chains a file of this machine stands."""
        return self.shared.get(machine.moid, _NOBODY).get(path, ())

    def others_at_top(self, machine: Machine, path: str) -> tuple[str, ...]:
        """The other machines that run on the file itself, as a backup proxy does."""
        return self.held.get(machine.moid, _NOBODY).get(path, ())

    def shares(self, machine: Machine) -> bool:
        """Whether any file of its chains stands in another machine's chains."""
        return machine.moid in self.shared

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
    users, holders = _Users(), _Users()
    unread, names = set[str](), dict[str, str]()
    for machine in machines:
        names[machine.moid] = machine.name
        for path in _backings(machine.devices or ()):
            users.add(stores.file_id(path, machine.datastores), machine, path)
        if not _enter(machine, stores, users, holders):
            unread.add(machine.moid)
    common = users.common()
    return Index(
        names=names,
        shared=_by_machine(common, common),
        held=_by_machine(common, {identity: holders.of(identity) for identity in common}),
        unread=frozenset(unread),
    )


def _enter(machine: Machine, stores: Stores, users: _Users, holders: _Users) -> bool:
    """Note the files of all its chains; whether all of them were told."""
    layout = machine.layout
    if layout is None:
        return False
    tops = _tops(layout)
    for key in machine.keys:
        file = layout.files.get(key)
        if file is None:
            continue
        for identity in _identities(file, machine, stores):
            users.add(identity, machine, file.name)
            if key in tops:
                holders.add(identity, machine, file.name)
    return machine.keys <= layout.files.keys() or _is_told(machine, layout)


_Use = tuple[str, str]
"""A machine, and the path that it has for a file."""


class _Users:
    """Who uses a file. Nearly all files have one user, so only further ones cost a list."""

    def __init__(self) -> None:
        self._first = dict[str, _Use]()
        self._more = defaultdict[str, list[_Use]](list)

    def add(self, identity: str, machine: Machine, path: str) -> None:
        use = (machine.moid, path)
        if self._first.setdefault(identity, use) != use:
            self._more[identity].append(use)

    def of(self, identity: str) -> tuple[_Use, ...]:
        first = self._first.get(identity)
        return () if first is None else (first, *self._more.get(identity, ()))

    def common(self) -> dict[str, tuple[_Use, ...]]:
        return {identity: self.of(identity) for identity in self._more}


def _identities(file: RawFile, machine: Machine, stores: Stores) -> Iterator[str]:
    """Its place, and the object behind it: on an object store one folder has two names."""
    yield stores.file_id(file.name, machine.datastores)
    if file.backing_object_id:
        yield f"object\n{file.backing_object_id}"


def _by_machine(
    users: Mapping[str, tuple[_Use, ...]], meant: Mapping[str, tuple[_Use, ...]]
) -> Shared:
    """For each user of a file: which others of those that are meant use it too."""
    found = defaultdict[str, defaultdict[str, set[str]]](lambda: defaultdict(set))
    for identity, uses in users.items():
        others = {moid for moid, _ in meant[identity]}
        for moid, path in uses:
            found[moid][path] |= others - {moid}
    return {
        moid: {path: tuple(sorted(them)) for path, them in by_path.items() if them}
        for moid, by_path in found.items()
        if any(by_path.values())
    }


def _is_told(machine: Machine, layout: RawLayout) -> bool:
    """Whether each file of its chains is listed. Layouts that outlived their snapshot are left."""
    known = {one.moid for one in machine.tree.snapshots} if machine.tree is not None else set()
    frozen = (one for one in layout.snapshots if one.moid in known)
    return chain_keys(layout.disks, frozen) <= layout.files.keys()


def _tops(layout: RawLayout) -> set[int]:
    return {key for chain in layout.disks for unit in chain.units[-1:] for key in unit}


def _backings(disks: Iterable[RawDisk]) -> Iterator[str]:
    for disk in disks:
        yield from ((disk.file,) if disk.file else ())
        yield from disk.parents
