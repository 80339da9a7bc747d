"""The world: managers, time, and the work under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from snapaudit.errors import CallRefused, Unreachable
from snapaudit.model.acting import Call
from tests.enforce.fake.clock import Clock
from tests.enforce.fake.ledger import Key, Ledger, Sent, Truth, identity_of, truth_of
from tests.enforce.fake.tasks import Fate, Fates, Task, steps_of
from tests.enforce.fake.things import Machine, Manager


@dataclass(slots=True)
class World:
    """``later`` are things that happen by themselves once their time has come.

    ``removed`` are the identities of snapshots that people took away.
    """

    clock: Clock = field(default_factory=Clock)
    managers: dict[str, Manager] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    fates: Fates = field(default_factory=Fates)
    ledger: Ledger = field(default_factory=Ledger)
    later: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)
    removed: set[str] = field(default_factory=set)

    def settle(self) -> None:
        """Bring everything up to the present."""
        now = self.clock.now()
        due = [item for item in self.later if item[0] <= now]
        self.later = [item for item in self.later if item[0] > now]
        for _, happens in due:
            happens()
        for task in self.tasks:
            task.settle(now)

    def now_at(self, manager: Manager) -> datetime:
        """The manager's own clock, which has whole seconds."""
        return (self.clock.now() + manager.skew).replace(microsecond=0)

    def running(self, machine: Machine) -> list[Task]:
        return [task for task in self.tasks if task.machine is machine and task.ended_at is None]

    def truths(self) -> dict[Key, Truth]:
        """What everything that a plan could name is at this moment."""
        self.settle()
        return {
            (manager.endpoint, machine.id, name): truth_of(manager, machine, name)
            for manager in self.managers.values()
            for machine in manager.machines.values()
            for name in (*machine.snaps, None)
        }

    def send(self, manager: Manager, call: Call) -> str | None:
        """A mutating call reaches the manager, or does not. See `ports.Actuator.send`."""
        self.learn()
        self.clock.wake()
        machine, snapshot = self._subject(manager, call)
        sent = Sent(
            call=call,
            endpoint=manager.endpoint,
            vm_id=machine.id,
            identity=identity_of(machine, snapshot),
            at=self.clock.now(),
        )
        self._object(manager, machine, snapshot, call)
        self.ledger.record(sent, machine, manager)
        return self._start(sent, manager, machine)

    def _subject(self, manager: Manager, call: Call) -> tuple[Machine, str | None]:
        machine = manager.machines.get(str(call.about["vm"]))
        snapshot = call.about["snapshot"]
        if machine is None or (snapshot is not None and snapshot not in machine.snaps):
            self.ledger.object_to(f"{call.name} {dict(call.about)}: there is no such thing")
        assert machine is not None
        return machine, None if snapshot is None else str(snapshot)

    def _object(self, manager: Manager, machine: Machine, name: str | None, call: Call) -> None:
        """Objections that take knowledge of the whole world."""
        running = [task for task in self.tasks if task.ended_at is None]
        same = [task for task in running if task.machine is machine]
        near = [t for t in running if t.manager is manager and t.stores & machine.stores()]
        host = [t for t in running if t.manager is manager and t.machine.host == machine.host]
        if same or near or len(host) > 1 or len(running) > 3:
            self.ledger.object_to(f"{call.name} {dict(call.about)}: while another merge is running")
        if name and self.ledger.young(machine.snaps[name], self.now_at(manager)):
            self.ledger.object_to(f"{call.name} {dict(call.about)}: too young")

    def _start(self, sent: Sent, manager: Manager, machine: Machine) -> str | None:
        fate = self.fates.next()
        sent.harmless = fate.refused or not fate.arrives
        if fate.refused:
            raise CallRefused("operation failed: refused by policy")
        if not fate.arrives:
            raise Unreachable("connection reset")
        if fate.late:
            arrives_at = self.clock.now() + timedelta(seconds=fate.late)
            self.later.append((arrives_at, lambda: self._arrive_late(sent, manager, machine, fate)))
            raise Unreachable("connection reset")
        task_id = self._arrive(sent, manager, machine, fate)
        if not fate.answers:
            raise Unreachable("connection reset")
        return task_id

    def _arrive_late(self, sent: Sent, manager: Manager, machine: Machine, fate: Fate) -> None:
        """The world has gone on meanwhile; what the call is about may no longer be there."""
        name = sent.call.about["snapshot"]
        if name is None or name in machine.snaps:
            self._arrive(sent, manager, machine, fate)
        else:
            sent.harmless = True

    def _arrive(self, sent: Sent, manager: Manager, machine: Machine, fate: Fate) -> str:
        steps = steps_of(sent.call, machine, manager)
        task = Task(
            id=f"task-{next(self.numbers)}",
            call=sent.call,
            machine=machine,
            manager=manager,
            fate=fate,
            steps=steps[-1:] if fate.leaves else steps,
            due_at=self.clock.now() + timedelta(seconds=fate.seconds),
            stores=machine.stores(),
        )
        self.tasks.append(task)
        sent.task_id = task.id
        return task.id

    def learn(self) -> None:
        """Let the ledger know which calls are over without any effect."""
        self.settle()
        over = {task.id for task in self.tasks if task.ended_at is not None and task.done == 0}
        for sent in self.ledger.sent:
            sent.harmless = sent.harmless or sent.task_id in over
