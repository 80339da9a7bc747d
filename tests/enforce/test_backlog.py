"""A small shop gets through its backlog, with every guard and limit on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from snapaudit.model.journal import Event
from snapaudit.model.limits import Limits
from tests.enforce.fake.builders import machine, manager
from tests.enforce.fake.office import Office
from tests.enforce.fake.world import World

SNAPSHOTS = ("spring", "summer", "autumn", "winter")


def shop() -> World:
    """Five machines with four old snapshots each, on two datastores."""
    world = World()
    at = manager(world)
    for number in range(5):
        store = f"pool-{1 + number % 2}"
        machine(world, at, f"vm{number}", snaps=SNAPSHOTS, store=store, age=timedelta(days=90))
    return world


def left(world: World) -> int:
    return sum(len(vm.snaps) for at in world.managers.values() for vm in at.machines.values())


def test_twenty_snapshots_are_gone_in_an_afternoon_within_the_default_limits(
    tmp_path: Path,
) -> None:
    world = shop()
    office = Office(tmp_path / "state", world, limits=Limits())
    began, runs = world.clock.now(), 0
    while left(world):
        before = left(world)
        report = office.apply(office.plan(worst=10))
        runs += 1
        assert {one.event for one in report.outcomes} == {Event.DONE}
        assert 0 < before - left(world) <= 10
    assert runs <= 8, runs
    assert world.clock.now() - began < timedelta(hours=4)
    assert world.ledger.violations == []
