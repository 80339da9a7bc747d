"""The hand on the fake: `ports.Actuator` on one manager of the world."""

from __future__ import annotations

from collections.abc import Sequence

from snapaudit.errors import Unreachable
from snapaudit.model.acting import Abilities, Call, MergeOrder, Phase, Watched
from snapaudit.model.inventory import DiskLayer, Inventory, LayerRole, VirtualMachine
from snapaudit.model.plan import Action, VmId
from snapaudit.model.policy import Remedy
from tests.enforce.fake.peril import Peril
from tests.enforce.fake.tasks import Task
from tests.enforce.fake.things import Manager, Way
from tests.enforce.fake.view import collect
from tests.enforce.fake.witness import Witness
from tests.enforce.fake.world import World

ABILITIES = Abilities(supports=frozenset(Remedy), order=MergeOrder.LEAF_FIRST)


class FakeActuator:
    """Acts by one call or step by step, as the machine's ways say. It keeps nothing between calls,

    so a new one goes on where another stopped.
    """

    def __init__(
        self,
        world: World,
        manager: Manager,
        peril: Peril | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.world, self.manager, self.witness = world, manager, witness
        self.peril = peril or Peril()
        self.closed = False

    def observe(self, vm_id: VmId) -> Inventory:
        return collect(self.world, self.manager, only=vm_id)

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        vm = next((each for each in seen.virtual_machines if each.id == action.vm_id), None)
        if vm is None:
            return None
        ways = self.manager.machines[vm.id].ways
        names = {call.name for call in made}
        due = (_due(way, action, vm) for way in ways)
        name = next((name for name in due if name is not None and name not in names), None)
        about = {"vm": str(action.vm_id), "snapshot": action.snapshot_id}
        return None if name is None else Call(name=name, about=about)

    def send(self, call: Call) -> str | None:
        assert not self.closed
        self.peril.point("before the call")
        if self.peril.broken:
            self.world.ledger.object_to(f"{call.name}: a call without a journal")
        if self.witness is not None:
            self.witness.sees_call(self.manager, call)
        task_id = self.world.send(self.manager, call)
        self.peril.point("after the call")
        return task_id

    def watch(self, call: Call, task_id: str | None) -> Watched:
        self.world.settle()
        if not self.manager.reachable:
            raise Unreachable(f"{self.manager.endpoint}: connection refused")
        task = self._task(call, task_id)
        if task is None:
            return Watched(phase=Phase.OVER)
        if task.ended_at is None:
            return Watched(phase=Phase.RUNNING, done_bytes=task.done, total_bytes=len(task.steps))
        return Watched(phase=Phase.FAILED if task.error else Phase.OVER, reason=task.error)

    def close(self) -> None:
        self.closed = True

    def _task(self, call: Call, task_id: str | None) -> Task | None:
        """The task of that id; without one, the latest like it, as the platform's list shows."""
        tasks = [task for task in self.world.tasks if task.call == call]
        exact = [task for task in tasks if task.id == task_id]
        found = exact or (tasks if task_id is None else [])
        return found[-1] if found else None


def _due(way: Way, action: Action, vm: VirtualMachine) -> str | None:
    """The call that is next by this way, whether or not it was made before; None: all is done."""
    if action.kind is Remedy.CONSOLIDATE:
        return "consolidate" if _phantoms(vm) else None
    if all(snapshot.id != action.snapshot_id for snapshot in vm.snapshots):
        return None
    if way is Way.NATIVE:
        return "delete"
    left = [d.label for d in vm.disks if any(_is_of(layer, action) for layer in d.layers)]
    return f"commit:{left[0]}" if left else "forget"


def _is_of(layer: DiskLayer, action: Action) -> bool:
    return layer.snapshot_id == action.snapshot_id


def _phantoms(vm: VirtualMachine) -> bool:
    return any(layer.role is LayerRole.PHANTOM for disk in vm.disks for layer in disk.layers)
