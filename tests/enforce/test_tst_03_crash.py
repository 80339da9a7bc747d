"""TST-03: a run that is killed at any step, or at any two, ends as if it had not been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from snapaudit.errors import RefusedError
from snapaudit.model.journal import Event
from snapaudit.model.outcome import RunReport
from tests.enforce.fake.builders import DAY, machine, manager
from tests.enforce.fake.office import Office
from tests.enforce.fake.people import overlay
from tests.enforce.fake.peril import Killed, Peril
from tests.enforce.fake.things import Way
from tests.enforce.fake.world import World
from tests.enforce.folders import quick_folder

MOST_RUNS = 6


def steps() -> World:
    """One deletion of three calls and a later one of one, on the same machine."""
    world = World()
    host = manager(world)
    db = machine(world, host, "db01", snaps=("first", "second"), disks=2, ways=(Way.STEPS,))
    db.disks[1].layers.pop()
    return world


def native() -> World:
    """Deletions on two machines at the same time, one of them of two snapshots."""
    world = World()
    host = manager(world)
    machine(world, host, "web01", snaps=("old", "new"), disks=2)
    machine(world, host, "app01", store="pool-2", kind="internal")
    return world


def phantoms() -> World:
    """Two images that no snapshot explains, beside one deletion."""
    world = World()
    host = manager(world)
    overlay(world, machine(world, host, "web01", snaps=(), disks=2))
    machine(world, host, "db01", store="pool-2", ways=(Way.STEPS,))
    return world


def small() -> World:
    """One deletion of two calls."""
    world = World()
    machine(world, manager(world), "db01", ways=(Way.STEPS,))
    return world


def pair() -> World:
    """Two deletions of one call each, at the same time."""
    world = World()
    host = manager(world)
    machine(world, host, "web01", disks=2)
    machine(world, host, "app01", store="pool-2", kind="internal")
    return world


WORLDS = (steps, native, phantoms)
SMALL_WORLDS = (small, pair)


def state(world: World) -> list[object]:
    """All that deletions change."""
    world.settle()
    return [
        (
            vm.name,
            vm.power,
            vm.current,
            [(snap.name, snap.identity, snap.parent) for snap in vm.snaps.values()],
            [(disk.label, [(la.path, la.size) for la in disk.layers]) for disk in vm.disks],
        )
        for host in world.managers.values()
        for vm in host.machines.values()
    ]


@contextmanager
def planned(build: Callable[[], World]) -> Iterator[tuple[Office, Path]]:
    with quick_folder() as folder:
        office = Office(folder, build())
        yield office, office.plan()


def finish(office: Office, plan: Path) -> RunReport:
    """Start it again until nothing is left."""
    for _ in range(MOST_RUNS):
        report = office.apply(plan)
        if report.stopped_because is None:
            return report
    pytest.fail(f"after {MOST_RUNS} runs it still stops: {report.stopped_because}")


def undisturbed(build: Callable[[], World]) -> tuple[list[object], int, int]:
    """The end state, the number of steps, and the number of calls."""
    with planned(build) as (office, plan):
        report = office.apply(plan)
        assert {outcome.event for outcome in report.outcomes} == {Event.DONE}
        return state(office.world), len(office.peril.steps), len(office.world.ledger.sent)


def killed(office: Office, plan: Path, at: int, pause: int = 0) -> bool:
    """Run until that step; whether there was one."""
    office.peril = Peril(at)
    try:
        office.apply(plan)
    except Killed:
        return True
    except RefusedError:
        return False
    finally:
        office.peril = Peril()
        office.world.clock.skip(pause * DAY / 24)
    return False


def check(office: Office, plan: Path, end: list[object], calls: int) -> None:
    finish_or_used(office, plan)
    assert state(office.world) == end
    assert office.world.ledger.violations == []
    effective = [sent for sent in office.world.ledger.sent if not sent.harmless]
    assert len(effective) == calls
    with pytest.raises(RefusedError, match="carried out already"):
        office.apply(plan)


def finish_or_used(office: Office, plan: Path) -> None:
    """A run that died after its last line has nothing left to do, and then says so."""
    with suppress(RefusedError):
        finish(office, plan)


@pytest.mark.parametrize("pause", [0, 1], ids=["at once", "an hour later"])
@pytest.mark.parametrize("build", WORLDS)
def test_tst_03_inv_19_killed_at_any_step_it_ends_as_if_it_had_not_been(
    build: Callable[[], World], pause: int
) -> None:
    end, count, calls = undisturbed(build)
    assert count > 30
    for at in range(1, count + 1):
        with planned(build) as (office, plan):
            assert killed(office, plan, at, pause)
            check(office, plan, end, calls)


@pytest.mark.parametrize("build", SMALL_WORLDS)
def test_tst_03_inv_19_killed_at_any_two_steps_it_ends_as_if_it_had_not_been(
    build: Callable[[], World],
) -> None:
    end, count, calls = undisturbed(build)
    for first in range(1, count + 1):
        for second in range(1, 2 * count):
            with planned(build) as (office, plan):
                killed(office, plan, first)
                was_killed = killed(office, plan, second)
                check(office, plan, end, calls)
            if not was_killed:
                break
