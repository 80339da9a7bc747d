"""Faults P: a run that is cut off, a call nobody answers, work that stops half way."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from snapaudit.enforce.ground import STOPPED
from snapaudit.model.journal import Event
from snapaudit.model.limits import Window
from snapaudit.model.plan import Guard
from tests.enforce.fake.builders import machine
from tests.enforce.fake.clock import Clock
from tests.enforce.fake.peril import Killed, Peril
from tests.enforce.fake.tasks import Fate
from tests.enforce.fake.things import Way
from tests.faults.site import Site, site


@pytest.mark.parametrize(
    ("step", "sent"),
    [
        ("before the write", 0),
        ("torn", 0),
        ("after fsync", 0),
        ("before the call", 0),
        ("after the call", 1),
    ],
)
def test_p1_p2_p3_inv_14_killed_around_the_first_call(step: str, sent: int) -> None:
    """What was sent by then, and that the next run ends as if nothing had been."""
    with site() as one:
        plan = one.office.plan()
        steps = _steps(one)
        one.office.peril = Peril(steps.index(step) + 1)
        with pytest.raises(Killed):
            one.office.apply(plan)
        assert len(one.calls) == sent
        intents = [e for e in one.office.journal.entries if e.event is Event.INTENT]
        assert len(intents) >= sent
        one.office.peril = Peril()
        one.world.clock.skip(timedelta(hours=1))
        one.office.apply(plan)
        assert "old" not in one.vm.snaps
        assert len([s for s in one.world.ledger.sent if not s.harmless]) == 1


def _steps(one: Site) -> list[str]:
    """The steps of an undisturbed run on a site like this one."""
    with site() as other:
        other.ends(other.office.plan())
        return other.office.peril.steps


def test_p4_killed_after_the_task_id_was_kept_the_next_run_finds_the_end() -> None:
    with site() as one:
        plan = one.office.plan()
        steps = _steps(one)
        writes = [number for number, name in enumerate(steps, 1) if name == "before the write"]
        one.office.peril = Peril(writes[2])
        with pytest.raises(Killed):
            one.office.apply(plan)
        one.office.peril = Peril()
        one.world.clock.skip(timedelta(hours=1))
        assert [entry.event for entry in one.office.journal.entries][-1] is Event.SUBMITTED
        report = one.office.apply(plan)
        assert report.outcomes == ()
        assert "it was carried out" in report.settled[0]
        assert one.calls == ["delete"]


def test_p5_inv_16_call_that_never_arrived_is_unknown_until_somebody_has_looked() -> None:
    with site() as one:
        plan = one.office.plan()
        one.world.fates.queue = [Fate(arrives=False)]
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        assert "old" in one.vm.snaps
        report = one.office.apply(plan)
        assert "nothing had come of it" in report.settled[0]
        assert [outcome.event for outcome in report.outcomes] == [Event.DONE]


def test_p6_inv_16_lost_answer_is_unknown_and_the_call_is_never_made_again() -> None:
    with site() as one:
        plan = one.office.plan()
        one.world.fates.queue = [Fate(answers=False)]
        assert one.ends(plan) == [Event.UNKNOWN]
        one.world.clock.skip(timedelta(hours=1))
        report = one.office.apply(plan)
        assert "it was carried out" in report.settled[0]
        assert one.calls == ["delete"]


def test_p7_merge_that_outlasts_all_patience_is_unknown_and_waited_for_by_the_next_run() -> None:
    with site() as one:
        plan = one.office.plan()
        one.world.fates.queue = [Fate(seconds=200_000)]
        assert one.ends(plan) == [Event.UNKNOWN]
        report = one.office.apply(plan)
        assert report.stopped_because is not None
        assert report.stopped_because.startswith("not settled")
        assert one.calls == ["delete"]


def test_p8_success_that_is_not_so_is_failed() -> None:
    with site() as one:
        plan = one.office.plan()
        one.world.fates.queue = [Fate(lies=True)]
        [outcome] = one.office.apply(plan).outcomes
        assert outcome.event is Event.FAILED
    assert outcome.reason.startswith("the platform reported success, and nothing has changed; ")
    assert "never go back to it" in outcome.reason


def test_p9_one_of_two_disks_merged_is_unknown_and_stops_everything_else() -> None:
    with site(disks=2) as one:
        machine(one.world, one.host, "zoo01")
        plan = one.office.plan()
        one.world.fates.queue = [Fate(fails_after=1)]
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        assert "the target is partial" in report.outcomes[0].reason
        assert [action.vm_name for action in report.not_started] == ["zoo01"]


def test_p10_connection_that_is_lost_while_it_runs_is_looked_for_again() -> None:
    with site() as one:
        plan = one.office.plan()
        one.in_a_while(5, lambda: setattr(one.host, "reachable", False))
        one.in_a_while(8, lambda: setattr(one.host, "reachable", True))
        assert one.ends(plan) == [Event.DONE]
        assert one.calls == ["delete"]


def test_p11_endpoint_that_stays_away_is_unknown_and_the_next_run_settles_it() -> None:
    with site() as one:
        plan = one.office.plan()
        one.in_a_while(5, lambda: setattr(one.host, "reachable", False))
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        one.host.reachable = True
        report = one.office.apply(plan)
        assert "it was carried out" in report.settled[0]
        assert one.calls == ["delete"]


def test_p11_endpoint_that_is_down_before_the_run_is_refused() -> None:
    with site() as one:
        plan = one.office.plan()
        one.host.reachable = False
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.REFUSED]
        assert one.calls == []


@pytest.mark.parametrize("at", range(1, 12))
def test_p12_inv_20_nothing_is_sent_once_the_journal_cannot_be_written(at: int) -> None:
    with site(snaps=("first", "second")) as one:
        plan = one.office.plan()
        one.office.peril = Peril(full=at)
        report = one.office.apply(plan)
        assert report.stopped_because is not None
        assert len(one.calls) <= 1


def test_p14_tst_14_after_a_signal_nothing_more_begins_and_what_runs_is_waited_for() -> None:
    with site(snaps=("first", "second")) as one:
        plan = one.office.plan()
        one.in_a_while(5, lambda: os.kill(os.getpid(), signal.SIGTERM))
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.DONE]
        assert report.stopped_because == STOPPED
        assert [action.snapshot_name for action in report.not_started] == ["first"]
        assert one.ends(plan) == [Event.DONE]


def test_p14_grd_19_second_signal_leaves_what_runs_to_the_next_run() -> None:
    with site() as one:
        plan = one.office.plan()
        one.world.fates.queue = [Fate(seconds=3600)]
        one.in_a_while(5, lambda: os.kill(os.getpid(), signal.SIGINT))
        one.in_a_while(9, lambda: os.kill(os.getpid(), signal.SIGINT))
        report = one.office.apply(plan)
        [outcome] = report.outcomes
        assert (outcome.event, report.stopped_because) == (Event.UNKNOWN, STOPPED)
        assert outcome.finished_at - outcome.started_at < timedelta(minutes=1)
        one.world.clock.skip(timedelta(hours=9))
        assert "it was carried out" in one.office.apply(plan).settled[0]
        assert one.calls == ["delete"]


def test_p14_steps_that_were_interrupted_are_gone_on_with() -> None:
    with site(ways=(Way.STEPS,), disks=2) as one:
        plan = one.office.plan()
        one.in_a_while(5, lambda: os.kill(os.getpid(), signal.SIGHUP))
        report = one.office.apply(plan)
        assert report.stopped_because == STOPPED
        assert one.calls == ["commit:vda"]
        assert one.ends(plan) == [Event.DONE]
        assert one.calls == ["commit:vda", "commit:vdb", "forget"]


def test_p15_plan_that_expires_during_the_run_sends_nothing_more() -> None:
    with site(snaps=("first", "second")) as one:
        plan = one.office.plan()
        one.world.clock.skip(timedelta(hours=72, seconds=-5))
        report = one.office.apply(plan)
        assert report.stopped_because == "the plan has expired"
        assert len(one.calls) == 1
        assert "first" in one.vm.snaps


def test_p15_window_that_closes_during_the_run_lets_nothing_more_begin() -> None:
    with site(snaps=("first", "second")) as one:
        noon = timedelta(hours=12)
        window = Window(
            text="Mon until just after noon",
            days=frozenset({0}),
            opens=timedelta(0),
            closes=noon + timedelta(seconds=8),
            zone=ZoneInfo("UTC"),
        )
        one.office.limits = replace(one.office.limits, window=window)
        plan = one.office.plan()
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.DONE]
        assert report.stopped_because == "in-window: the window for changes is " + window.text
        assert "first" in one.vm.snaps


def test_p15_lock_that_is_lost_during_the_run_sends_nothing_more() -> None:
    with site(snaps=("first", "second")) as one:
        plan = one.office.plan()
        one.in_a_while(5, one.office.state.lock.unlink)
        report = one.office.apply(plan)
        assert report.stopped_because == "the lock of the state folder was lost"
        assert len(one.calls) == 1


def test_p15_grd_10_look_that_is_too_old_when_the_call_is_due_is_not_acted_on() -> None:
    """As when the computer was asleep in between."""
    with site() as one:
        plan = one.office.plan()
        one.office.peril = _Slow(one.world.clock)
        report = one.office.apply(plan)
        assert one.calls == []
        assert "too old" in (report.stopped_because or "")
        assert [entry.event for entry in one.office.journal.entries] == [
            Event.INTENT,
            Event.RESOLVED,
        ]


class _Slow(Peril):
    """A disk on which a write takes longer than a look is good for."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def _sync(self, handle: int) -> None:
        super()._sync(handle)
        self.clock.skip(timedelta(seconds=6))


def test_p15_half_done_work_of_an_expired_plan_waits_for_a_person() -> None:
    with site(ways=(Way.STEPS,), disks=2) as one:
        machine(one.world, one.host, "zoo01", store="pool-2")
        old = one.office.plan()
        one.in_a_while(5, lambda: os.kill(os.getpid(), signal.SIGTERM))
        one.office.apply(old)
        one.world.clock.skip(timedelta(days=4))
        one.refuses_all(old, "expired on")
        new = one.office.plan()
        assert [r.guard for r in one.office.read(new).refusals] == [Guard.NOT_BUSY]
        before = len(one.calls)
        report = one.office.apply(new) if one.office.read(new).actions else None
        assert len(one.calls) == before
        assert report is None or "half of it is done" in (report.stopped_because or "")
