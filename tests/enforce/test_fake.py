"""The fake manager itself: it works late, fails on demand, and objects when it is misused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from snapaudit.errors import CallRefused, Unreachable
from snapaudit.model.acting import Call, Phase
from snapaudit.model.inventory import PowerState
from snapaudit.model.soundness import faults
from tests.builders import GIB
from tests.enforce.fake.actuator import FakeActuator
from tests.enforce.fake.builders import DAY, machine, manager
from tests.enforce.fake.ledger import Sent
from tests.enforce.fake.people import crash, create, overlay, recreate, reissue, rename, revert
from tests.enforce.fake.tasks import Fate
from tests.enforce.fake.things import Machine, Manager, Way
from tests.enforce.fake.view import collect
from tests.enforce.fake.world import World


@dataclass
class Scene:
    """One machine with two old snapshots on two disks, all of them approved for deletion."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.manager: Manager = manager(self.world)
        self.machine: Machine = machine(self.world, self.manager, snaps=("old", "new"), disks=2)
        self.vm_id = self.machine.id
        self.world.ledger.armed = True
        self.approve()

    def approve(self) -> None:
        self.world.ledger.approved = self.world.truths()

    @property
    def actuator(self) -> FakeActuator:
        return FakeActuator(self.world, self.manager)

    def send(self, name: str = "delete", snapshot: str | None = "new") -> str | None:
        return self.actuator.send(self.call(name, snapshot))

    def call(self, name: str = "delete", snapshot: str | None = "new") -> Call:
        return Call(name=name, about={"vm": self.vm_id, "snapshot": snapshot})

    def phase(self, task: str | None) -> Phase:
        return self.actuator.watch(self.call(), task).phase

    def wait(self, seconds: float = 100) -> None:
        self.world.clock.sleep(seconds)
        self.world.settle()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_view_is_sound_and_shows_the_line(scene: Scene) -> None:
    seen = collect(scene.world, scene.manager)
    assert list(faults(seen)) == []
    vm = seen.virtual_machines[0]
    assert [(each.id, each.parent_id) for each in vm.snapshots] == [("old", None), ("new", "old")]
    assert [layer.snapshot_id for layer in vm.disks[1].layers] == [None, "old", "new"]


def test_only_the_machine_asked_for_is_measured(scene: Scene) -> None:
    machine(scene.world, scene.manager, "other")
    seen = collect(scene.world, scene.manager, only=scene.machine.id)
    sizes = [vm.snapshots[0].size_bytes for vm in seen.virtual_machines]
    assert sizes == [4 * GIB, None]


def test_a_call_only_starts_work_and_time_finishes_it(scene: Scene) -> None:
    task = scene.send()
    assert "new" in scene.machine.snaps
    assert scene.phase(task) is Phase.RUNNING
    assert collect(scene.world, scene.manager).virtual_machines[0].busy
    scene.wait()
    assert list(scene.machine.snaps) == ["old"]
    assert scene.phase(task) is Phase.OVER


def test_a_merge_grows_the_image_below_and_gives_space_back(scene: Scene) -> None:
    before = scene.manager.free("pool-1")
    scene.machine.disks[0].layers[1].size = 39 * GIB
    scene.send("delete", "old")
    scene.wait()
    assert [layer.size for layer in scene.machine.disks[0].layers] == [40 * GIB, 2 * GIB]
    assert scene.machine.snaps["new"].parent is None
    assert scene.manager.free("pool-1") == before - 30 * GIB + 2 * GIB


def test_a_full_datastore_stops_the_merge_and_pauses_the_machine(scene: Scene) -> None:
    scene.manager.stores["pool-1"].others += scene.manager.free("pool-1")
    task = scene.send()
    scene.wait()
    assert scene.phase(task) is Phase.FAILED
    assert scene.machine.power is PowerState.PAUSED


def test_a_lost_answer_is_work_all_the_same(scene: Scene) -> None:
    scene.world.fates.queue.append(Fate(answers=False))
    with pytest.raises(Unreachable):
        scene.send()
    assert scene.phase(None) is Phase.RUNNING
    scene.wait()
    assert "new" not in scene.machine.snaps


def test_a_call_that_never_arrived_does_nothing_and_may_be_made_again(scene: Scene) -> None:
    scene.world.fates.queue.append(Fate(arrives=False))
    with pytest.raises(Unreachable):
        scene.send()
    scene.wait()
    assert "new" in scene.machine.snaps
    scene.send()
    assert scene.world.ledger.violations == []


def test_a_refused_call_changes_nothing(scene: Scene) -> None:
    scene.world.fates.queue.append(Fate(refused=True))
    with pytest.raises(CallRefused):
        scene.send()
    assert scene.world.tasks == []


@pytest.mark.parametrize(("steps", "layers"), [(0, [3, 3]), (1, [2, 3]), (2, [2, 2])])
def test_work_may_fail_half_way(scene: Scene, steps: int, layers: list[int]) -> None:
    scene.world.fates.queue.append(Fate(fails_after=steps))
    task = scene.send()
    scene.wait()
    assert scene.phase(task) is Phase.FAILED
    assert [len(disk.layers) for disk in scene.machine.disks] == layers
    assert "new" in scene.machine.snaps


def test_success_may_be_a_lie(scene: Scene) -> None:
    scene.world.fates.queue.append(Fate(lies=True))
    task = scene.send()
    scene.wait()
    assert scene.phase(task) is Phase.OVER
    assert "new" in scene.machine.snaps


def test_a_crash_leaves_the_machine_off_and_the_work_half_done(scene: Scene) -> None:
    scene.send()
    scene.wait(10)
    crash(scene.world, scene.machine)
    scene.wait()
    assert scene.machine.power is PowerState.OFF
    assert [len(disk.layers) for disk in scene.machine.disks] == [2, 3]


def test_step_by_step_a_new_process_goes_on_where_another_stopped(scene: Scene) -> None:
    scene.machine.ways = (Way.STEPS,)
    for name in ("commit:vda", "commit:vdb", "forget"):
        scene.send(name)
        scene.wait()
    assert list(scene.machine.snaps) == ["old"]
    assert scene.world.ledger.violations == []


def test_a_manager_that_is_down_shows_nothing(scene: Scene) -> None:
    scene.manager.reachable = False
    with pytest.raises(Unreachable):
        collect(scene.world, scene.manager)
    with pytest.raises(Unreachable):
        scene.phase(None)


def test_phantoms_are_consolidated_together(scene: Scene) -> None:
    overlay(scene.world, scene.machine)
    scene.approve()
    scene.send("consolidate", None)
    scene.wait()
    assert scene.machine.phantoms() == []


def _dry(scene: Scene) -> None:
    scene.world.ledger.armed = False


def _unplanned(scene: Scene) -> None:
    scene.world.ledger.approved.clear()


def _recreated(scene: Scene) -> None:
    recreate(scene.world, scene.machine, "new")


def _renamed(scene: Scene) -> None:
    rename(scene.machine, "old", "older")


def _reverted(scene: Scene) -> None:
    revert(scene.world, scene.manager, scene.machine, "old")


def _child(scene: Scene) -> None:
    create(scene.world, scene.manager, scene.machine, "child")


def _reissued(scene: Scene) -> None:
    other = machine(scene.world, scene.manager, "other", snaps=("old", "new"))
    reissue(scene.manager, scene.machine, other)


def _other_manager(scene: Scene) -> None:
    scene.manager.id = "somebody else"


def _protected(scene: Scene) -> None:
    scene.machine.protections.append("clone: another machine stands on its disk")


def _marked(scene: Scene) -> None:
    scene.machine.snaps["new"].protections.append("backup: a backup needs it")


def _held(scene: Scene) -> None:
    scene.world.ledger.held.add(("kvm1", scene.machine.id, None))


def _busy(scene: Scene) -> None:
    scene.machine.busy = True


def _young(scene: Scene) -> None:
    scene.machine.snaps["new"].created_at = scene.world.clock.now() - DAY


def _expired(scene: Scene) -> None:
    scene.world.ledger.expires_at = scene.world.clock.now()


def _hidden(scene: Scene) -> None:
    scene.manager.listed = False


def _gone(scene: Scene) -> None:
    del scene.machine.snaps["new"]


def _branched(scene: Scene) -> None:
    scene.machine.snaps["new"].parent = None


def _running(scene: Scene) -> None:
    scene.send("delete", "old")


def _sent_before(scene: Scene) -> None:
    scene.world.fates.queue.append(Fate(fails_after=1))
    scene.send()
    scene.wait()


def _neighbour_running(scene: Scene) -> None:
    other = machine(scene.world, scene.manager, "other")
    scene.approve()
    about = {"vm": other.id, "snapshot": "old"}
    scene.actuator.send(Call(name="delete", about=about))


_MISUSE: tuple[tuple[Callable[[Scene], None], str], ...] = (
    (_dry, "a call in dry mode"),
    (_unplanned, "in no approved plan"),
    (_recreated, "it has changed"),
    (_renamed, "it has changed"),
    (_reverted, "there is no such thing|not linear"),
    (_child, "it has changed"),
    (_reissued, "it has changed"),
    (_other_manager, "it has changed"),
    (_protected, "it is protected"),
    (_marked, "it is protected"),
    (_held, "it is held"),
    (_busy, "the machine is busy"),
    (_young, "too young"),
    (_expired, "the plan has expired"),
    (_hidden, "the view is incomplete"),
    (_gone, "there is no such thing"),
    (_branched, "the chain is not linear"),
    (_running, "while another merge is running"),
    (_neighbour_running, "while another merge is running"),
    (_sent_before, "sent twice"),
)


@pytest.mark.parametrize(("spoil", "objection"), _MISUSE)
def test_misuse_is_objected_to(
    scene: Scene, spoil: Callable[[Scene], None], objection: str
) -> None:
    spoil(scene)
    with pytest.raises(AssertionError, match=objection):
        scene.send()
    assert scene.world.ledger.violations


def test_what_was_begun_may_go_on_after_the_plan_has_expired(scene: Scene) -> None:
    scene.world.ledger.expires_at = scene.world.clock.now() + timedelta(seconds=1)
    scene.send("commit:vda")
    scene.wait()
    scene.send("commit:vdb")
    assert scene.world.ledger.violations == []


def test_every_call_is_written_down(scene: Scene) -> None:
    scene.send()
    [sent] = scene.world.ledger.sent
    assert isinstance(sent, Sent)
    assert (sent.call.name, sent.vm_id, sent.harmless) == ("delete", scene.machine.id, False)
