"""What a call to the fake vCenter does, step by step as time goes by, and how it may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.hypervisors.vsphere.fakeworld import Snap, Unit, Vcenter, Vm

Key = tuple[object, ...]
"""What a person approves, and what a call is for, by ids that stand for nothing else."""
REMOVE, CONSOLIDATE = "VirtualMachineSnapshot.remove", "VirtualMachine.consolidateDisks"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of one call. By default it arrives, is answered and works.

    ``refused``: the fault that answers it. ``fails``: the fault that ends its task, once ``after``
    steps are done; the first step of a removal takes the snapshot off the tree, each further one
    merges one disk. ``leaves``: success is told, and the deltas stay. ``lies``: success is told,
    and nothing was done. ``late``: seconds that a call whose answer is lost is on its way.
    """

    refused: str | None = None
    arrives: bool = True
    answers: bool = True
    fails: str | None = None
    after: int = 0
    leaves: bool = False
    lies: bool = False
    seconds: float = 10.0
    late: float = 0.0


@dataclass
class Task:
    """One call that arrived. ``ended_at`` None: it waits or runs."""

    moid: str
    kind: str
    vm: Vm
    user: str
    queued_at: datetime
    due_at: datetime
    fate: Fate
    steps: list[Callable[[], None]]
    done: int = 0
    ended_at: datetime | None = None
    error: str | None = None

    @property
    def state(self) -> str:
        if self.ended_at is None:
            return "running"
        return "success" if self.error is None else "error"

    @property
    def progress(self) -> int | None:
        return None if self.ended_at else 100 * self.done // (len(self.steps) + 1)

    def settle(self, now: datetime) -> None:
        """Do what should have been done by now."""
        while self.ended_at is None and self.due_at <= now:
            self._step()
            self.due_at += timedelta(seconds=self.fate.seconds)

    def _step(self) -> None:
        fate = self.fate
        if fate.fails is not None and self.done == fate.after:
            self._end(fate.fails)
        elif fate.lies or (fate.leaves and self.done == 1) or self.done == len(self.steps):
            self._end(None)
        else:
            try:
                self.steps[self.done]()
            except OSError:
                self._end("NoDiskSpace")
            self.done += 1

    def _end(self, error: str | None) -> None:
        self.ended_at, self.error = self.due_at, error
        if self.kind in (REMOVE, CONSOLIDATE):
            self.vm.consolidation_needed = bool(self.vm.phantoms())


@dataclass(frozen=True)
class Merge:
    """Fold one image into the one below it, for everything of the machine that stands on both."""

    world: Vcenter
    vm: Vm
    key: int
    delta: Unit

    def __call__(self) -> None:
        snaps = (snap.chains.get(self.key, []) for snap in self.vm.snaps.values())
        chains = [c for c in (self.vm.chains[self.key], *snaps) if self.delta in c]
        chain = chains[0]
        below = chain[chain.index(self.delta) - 1]
        store, growth = self.world.stores[below.store], self.delta.size // 2
        if growth > store.free:
            raise OSError
        store.free += self.delta.size - growth
        below.size += growth
        below.holds |= self.delta.holds
        for one in chains:
            one.remove(self.delta)


@dataclass(frozen=True)
class Strike:
    """Take a snapshot off the tree: its children become its parent's."""

    vm: Vm
    snap: Snap

    def __call__(self) -> None:
        del self.vm.snaps[self.snap.moid]
        for child in self.vm.children(self.snap.moid):
            child.parent = self.snap.parent
        if self.vm.current == self.snap.moid:
            self.vm.current = self.snap.parent


def removing(world: Vcenter, vm: Vm, snap: Snap) -> list[Callable[[], None]]:
    """As vCenter shows it: the snapshot leaves the tree, and then its deltas are merged."""
    deltas = [(key, vm.above(snap, key)) for key in vm.chains]
    merges = [Merge(world, vm, key, delta) for key, delta in deltas if delta is not None]
    return [Strike(vm, snap), *merges]


def consolidating(world: Vcenter, vm: Vm) -> list[Callable[[], None]]:
    """The deltas that no snapshot explains, from the top."""
    return [Merge(world, vm, key, delta) for key, delta in reversed(vm.phantoms())]


@dataclass
class Fates:
    """What becomes of the calls to come, first in first out; afterwards all go well."""

    queue: list[Fate] = field(default_factory=list)

    def next(self) -> Fate:
        return self.queue.pop(0) if self.queue else Fate()


@dataclass
class Rules:
    """What no tool of ours may ever ask of the server; each breach is kept in words.

    ``approved`` are the snapshots, or the machines to consolidate, that a person let through.
    ``tasks`` are the removals by snapshot: one that had no effect may be asked for again.
    """

    world: Vcenter
    approved: set[Key] | None = None
    sent: list[tuple[str, str]] = field(default_factory=list)
    tasks: dict[str, list[Task]] = field(default_factory=dict)
    breaches: list[str] = field(default_factory=list)

    def removal(self, vm: Vm, snap: Snap, running: list[Task], key: Key) -> None:
        self._of_machine(f"removal of {vm.name}/{snap.name}", vm, running)
        units = [
            u for key in vm.chains for u in (*snap.chains.get(key, ())[-1:], vm.above(snap, key))
        ]
        self._of_clones(f"removal of {vm.name}/{snap.name}", vm, [u for u in units if u])
        if not vm.is_linear():
            self.breaches.append(f"removal of {vm.name}/{snap.name}: the tree branches")
        if vm.consolidation_needed:
            self.breaches.append(f"removal of {vm.name}/{snap.name}: disks need consolidation")
        if any(task.ended_at is None or task.done for task in self.tasks.get(snap.moid, ())):
            self.breaches.append(f"removal of {vm.name}/{snap.name}: a second time")
        self._approve(f"removal of {vm.name}/{snap.name}", key)

    def consolidation(self, vm: Vm, running: list[Task], key: Key) -> None:
        what = f"consolidation of {vm.name}"
        self._of_machine(what, vm, running)
        self._of_clones(what, vm, [unit for _, unit in vm.phantoms()])
        self._approve(what, key)

    def _approve(self, what: str, key: Key) -> None:
        if self.approved is not None and key not in self.approved:
            self.breaches.append(f"{what}: nobody approved it")

    def _of_machine(self, what: str, vm: Vm, running: list[Task]) -> None:
        found = dict(self._reasons(vm, running))
        self.breaches += [f"{what}: {reason}" for reason, is_so in found.items() if is_so]

    def _reasons(self, vm: Vm, running: list[Task]) -> Iterator[tuple[str, bool]]:
        yield "a template", vm.template
        yield "not connected", vm.connection != "connected"
        yield "suspended", vm.power == "suspended"
        yield "managed by a product", vm.managed_by is not None
        yield "a snapshot is at work", vm.in_background
        yield "another task runs on it", any(task.vm is vm for task in running)
        stores = set(vm.stores)
        ours = [task for task in running if task.kind in (REMOVE, CONSOLIDATE)]
        yield "two on a datastore", any(not stores.isdisjoint(t.vm.stores) for t in ours)
        yield "three on a host", sum(task.vm.host == vm.host for task in ours) > 1
        yield "five at once", len(ours) > 3

    def _of_clones(self, what: str, vm: Vm, units: list[Unit]) -> None:
        for name in self.world.strangers(vm, *units):
            self.breaches.append(f"{what}: {name} stands on it")


def key_of(world: Vcenter, vm: Vm, snap: Snap | None) -> Key:
    """What a person approves: this snapshot of this machine of this vCenter, or the machine."""
    if snap is None:
        return world.uuid, vm.instance_uuid
    return world.uuid, vm.instance_uuid, snap.moid, snap.id, snap.created_at
