"""TST-14: after a signal, or once the breaker is open, nothing new is sent."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from snapaudit.enforce.ground import STOPPED
from snapaudit.model.journal import Event
from snapaudit.model.outcome import RunReport
from tests.enforce.fake.builders import machine, manager
from tests.enforce.fake.office import Office
from tests.enforce.fake.tasks import Fate
from tests.enforce.fake.things import Way
from tests.enforce.fake.world import World
from tests.enforce.folders import quick_folder

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ONE_SECOND = timedelta(seconds=1)


class Stopped:
    """A plan for five machines on four datastores; every second one goes step by step."""

    def __init__(self, folder: Path) -> None:
        self.world = world()
        self.office = Office(folder, self.world)
        self.plan = self.office.plan()
        self.at: datetime | None = None

    def stop(self, number: signal.Signals) -> None:
        self.at = self.at or self.world.clock.now()
        signal.raise_signal(number)

    def run(self) -> RunReport:
        report = self.office.apply(self.plan)
        assert self.world.ledger.violations == []
        return report

    def later(self, seconds: float, number: signal.Signals) -> None:
        when = self.world.clock.now() + timedelta(seconds=seconds)
        self.world.later.append((when, lambda: self.stop(number)))

    @property
    def sent_at(self) -> list[datetime]:
        return [sent.at for sent in self.world.ledger.sent]


def world() -> World:
    made = World()
    host = manager(made, "kvm1", *(f"pool-{number}" for number in range(4)))
    for number in range(4):
        ways = (Way.STEPS,) if number % 2 else (Way.NATIVE,)
        place = f"host-{number % 2}"
        name = f"vm{number}"
        machine(made, host, name, store=f"pool-{number}", disks=2, ways=ways, host=place)
    machine(made, host, "last", store="pool-0")
    return made


@settings(max_examples=60, deadline=None)
@given(seconds=some.floats(0, 80), number=some.sampled_from(SIGNALS))
def test_tst_14_grd_19_within_a_second_of_a_signal_nothing_more_is_sent(
    seconds: float, number: signal.Signals
) -> None:
    with quick_folder() as folder:
        stopped = Stopped(folder)
        stopped.later(seconds, number)
        report = stopped.run()
        if stopped.at is None:
            return
        assert all(at <= stopped.at + ONE_SECOND for at in stopped.sent_at)
        unfinished = report.not_started or any(o.event is Event.UNKNOWN for o in report.outcomes)
        assert not unfinished or report.stopped_because == STOPPED


def test_tst_14_grd_19_what_runs_is_waited_for_after_a_signal() -> None:
    with quick_folder() as folder:
        stopped = Stopped(folder)
        stopped.later(5, signal.SIGINT)
        report = stopped.run()
        done = [one.action.vm_name for one in report.outcomes if one.event is Event.DONE]
        assert {"last", "vm2"} <= set(done)


def test_tst_14_grd_19_a_second_signal_leaves_what_runs_to_the_next_run() -> None:
    with quick_folder() as folder:
        stopped = Stopped(folder)
        stopped.world.fates.queue = [Fate(seconds=300)] * 4
        stopped.later(5, signal.SIGINT)
        stopped.later(9, signal.SIGINT)
        report = stopped.run()
        assert stopped.at is not None
        assert {one.event for one in report.outcomes} == {Event.UNKNOWN}
        assert report.finished_at - stopped.at < timedelta(seconds=60)


def test_tst_14_an_interrupted_run_goes_on_where_it_stopped() -> None:
    with quick_folder() as folder:
        stopped = Stopped(folder)
        stopped.later(5, signal.SIGTERM)
        stopped.run()
        report = stopped.run()
        assert report.stopped_because is None
        assert all(not vm.snaps for vm in stopped.world.managers["kvm1"].machines.values())


@pytest.mark.parametrize(
    "fate", [Fate(answers=False), Fate(arrives=False), Fate(seconds=10**6), Fate(crashes_after=1)]
)
@pytest.mark.parametrize("before", range(4))
def test_tst_14_grd_18_once_the_breaker_is_open_nothing_more_is_sent(
    fate: Fate, before: int
) -> None:
    with quick_folder() as folder:
        stopped = Stopped(folder)
        stopped.world.fates.queue = [*[Fate()] * before, fate]
        report = stopped.run()
        entries = stopped.office.journal.entries
        opened = next(entry for entry in entries if entry.event is Event.UNKNOWN)
        assert all(entry.seq < opened.seq for entry in entries if entry.event is Event.INTENT)
        assert report.stopped_because
