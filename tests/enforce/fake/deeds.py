"""Deeds: everything that may happen to a site while somebody cleans up there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from snapaudit.model.inventory import PowerState
from tests.builders import GIB
from tests.enforce.fake import people
from tests.enforce.fake.builders import DAY
from tests.enforce.fake.things import Machine, Manager
from tests.enforce.fake.world import World

if TYPE_CHECKING:
    from tests.enforce.fake.office import Office

MOST_SNAPSHOTS = 5


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happens. ``number`` chooses among what there is."""

    office: Office
    host: Manager
    vm: Machine
    number: int

    @property
    def world(self) -> World:
        return self.office.world

    @property
    def name(self) -> str:
        """A snapshot of the machine, which has one."""
        names = list(self.vm.snaps)
        return names[self.number % len(names)]

    @property
    def new_name(self) -> str:
        return f"s{next(self.world.numbers)}"

    @property
    def is_quiet(self) -> bool:
        """The platform lets people change only machines on which nothing runs."""
        self.world.settle()
        return not self.world.running(self.vm)

    @property
    def has_snapshot(self) -> bool:
        return self.is_quiet and bool(self.vm.snaps)

    @property
    def other(self) -> Machine:
        machines = list(self.host.machines.values())
        return machines[self.number % len(machines)]


Deed = Callable[[Scene], None]


def nothing(scene: Scene) -> None:
    pass


def create(scene: Scene) -> None:
    if scene.is_quiet and len(scene.vm.snaps) < MOST_SNAPSHOTS:
        age = 9 * DAY if scene.number % 2 else None
        people.create(scene.world, scene.host, scene.vm, scene.new_name, age=age)


def recreate_in_the_same_second(scene: Scene) -> None:
    if scene.has_snapshot:
        people.recreate(scene.world, scene.vm, scene.name)


def rename(scene: Scene) -> None:
    if scene.has_snapshot:
        people.rename(scene.vm, scene.name, scene.new_name)


def describe(scene: Scene) -> None:
    if scene.has_snapshot:
        scene.vm.snaps[scene.name].description = scene.new_name
        scene.vm.snaps[scene.name].revision += 1


def rename_the_machine(scene: Scene) -> None:
    scene.vm.name = scene.new_name
    scene.vm.revision += 1


def revert(scene: Scene) -> None:
    if scene.has_snapshot:
        people.revert(scene.world, scene.host, scene.vm, scene.name)


def delete(scene: Scene) -> None:
    room = all(scene.host.free(store) > 100 * GIB for store in scene.vm.stores())
    if scene.has_snapshot and scene.vm.linear() and room:
        people.delete(scene.world, scene.host, scene.vm, scene.name)


def leave_an_image(scene: Scene) -> None:
    """As a backup that crashed does."""
    if scene.is_quiet and len(scene.vm.phantoms()) < 3:
        people.overlay(scene.world, scene.vm)


def clone(scene: Scene) -> None:
    scene.vm.protections.append("clone: another machine stands on its disk")


def protect_a_snapshot(scene: Scene) -> None:
    if scene.vm.snaps:
        scene.vm.snaps[scene.name].protections.append("backup: a product needs it")


def start_a_backup(scene: Scene) -> None:
    if scene.is_quiet:
        scene.vm.busy = True


def end_backups_and_clones(scene: Scene) -> None:
    for machine in scene.host.machines.values():
        machine.busy = False
        machine.protections.clear()


def move_the_disks(scene: Scene) -> None:
    if scene.is_quiet:
        people.move(scene.vm, "pool-1" if "pool-2" in scene.vm.stores() else "pool-2")


def move_the_machine(scene: Scene) -> None:
    scene.vm.host = f"host-{scene.number % 3}"


def fill_the_datastore(scene: Scene) -> None:
    for name in scene.vm.stores():
        scene.host.stores[name].others += max(0, scene.host.free(name))


def skew_the_clock(scene: Scene) -> None:
    scene.host.skew = timedelta(hours=(-30, -2, 2, 30)[scene.number % 4])


def hold(scene: Scene) -> None:
    name = scene.name if scene.vm.snaps and scene.number % 2 else None
    scene.office.hold(scene.host.endpoint, scene.vm.id, name)


def end_holds(scene: Scene) -> None:
    scene.office.state.holds.unlink(missing_ok=True)
    scene.world.ledger.held.clear()


def reissue_ids(scene: Scene) -> None:
    if scene.other is not scene.vm:
        people.reissue(scene.host, scene.vm, scene.other)


def lead_to_another_manager(scene: Scene) -> None:
    scene.host.id = f"manager-{next(scene.world.numbers)}"


def hide(scene: Scene) -> None:
    scene.host.listed = False


def vanish(scene: Scene) -> None:
    scene.host.reachable = False


def lose_verification(scene: Scene) -> None:
    scene.host.verified = False


def crash(scene: Scene) -> None:
    people.crash(scene.world, scene.vm)


SUDDEN: tuple[Deed, ...] = (
    create,
    clone,
    protect_a_snapshot,
    start_a_backup,
    fill_the_datastore,
    hold,
    hide,
    vanish,
    lose_verification,
    crash,
    skew_the_clock,
    lead_to_another_manager,
)
DEEDS: tuple[Deed, ...] = (
    nothing,
    *SUDDEN,
    recreate_in_the_same_second,
    rename,
    describe,
    rename_the_machine,
    revert,
    delete,
    leave_an_image,
    end_backups_and_clones,
    move_the_disks,
    move_the_machine,
    end_holds,
    reissue_ids,
)


def recover(world: World) -> None:
    """Somebody repairs what is broken, and the site goes on collecting snapshots."""
    world.settle()
    for host in world.managers.values():
        host.reachable = host.listed = host.verified = True
        host.skew = timedelta(0)
        for store in host.stores.values():
            store.others = 0
        for machine in host.machines.values():
            machine.power = PowerState.ON
            machine.busy = False
            machine.protections.clear()
            if len(machine.snaps) < 2 and not world.running(machine):
                name = f"s{next(world.numbers)}"
                people.create(world, host, machine, name, age=9 * DAY)
