"""A vCenter in memory behind the seam: asynchronous, faulty and strict.

`Vcenter` is what there is, `FakeServer` what answers for it, `FakeService` one session. Tasks take
time by the fake clock. Calls that the safety rules forbid are kept as breaches; `sound` tells them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from snapaudit.errors import CallRefused, Unreachable
from snapaudit.hypervisors.vsphere.raw import About, FoundFile, RawObject, RawTask
from tests.enforce.fake.peril import Peril
from tests.hypervisors.vsphere.fakeraws import KINDS, objects
from tests.hypervisors.vsphere.faketasks import (
    CONSOLIDATE,
    REMOVE,
    Fate,
    Fates,
    Rules,
    Task,
    consolidating,
    key_of,
    removing,
)
from tests.hypervisors.vsphere.fakeworld import Vcenter, Vm

__all__ = ["FakeServer", "FakeService", "Fate", "Vcenter", "Vm"]
_LOST = "connection reset by peer"


@dataclass
class FakeServer:
    """What answers for a vCenter, with everything that may go wrong on the way.

    ``denied`` maps an object's id and a path to the fault in its place, ``hidden`` are objects that
    this account does not see. ``deaf`` is how many readings go unanswered. ``estimates`` are the
    bytes that consolidating needs by datastore (None: the server offers none), and ``estimating``
    the time it takes to tell them. ``between`` happens once, after the first page of a reading.
    ``forgets`` lets ended tasks be unknown at once.
    """

    world: Vcenter = field(default_factory=Vcenter)
    fates: Fates = field(default_factory=Fates)
    peril: Peril = field(default_factory=Peril)
    tasks: dict[str, Task] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    denied: dict[tuple[str, str], str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    later: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)
    estimates: Mapping[str, int] | None = None
    between: Callable[[], object] | None = None
    estimating: timedelta = timedelta(0)
    page: int = 100
    deaf: int = 0
    forgets: bool = False
    reachable: bool = True
    verified: bool = True
    api_type: str = "VirtualCenter"
    session_over: bool = False
    rules: Rules = field(init=False)

    def __post_init__(self) -> None:
        self.rules = Rules(self.world)

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The mutating calls that arrived, each with the id that it named."""
        return self.rules.sent

    def sound(self) -> None:
        """Raise AssertionError when anything forbidden was asked for."""
        assert self.rules.breaches == []

    def settle(self) -> None:
        """Let happen what should have happened by now, in its order."""
        now = self.world.clock.now()
        for at, happens in sorted(self.later, key=lambda one: one[0]):
            if at <= now:
                self.later.remove((at, happens))
                self._settle_tasks(at)
                happens()
        self._settle_tasks(now)

    def _settle_tasks(self, now: datetime) -> None:
        for task in self.tasks.values():
            task.settle(now)

    def in_a_while(self, seconds: float, happens: Callable[[], object]) -> None:
        """Let something happen by itself, while somebody waits."""
        self.later.append((self.world.clock.now() + timedelta(seconds=seconds), happens))

    def running(self) -> list[Task]:
        return [task for task in self.tasks.values() if task.ended_at is None]

    def begin(self, vm: Vm, kind: str, fate: Fate, steps: list[Callable[[], None]]) -> Task:
        """Put a task in, as a client of any kind does."""
        now = self.world.clock.now()
        due = now + timedelta(seconds=fate.seconds)
        task = Task(self.world.moid("task"), kind, vm, "CORP\\ada", now, due, fate, steps)
        self.tasks[task.moid] = task
        vm.tasks.append(task.moid)
        return task

    def work_of_others(self, vm: Vm, kind: str = "VirtualMachine.createSnapshot") -> Task:
        """A task that somebody else runs on a machine for an hour."""
        return self.begin(vm, kind, Fate(seconds=3600), [])


class FakeService:
    """`ActingService` by one session at the server. Each process has its own."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.closed = False

    # Reading ------------------------------------------------------------------------------------

    @property
    def about(self) -> About:
        uuid, kind = self.server.world.uuid, self.server.api_type
        return About(uuid, "VMware vCenter Server 8.0.3 build-1", kind, "8.0.3.0")

    @property
    def is_verified(self) -> bool:
        return self.server.verified

    def clock(self) -> datetime:
        self._ask("clock")
        return self.server.world.clock.now() + self.server.world.skew

    def custom_fields(self) -> Mapping[int, str]:
        self._ask("custom_fields")
        return {}

    def read(self, wanted: Mapping[str, Sequence[str]]) -> Iterator[RawObject]:
        self._ask("read")
        moids = [(kind, moid) for kind in wanted for moid in self._moids(kind)]
        for at in range(0, len(moids), self.server.page):
            for kind, moid in moids[at : at + self.server.page]:
                yield from self._objects(kind, [moid], wanted[kind])
            happens, self.server.between = self.server.between, None
            if happens is not None:
                happens()

    def read_of(self, kind: str, moids: Iterable[str], paths: Sequence[str]) -> Iterator[RawObject]:
        self._ask("read_of")
        there = set(self._moids(kind))
        yield from self._objects(kind, [moid for moid in moids if moid in there], paths)

    def _moids(self, kind: str) -> list[str]:
        found = KINDS[kind](self.server.world, self.server.tasks) if kind in KINDS else []
        return [moid for moid in found if moid not in self.server.hidden]

    def _objects(
        self, kind: str, moids: Sequence[str], paths: Sequence[str]
    ) -> Iterator[RawObject]:
        server = self.server
        yield from objects(server.world, server.tasks, server.denied, kind, moids, paths)

    def creations(self, since: datetime) -> Iterator[RawTask]:
        self._ask("creations")
        return iter(())

    def privileges(
        self, moids: Sequence[str], kinds: Mapping[str, str], names: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        self._ask("privileges")
        return {moid: frozenset(names) for moid in moids}

    def search(self, datastore: str) -> Iterator[FoundFile]:
        self._ask("search")
        return iter(())

    def close(self) -> None:
        self.closed = True

    def _ask(self, name: str) -> None:
        """A reading: tried anew in a new session where the old one has ended."""
        server = self.server
        assert not self.closed, "asked after it was closed"
        server.counts[name] += 1
        server.settle()
        if server.deaf > 0 or not server.reachable:
            server.deaf = max(0, server.deaf - 1)
            raise Unreachable(f"vc.example.org: {_LOST}")
        if server.session_over:
            server.counts["login"] += 1
            server.session_over = False

    # Acting -------------------------------------------------------------------------------------

    def remove_snapshot(self, snapshot: str) -> str:
        self._before()
        found = self.server.world.snapshot(snapshot)
        if found is None:
            raise CallRefused(f"ManagedObjectNotFound: {snapshot}")
        vm, snap = found
        server, rules = self.server, self.server.rules
        key = key_of(server.world, vm, snap)

        def begin(fate: Fate) -> str:
            task = server.begin(vm, REMOVE, fate, removing(server.world, vm, snap))
            rules.tasks.setdefault(snapshot, []).append(task)
            return task.moid

        return self._make(
            ("remove_snapshot", snapshot),
            lambda: rules.removal(vm, snap, server.running(), key),
            begin,
        )

    def consolidate(self, machine: str) -> str:
        self._before()
        vm = self.server.world.vms.get(machine)
        if vm is None:
            raise CallRefused(f"ManagedObjectNotFound: {machine}")
        key = key_of(self.server.world, vm, None)
        return self._make(
            ("consolidate", machine),
            lambda: self.server.rules.consolidation(vm, self.server.running(), key),
            lambda fate: (
                self.server.begin(vm, CONSOLIDATE, fate, consolidating(self.server.world, vm)).moid
            ),
        )

    def _before(self) -> None:
        assert not self.closed, "called after it was closed"
        self.server.settle()
        self.server.peril.point("before the call")
        if not self.server.reachable:
            raise Unreachable(f"vc.example.org: {_LOST}")
        if self.server.session_over:
            raise CallRefused("NotAuthenticated: the session had ended; nothing was sent")

    def _make(
        self,
        call: tuple[str, str],
        judge: Callable[[], None],
        begin: Callable[[Fate], str],
    ) -> str:
        server, fate = self.server, self.server.fates.next()
        if fate.arrives:
            server.sent.append(call)
        if fate.refused is not None:
            raise CallRefused(f"{fate.refused}: the server refused it")
        if fate.arrives:
            judge()
        task = begin(fate) if fate.arrives and not fate.late else ""
        if fate.late:
            server.in_a_while(fate.late, lambda: begin(fate))
        server.peril.point("after the call")
        if not (fate.arrives and fate.answers) or fate.late:
            raise Unreachable(f"vc.example.org: {_LOST}")
        return task

    def estimate(self, machine: str) -> Mapping[str, int] | None:
        self._ask("estimate")
        self.server.world.clock.skip(self.server.estimating)
        return self.server.estimates

    def task(self, moid: str) -> RawTask | None:
        self._ask("task")
        task = self.server.tasks.get(moid)
        if task is None or (self.server.forgets and task.ended_at is not None):
            return None
        return RawTask(
            moid=task.moid,
            description_id=task.kind,
            entity=task.vm.moid,
            state=task.state,
            progress=task.progress,
            queued_at=task.queued_at,
            user=task.user,
            result=None,
            error=task.error,
            message=None if task.error is None else f"The operation failed: {task.error}.",
        )
