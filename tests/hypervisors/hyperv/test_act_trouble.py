"""Planned, applied and reconciled on the model of a host, with one thing going wrong at a time."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta

import pytest

from snapaudit.enforce.ground import STOPPED
from snapaudit.errors import UsageError
from snapaudit.model.journal import Event
from snapaudit.model.plan import Guard
from tests.beds.wsman.estate import GIB, MERGING, Fate
from tests.enforce.fake.peril import Killed, Peril
from tests.hypervisors.hyperv.office import Desk, desk

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.mark.parametrize("is_cluster", [False, True])
@pytest.mark.parametrize("disks", [1, 2])
def test_line_is_deleted_from_its_oldest_on_and_no_word_is_lost(
    is_cluster: bool, disks: int
) -> None:
    with desk("a", "b", disks=disks, is_cluster=is_cluster) as one:
        ids, words, bases = list(one.vm.checkpoints), one.estate.reads(one.vm), one.first.drives
        plan = one.plan()
        assert one.ends(plan) == [Event.DONE, Event.DONE]
        assert one.site.sent == ids
        assert one.estate.reads(one.vm) == words
        assert one.vm.drives == bases
        one.refuses_all(plan, "was carried out already")


def test_gain_is_told_as_what_the_files_lost() -> None:
    with desk("a") as one:
        outcome = one.end(one.plan())
        assert (outcome.event, outcome.freed_bytes) == (Event.DONE, GIB // 2)


def test_inv_18_second_machine_on_the_volume_waits_for_the_first() -> None:
    with desk("a") as one:
        other = one.estate.line("web02", "x")
        merging: list[int] = []

        def look() -> None:
            merging.append(sum(MERGING in one.estate.statuses(vm) for vm in (one.vm, other)))

        plan = one.plan()
        for second in range(0, 300, 5):
            one.estate.in_a_while(second, look)
        assert one.ends(plan) == [Event.DONE, Event.DONE]
        assert max(merging) == 1


# The target is not what was planned -------------------------------------------------------------

SPOILT: dict[str, tuple[Callable[[Desk], object], Guard, str]] = {
    "I1 taken again": (
        lambda one: one.estate.retake(one.vm, one.first),
        Guard.UNCHANGED,
        "is still in use",
    ),
    "I4 renamed": (
        lambda one: setattr(one.first, "name", "new"),
        Guard.UNCHANGED,
        "name: 'a' became 'new'",
    ),
    "I4 described anew": (
        lambda one: setattr(one.first, "notes", "wait"),
        Guard.UNCHANGED,
        "description: '' became 'wait'",
    ),
    "U other type": (
        lambda one: setattr(one.first, "type", "Recovery"),
        Guard.PROTECTED,
        "no rule asks for it any more",
    ),
    "I child": (
        lambda one: one.estate.take(one.vm, "c"),
        Guard.UNCHANGED,
        "chain of disk SCSI 0:0: 3 images became",
    ),
    "U backup": (lambda one: one.vm.busy.append(32776), Guard.NOT_BUSY, "backed up"),
    "U replica": (lambda one: setattr(one.vm, "replication", 2), Guard.PROTECTED, "replica"),
    "U saved": (lambda one: setattr(one.vm, "state", 6), Guard.PROTECTED, "saved"),
    "U keep": (lambda one: setattr(one.vm, "notes", "#keep"), Guard.PROTECTED, "keep"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_grd_10_each_way_to_spoil_a_target_is_refused_by_its_guard(how: str) -> None:
    spoil, guard, words = SPOILT[how]
    with desk("a", "b") as one:
        plan = one.only(one.plan(), one.first.id)
        spoil(one)
        one.refuses(plan, guard, words)


def test_u_clone_that_stands_on_what_is_held_forbids_it() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.clone(one.vm, "clone")
        one.refuses(plan, Guard.PROTECTED, "branched")


def test_what_is_gone_before_anything_was_sent_is_called_so() -> None:
    with desk("a") as one:
        one.estate.bystander()
        plan = one.plan()
        one.estate.remove(one.vm, one.first)
        one.clock.skip(HALF_AN_HOUR)
        one.estate.settle()
        assert one.ends(plan) == [Event.ALREADY_GONE]
        assert one.site.sent == []


SURPRISES: dict[str, Callable[[Desk], object]] = {
    "renamed": lambda one: setattr(one.first, "name", "new"),
    "taken again": lambda one: one.estate.retake(one.vm, one.first),
    "another checkpoint": lambda one: one.estate.take(one.vm, "c"),
    "moved": lambda one: setattr(one.vm, "node", "HV2"),
    "backup": lambda one: one.vm.busy.append(32776),
}


@pytest.mark.parametrize("how", SURPRISES)
def test_inv_03_what_changes_after_the_last_look_is_refused_by_the_host(how: str) -> None:
    with desk("a", is_cluster=True) as one:
        plan = one.plan()
        one.site.surprise = lambda: SURPRISES[how](one)
        [outcome] = one.apply(plan).outcomes
        assert outcome.event in (Event.FAILED, Event.UNKNOWN)
        assert "left the checkpoint alone" in outcome.reason
        assert one.site.sent == []
        assert one.estate.merges == []


# The view ---------------------------------------------------------------------------------------


def test_c_node_that_does_not_answer_refuses_the_whole_endpoint() -> None:
    with desk("a", is_cluster=True) as one:
        plan = one.plan()
        one.estate.down.add("hv3")
        one.refuses(plan, Guard.WHOLE_VIEW, "node hv3")


def test_c_node_that_does_not_answer_leaves_nothing_to_plan() -> None:
    with desk("a", is_cluster=True) as one:
        one.estate.down.add("hv2")
        assert one.read(one.plan()).actions == ()


def test_grd_35_nothing_is_planned_or_applied_where_nobody_proves_who_answers() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.site.is_verified = False
        assert one.read(one.plan()).actions == ()
        with pytest.raises(UsageError, match="nobody proves who answers"):
            one.apply(plan)
        assert one.site.sent == []


def test_i5_address_that_leads_to_another_host_refuses_the_run() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.uuid = "another"
        one.refuses_all(plan, "another manager")


# Calls and merges that go wrong -------------------------------------------------------------------


@pytest.mark.parametrize(
    "fate", [Fate(answers=False), Fate(cut=2), Fate(throws=True), Fate(answers=False, waits=90)]
)
def test_p_lost_answer_to_a_removal_is_unknown_and_found_done_by_the_next_run(fate: Fate) -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.fates = [fate]
        assert one.ends(plan) == [Event.UNKNOWN]
        one.apply_until_used(plan)
        assert len(one.site.sent) == 1
        assert one.vm.checkpoints == {}
        assert one.estate.merges == []


@pytest.mark.parametrize("fate", [Fate(arrives=False), Fate(arrives=False, throws=True)])
def test_p_removal_that_came_to_nothing_is_made_again_after_two_looks(fate: Fate) -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.fates = [fate]
        assert one.ends(plan) == [Event.UNKNOWN]
        assert one.site.sent == []
        one.apply_until_used(plan)
        assert len(one.site.sent) == 1
        assert one.vm.checkpoints == {}


def test_p_late_removal_meets_the_same_call_again_and_the_host_refuses_the_second() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.fates = [Fate(late=3)]
        one.ends(plan)
        one.apply_until_used(plan)
        assert one.vm.checkpoints == {}
        assert one.estate.merges == []


def test_p_merge_that_fails_is_unknown_with_the_hosts_words_and_stops_the_run() -> None:
    with desk("a", "b") as one:
        plan = one.plan()
        one.estate.fates = [Fate(fails=0)]
        report = one.apply(plan)
        [outcome] = report.outcomes
        assert outcome.event is Event.UNKNOWN
        assert "event 19100" in outcome.reason
        assert "the disks do not agree" in outcome.reason
        assert len(one.site.sent) == 1
        assert len(report.not_started) == 1
        again = one.apply(plan)
        assert again.outcomes == ()
        assert "the target is absent; the disks do not agree" in (again.stopped_because or "")
        assert len(one.site.sent) == 1


def test_p_merge_that_never_begins_is_unknown_and_done_once_the_host_has_merged() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.fates = [Fate(stalls=True)]
        outcome = one.end(plan)
        assert outcome.event is Event.UNKNOWN
        assert "nothing has changed for 300 s" in outcome.reason
        for merge in one.estate.merges:
            merge.begins_at = merge.due_at = one.clock.now()
        one.apply_until_used(plan)
        assert len(one.site.sent) == 1


def test_r_full_volume_ends_the_run_and_nothing_more_is_sent() -> None:
    with desk("a", "b") as one:
        plan = one.plan()
        one.estate.in_a_while(1, lambda: setattr(one.estate.volume, "free", 1))
        outcome = one.apply(plan).outcomes[0]
        assert outcome.event is Event.UNKNOWN
        assert "1 bytes free" in outcome.reason
        assert len(one.site.sent) == 1


def test_machine_that_moves_in_the_middle_of_its_merge_is_followed() -> None:
    with desk("a", is_cluster=True) as one:
        plan = one.plan()
        one.estate.in_a_while(10, lambda: setattr(one.vm, "node", "HV2"))
        assert one.ends(plan) == [Event.DONE]


def test_host_that_goes_away_in_the_middle_of_a_merge_is_asked_again_by_the_next_run() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.in_a_while(1, lambda: one.estate.down.add("hv1"))
        [outcome] = one.apply(plan).outcomes
        assert outcome.event is Event.UNKNOWN
        assert "nothing listens there" in outcome.reason
        assert outcome.finished_at - outcome.started_at < timedelta(minutes=2)
        one.estate.down.clear()
        one.apply_until_used(plan)
        assert len(one.site.sent) == 1


def test_p10_host_that_comes_back_after_a_while_is_watched_to_the_end() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.in_a_while(1, lambda: one.estate.down.add("hv1"))
        one.estate.in_a_while(22, one.estate.down.clear)
        assert one.ends(plan) == [Event.DONE]


@pytest.mark.parametrize("waits", [0, 45])
@pytest.mark.parametrize("at", range(1, 16))
def test_inv_19_killed_at_any_step_it_ends_like_the_run_that_nobody_disturbed(
    at: int, waits: float
) -> None:
    with desk("a", disks=2) as one:
        words, plan = one.estate.reads(one.vm), one.plan()
        one.estate.fates = [Fate(waits=waits)]
        one.site.peril = Peril(at)
        try:
            one.apply(plan)
        except Killed:
            one.site.peril = Peril()
            one.apply_until_used(plan)
        assert len(one.site.sent) == 1
        assert one.vm.checkpoints == {}
        assert one.estate.reads(one.vm) == words
        assert one.estate.merges == []


@pytest.mark.parametrize("at", range(1, 12))
def test_p12_inv_20_nothing_is_sent_once_the_journal_cannot_be_written(at: int) -> None:
    with desk("a", "b") as one:
        plan = one.plan()
        one.site.peril = Peril(full=at)
        report = one.apply(plan)
        assert report.stopped_because is not None
        assert len(one.site.sent) <= 1


def test_p14_after_a_signal_nothing_more_begins_and_the_merge_is_waited_for() -> None:
    with desk("a", "b") as one:
        plan = one.plan()
        one.estate.in_a_while(5, lambda: os.kill(os.getpid(), signal.SIGTERM))
        report = one.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.DONE]
        assert report.stopped_because == STOPPED
        one.apply_until_used(plan)
        assert one.vm.checkpoints == {}


def test_p14_grd_19_second_signal_leaves_the_merge_to_the_next_run_and_ends_nothing() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.fates = [Fate(seconds=3600)]
        for after in (5, 9):
            one.estate.in_a_while(after, lambda: os.kill(os.getpid(), signal.SIGINT))
        report = one.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        assert report.stopped_because == STOPPED
        one.clock.skip(timedelta(hours=9))
        assert "it was carried out" in one.apply(plan).settled[0]
        assert len(one.site.sent) == 1


def test_p15_plan_that_expires_during_the_run_sends_nothing_more() -> None:
    with desk("a", "b") as one:
        plan = one.plan()
        one.clock.skip(timedelta(hours=72, seconds=-5))
        report = one.apply(plan)
        assert report.stopped_because == "the plan has expired"
        assert len(one.site.sent) == 1


def test_p7_merge_that_outlasts_all_patience_is_unknown_and_found_by_a_later_run() -> None:
    with desk("a") as one:
        plan = one.plan()
        one.estate.fates = [Fate(seconds=100_000)]
        assert "still runs" in one.end(plan).reason
        one.clock.skip(timedelta(hours=30))
        assert "it was carried out" in one.apply(plan).settled[0]


def test_inv_05_sibling_that_is_lost_meanwhile_stops_the_run() -> None:
    with desk("a", "b") as one:
        plan = one.plan()
        one.estate.in_a_while(5, lambda: one.vm.checkpoints.pop(list(one.vm.checkpoints)[-1]))
        report = one.apply(plan)
        assert "is gone too" in (report.stopped_because or "")
        assert len(one.site.sent) == 1
