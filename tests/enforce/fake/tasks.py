"""Work under way: what a call does, step after step as time goes by, and how it may go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from snapaudit.model.acting import Call
from snapaudit.model.inventory import PowerState
from tests.enforce.fake.things import Disk, Layer, Machine, Manager


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fate:
    """What becomes of one call. By default it arrives, is answered and works.

    ``fails_after``: the number of steps done when it fails. ``crashes_after`` the same, and the
    machine is off afterwards. ``lies``: success is reported, and nothing was done. ``leaves``:
    the snapshot is struck off, and its images stay. ``seconds`` is the time each step takes, and
    ``late`` how long a call whose answer is lost is on its way.
    """

    refused: bool = False
    arrives: bool = True
    answers: bool = True
    fails_after: int | None = None
    crashes_after: int | None = None
    lies: bool = False
    leaves: bool = False
    late: float = 0.0

    def __repr__(self) -> str:
        values = ((each, getattr(self, each.name)) for each in fields(self))
        told = (f"{each.name}={value!r}" for each, value in values if value != each.default)
        return f"Fate({', '.join(told)})"

    seconds: float = 10.0


@dataclass(slots=True)
class Task:
    """One call that arrived. ``ended_at`` None: it runs."""

    id: str
    call: Call
    machine: Machine
    manager: Manager
    fate: Fate
    steps: list[Callable[[], None]]
    due_at: datetime
    stores: frozenset[str]
    done: int = 0
    ended_at: datetime | None = None
    error: str | None = None

    def settle(self, now: datetime) -> None:
        """Do what should have been done by now."""
        while self.ended_at is None and self.due_at <= now:
            self._step()
            self.due_at += timedelta(seconds=self.fate.seconds)

    def _step(self) -> None:
        if self.done == self.fate.crashes_after:
            self.machine.power = PowerState.OFF
            self._end("the machine crashed")
        elif self.done == self.fate.fails_after:
            self._end("internal error: merge failed")
        elif self.fate.lies or self.done == len(self.steps):
            self._end(None)
        else:
            self._work()

    def _work(self) -> None:
        try:
            self.steps[self.done]()
        except OSError as error:
            self.machine.power = PowerState.PAUSED
            self._end(str(error))
        else:
            self.done += 1

    def _end(self, error: str | None) -> None:
        self.ended_at = self.due_at
        self.error = error


@dataclass(frozen=True, slots=True)
class Merge:
    """Fold one image into the one below it."""

    manager: Manager
    disk: Disk
    layer: Layer

    def __call__(self) -> None:
        below = self.disk.layers[self.disk.layers.index(self.layer) - 1]
        growth = max(0, min(self.layer.size, self.disk.capacity - below.size))
        if growth > self.manager.free(below.store):
            raise OSError("no space left on device")
        below.size += growth
        self.disk.layers.remove(self.layer)


@dataclass(frozen=True, slots=True)
class Forget:
    """Strike a snapshot off the tree: its children become its parent's."""

    machine: Machine
    name: str

    def __call__(self) -> None:
        gone = self.machine.snaps.pop(self.name)
        for child in self.machine.snaps.values():
            child.parent = gone.parent if child.parent == self.name else child.parent
        if self.machine.current == self.name:
            self.machine.current = gone.parent


@dataclass(slots=True)
class Fates:
    """What becomes of the calls to come, first in first out; afterwards all go well."""

    queue: list[Fate] = field(default_factory=list)

    def next(self) -> Fate:
        return self.queue.pop(0) if self.queue else Fate()


def steps_of(call: Call, machine: Machine, manager: Manager) -> list[Callable[[], None]]:
    """What the call does, in order. Raises KeyError for a snapshot that is not there."""
    merge = {disk.label: disk for disk in machine.disks}
    name = call.about["snapshot"]
    match call.name.split(":"):
        case ["consolidate"]:
            found = list(reversed(machine.phantoms()))
            return [Merge(manager, disk, layer) for disk, layer in found]
        case ["delete"]:
            assert isinstance(name, str)
            forget = Forget(machine, machine.snaps[name].name)
            return [*(Merge(manager, disk, layer) for disk, layer in machine.of(name)), forget]
        case ["commit", label]:
            found = [(disk, layer) for disk, layer in machine.layers() if layer.snap == name]
            return [Merge(manager, d, layer) for d, layer in found if d is merge[label]]
        case ["forget"]:
            assert isinstance(name, str)
            return [Forget(machine, machine.snaps[name].name)]
    raise KeyError(call.name)
