"""What there is in the fake vCenter: machines, snapshots, chains, datastores, and what people do.

Chains hold what was written, so that a test can tell whether a merge lost anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from snapaudit.hypervisors.vsphere.raw import RawManagedBy
from tests.builders import GIB, NOW
from tests.enforce.fake.clock import Clock

DAY = timedelta(days=1)
DISK = 2000
"""The key of a machine's first disk (vim.vm.device.VirtualDevice.key)."""


@dataclass
class Unit:
    """One image of a chain: its size on the datastore, and what was written into it."""

    name: str
    store: str
    size: int
    holds: set[str] = field(default_factory=set)
    is_delta: bool = False


@dataclass
class Snap:
    """A snapshot; ``chains`` are the images it stands on by the key of the disk, base first."""

    moid: str
    id: int
    name: str
    created_at: datetime
    parent: str | None
    chains: dict[int, list[Unit]]
    description: str = ""
    memory: int | None = None
    power: str = "poweredOff"


@dataclass
class Vm:
    """A machine; ``chains`` are those of its running point."""

    moid: str
    name: str
    instance_uuid: str
    uuid: str
    host: str
    stores: list[str]
    chains: dict[int, list[Unit]]
    snaps: dict[str, Snap] = field(default_factory=dict)
    current: str | None = None
    power: str = "poweredOn"
    connection: str = "connected"
    template: bool = False
    consolidation_needed: bool = False
    in_background: bool = False
    disabled: list[str] = field(default_factory=list)
    managed_by: RawManagedBy | None = None
    tasks: list[str] = field(default_factory=list)
    last_id: int = 0

    @property
    def folder(self) -> str:
        return self.name

    def units(self) -> Iterator[Unit]:
        """Every image of the machine once."""
        seen: dict[str, Unit] = {}
        for chains in (*(snap.chains for snap in self.snaps.values()), self.chains):
            for chain in chains.values():
                seen |= {unit.name: unit for unit in chain}
        yield from seen.values()

    def reads(self, snapshot: str | None = None) -> dict[int, frozenset[str]]:
        """What the guest finds on each disk, now or as a snapshot froze it."""
        chains = self.chains if snapshot is None else self.snaps[snapshot].chains
        return {k: frozenset(w for u in chain for w in u.holds) for k, chain in chains.items()}

    def names(self, key: int = DISK) -> list[str]:
        """The files of a disk's chain, base first, without datastore and folder."""
        return [unit.name.rpartition("/")[2] for unit in self.chains[key]]

    def children(self, moid: str) -> list[Snap]:
        return [snap for snap in self.snaps.values() if snap.parent == moid]

    def is_linear(self) -> bool:
        roots = [snap for snap in self.snaps.values() if snap.parent is None]
        branches = [moid for moid in self.snaps if len(self.children(moid)) > 1]
        at_end = self.current is None or not self.children(self.current)
        return len(roots) < 2 and not branches and at_end

    def above(self, snap: Snap, key: int) -> Unit | None:
        """The delta that holds what was written on a disk since the snapshot was taken."""
        depth = len(snap.chains.get(key, ()))
        kids = self.children(snap.moid)
        chain = kids[0].chains.get(key) if kids else self.chains.get(key)
        return chain[depth] if chain is not None and 0 < depth < len(chain) else None

    def phantoms(self) -> list[tuple[int, Unit]]:
        """Deltas that no snapshot explains, base first."""
        tops = {chain[-1].name for s in self.snaps.values() for chain in s.chains.values()}
        return [
            (key, unit)
            for key, chain in self.chains.items()
            for below, unit in pairwise(chain)
            if unit.is_delta and below.name not in tops
        ]


@dataclass
class Store:
    """A datastore."""

    moid: str
    capacity: int = 1000 * GIB
    free: int = 500 * GIB
    accessible: bool = True

    @property
    def name(self) -> str:
        return self.moid


@dataclass
class Vcenter:
    """Everything in one vCenter, and the clock that it shares with whoever waits for it."""

    clock: Clock = field(default_factory=lambda: Clock(NOW))
    uuid: str = "11111111-2222-4333-8444-555555555555"
    vms: dict[str, Vm] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=lambda: ["host-1"])
    skew: timedelta = timedelta(0)
    last: int = 100

    def moid(self, word: str) -> str:
        """An id that was never given out before, as vCenter counts them."""
        self.last += 1
        return f"{word}-{self.last}"

    def store(self, moid: str) -> Store:
        return self.stores.setdefault(moid, Store(moid))

    def machine(
        self, name: str = "web01", *, disks: int = 1, store: str = "ds1", host: str = "host-1"
    ) -> Vm:
        """A running machine with some data on each of its disks and no snapshot."""
        self.store(store)
        moid = self.moid("vm")
        chains = {
            DISK + at: [Unit(f"[{store}] {name}/{name}{at or ''}.vmdk", store, 40 * GIB, {"base"})]
            for at in range(disks)
        }
        made = Vm(moid, name, f"i-{moid}", f"u-{moid}", host, [store], chains)
        self.vms[moid] = made
        return made

    def take(self, vm: Vm, name: str, *, age: timedelta = 40 * DAY, size: int = 2 * GIB) -> Snap:
        """Take a snapshot, after which the guest writes into a new delta of each disk."""
        vm.last_id += 1
        chains = {key: list(chain) for key, chain in vm.chains.items()}
        at = self.clock.now() - age
        snap = Snap(self.moid("snapshot"), vm.last_id, name, at, vm.current, chains)
        vm.snaps[snap.moid], vm.current = snap, snap.moid
        for number, chain in enumerate(vm.chains.values()):
            store = chain[-1].store
            file = self._new_file(vm, f"[{store}] {vm.folder}/{vm.name}{number or ''}")
            chain.append(Unit(file, store, size, {f"after {snap.moid}"}, is_delta=True))
        return snap

    def _new_file(self, vm: Vm, start: str) -> str:
        """The lowest number that is free, so that names are used again."""
        taken = {unit.name for unit in vm.units()}
        files = (f"{start}-{number:06}.vmdk" for number in range(1, 1000))
        return next(file for file in files if file not in taken)

    def line(self, name: str = "web01", *names: str, disks: int = 1, store: str = "ds1") -> Vm:
        """A machine with a line of snapshots, oldest first."""
        made = self.machine(name, disks=disks, store=store)
        for number, one in enumerate(names or ("old",)):
            self.take(made, one, age=(40 - number) * DAY)
        return made

    def clone(self, of: Vm, name: str = "clone") -> Vm:
        """A machine whose disks stand on the images of another one's latest snapshot."""
        made = self.machine(name, disks=len(of.chains), store=of.stores[0], host=of.host)
        assert of.current is not None
        for key, chain in of.snaps[of.current].chains.items():
            made.chains[key] = [*chain, *made.chains[key]]
        return made

    def snapshot(self, moid: str) -> tuple[Vm, Snap] | None:
        """A snapshot and its machine by the snapshot's id."""
        for vm in self.vms.values():
            if moid in vm.snaps:
                return vm, vm.snaps[moid]
        return None

    def strangers(self, vm: Vm, *units: Unit) -> list[str]:
        """The other machines whose chains hold one of these images."""
        wanted = {unit.name for unit in units}
        return [
            other.name
            for other in self.vms.values()
            if other is not vm and any(unit.name in wanted for unit in other.units())
        ]

    # What people do -----------------------------------------------------------------------------

    def recreate(self, vm: Vm, snap: Snap) -> Snap:
        """Delete the latest snapshot and take another of its name, said to be as old."""
        assert vm.current == snap.moid
        for key, chain in vm.chains.items():
            chain[:] = snap.chains[key]
        del vm.snaps[snap.moid]
        vm.current = snap.parent
        made = self.take(vm, snap.name)
        made.created_at = snap.created_at
        return made

    def move(self, vm: Vm, store: str) -> None:
        """Put all files of a machine on another datastore."""
        self.store(store)
        for unit in vm.units():
            unit.name, unit.store = unit.name.replace(f"[{unit.store}]", f"[{store}]"), store
        vm.stores = [store]

    def revert(self, vm: Vm, snap: Snap) -> None:
        """Go back to a snapshot: what was written since is a branch of its own, or gone."""
        vm.chains = {key: list(chain) for key, chain in snap.chains.items()}
        vm.current = snap.moid
        for number, chain in enumerate(vm.chains.values()):
            store = chain[-1].store
            file = self._new_file(vm, f"[{store}] {vm.folder}/{vm.name}{number or ''}")
            chain.append(Unit(file, store, GIB, {f"again {snap.moid}"}, is_delta=True))

    def restore(self, vm: Vm, other: Vm) -> None:
        """Let two machines have each other's id, as after a restore of the manager."""
        self.vms[vm.moid], self.vms[other.moid] = other, vm
        vm.moid, other.moid = other.moid, vm.moid
