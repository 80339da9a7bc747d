"""The whole way on the fake vCenter: what comes over a machine between plan and act, and later."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snapaudit.enforce.ground import STOPPED
from snapaudit.enforce.holding import Wish, add
from snapaudit.enforce.state import State
from snapaudit.hypervisors.vsphere.raw import RawManagedBy
from snapaudit.model.journal import Event
from snapaudit.model.plan import Guard
from tests.builders import GIB
from tests.enforce.fake.peril import Killed, Peril
from tests.hypervisors.vsphere.fake import Fate
from tests.hypervisors.vsphere.faketasks import Task
from tests.hypervisors.vsphere.office import Site, site

Change = Callable[[Site], object]


def undisturbed(one: Site, plan: Path) -> None:
    assert one.ends(plan) == [Event.DONE]


def first(one: Site) -> str:
    return next(iter(one.vm.snaps))


# As it should go --------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(3))
def test_inv_04_snapshot_goes_alone_from_any_place_in_the_line(at: int) -> None:
    with site("a", "b", "c", disks=2) as one:
        plan = one.plan()
        target = list(one.vm.snaps)[at]
        one.keep_only(plan, target)
        rest = {moid: one.vm.reads(moid) for moid in one.vm.snaps if moid != target}
        now = one.vm.reads()
        assert one.ends(plan) == [Event.DONE]
        assert {moid: one.vm.reads(moid) for moid in one.vm.snaps} == rest
        assert one.vm.reads() == now
        assert one.server.sent == [("remove_snapshot", target)]
        assert [len(chain) for chain in one.vm.chains.values()] == [3, 3]


def test_u8_line_goes_oldest_first_one_after_the_other() -> None:
    with site("a", "b") as one:
        wanted = list(one.vm.snaps)
        assert one.ends(one.plan()) == [Event.DONE] * 2
        assert one.server.sent == [("remove_snapshot", moid) for moid in wanted]
        assert one.vm.names() == ["web01.vmdk"]
        assert one.told[0].total_bytes is None
        assert any((s.total_bytes or 0) > 2 * GIB > (s.done_bytes or 0) > 0 for s in one.told)


def test_consolidation_is_one_call_and_takes_no_snapshot() -> None:
    with site("a", "b") as one:
        struck = one.vm.snaps.pop(first(one))
        one.vm.snaps[first(one)].parent = struck.parent
        one.vm.consolidation_needed = True
        before = one.vm.reads()
        plan = one.plan()
        assert [action.kind for action in one.read(plan).actions] == ["consolidate"]
        assert one.ends(plan) == [Event.DONE]
        assert one.calls == ["consolidate"]
        assert len(one.vm.snaps) == 1
        assert one.vm.reads() == before
        assert one.vm.names() == ["web01.vmdk", "web01-000002.vmdk"]


def test_inv_09_plan_is_carried_out_once() -> None:
    with site() as one:
        plan = one.plan()
        undisturbed(one, plan)
        one.refuses_all(plan, "was carried out already")


def test_i8_inv_10_expired_plan_is_refused() -> None:
    with site() as one:
        plan = one.plan()
        one.world.clock.skip(timedelta(hours=73))
        one.refuses_all(plan, "expired on")


# What differs by the time it is applied ----------------------------------------------------------

CHANGED: dict[str, tuple[Change, str]] = {
    "taken again under its name": (
        lambda one: one.world.recreate(one.vm, one.vm.snaps[first(one)]),
        "is still in use",
    ),
    "renamed": (lambda one: setattr(one.vm.snaps[first(one)], "name", "keep"), "'old' became"),
    "described anew": (
        lambda one: setattr(one.vm.snaps[first(one)], "description", "needed"),
        "description: '' became 'needed'",
    ),
    "machine renamed": (lambda one: setattr(one.vm, "name", "keep"), "'web01' became 'keep'"),
    "of another date": (
        lambda one: setattr(
            one.vm.snaps[first(one)], "created_at", one.world.clock.now() - timedelta(days=5)
        ),
        "created at",
    ),
    "of another number": (lambda one: setattr(one.vm.snaps[first(one)], "id", 9), "identity"),
    "of another machine": (lambda one: setattr(one.vm, "instance_uuid", "other"), "identity"),
    "moved": (lambda one: one.world.move(one.vm, "ds2"), "chain of disk"),
    "with a child": (lambda one: one.world.take(one.vm, "next"), "children: none became"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_inv_02_what_differs_is_refused_and_named(name: str) -> None:
    change, words = CHANGED[name]
    with site() as one:
        plan = one.plan()
        change(one)
        one.refuses(plan, Guard.UNCHANGED, words)
        assert len(one.vm.snaps) >= 1


def test_i2_machines_that_were_given_each_others_ids_are_left_alone() -> None:
    with site() as one:
        plan = one.plan()
        other = one.world.line("web02")
        one.world.restore(one.vm, other)
        one.refuses_or_gone(plan)
        assert len(one.vm.snaps) == len(other.snaps) == 1


def test_i2_moid_and_name_that_stand_for_another_machine_by_now_are_left_alone() -> None:
    """Both machines look alike down to the ids of their snapshots."""
    with site() as one:
        plan = one.plan()
        one.vm.instance_uuid, one.vm.uuid = "i-other", "u-other"
        one.refuses(plan, Guard.UNCHANGED, "identity")


def test_i5_another_vcenter_behind_the_address_refuses_the_whole_run() -> None:
    with site() as one:
        plan = one.plan()
        one.world.uuid = "99999999-2222-4333-8444-555555555555"
        one.refuses_all(plan, "another manager")


def test_i6_machine_on_another_host_is_still_the_same() -> None:
    with site() as one:
        plan = one.plan()
        one.world.hosts.append("host-2")
        one.vm.host = "host-2"
        undisturbed(one, plan)


def test_i7_reverted_machine_is_left_alone() -> None:
    with site("a", "b") as one:
        plan = one.plan()
        one.world.revert(one.vm, one.vm.snaps[first(one)])
        assert set(one.ends(plan)) == {Event.REFUSED}
        assert one.calls == []


def test_i8_inv_06_target_that_somebody_else_deleted_is_already_gone() -> None:
    with site() as one:
        plan = one.plan()
        one.delete_by_hand()
        assert one.ends(plan) == [Event.ALREADY_GONE]
        assert one.calls == []


def test_i10_clock_of_the_manager_that_is_off_is_refused() -> None:
    with site() as one:
        plan = one.plan()
        one.world.skew = timedelta(hours=2)
        one.refuses(plan, Guard.MIN_AGE, "2 h ahead of ours")


# Targets that must stay --------------------------------------------------------------------------

FORBIDDEN: dict[str, tuple[Change, Guard, str]] = {
    "linked clone": (lambda one: one.world.clone(one.vm), Guard.PROTECTED, "clone"),
    "template": (lambda one: setattr(one.vm, "template", True), Guard.PROTECTED, "template"),
    "suspended": (lambda one: setattr(one.vm, "power", "suspended"), Guard.PROTECTED, "suspended"),
    "disconnected": (
        lambda one: setattr(one.vm, "connection", "disconnected"),
        Guard.PROTECTED,
        "disconnected",
    ),
    "managed": (
        lambda one: setattr(one.vm, "managed_by", RawManagedBy("com.example.product", "agent")),
        Guard.PROTECTED,
        "com.example.product",
    ),
    "task of others": (lambda one: one.server.work_of_others(one.vm), Guard.NOT_BUSY, "task"),
    "snapshot at work": (
        lambda one: setattr(one.vm, "in_background", True),
        Guard.NOT_BUSY,
        "background",
    ),
    "backup has switched methods off": (
        lambda one: setattr(one.vm, "disabled", ["RemoveSnapshot_Task", "RelocateVM_Task"]),
        Guard.PROTECTED,
        "RemoveSnapshot_Task",
    ),
    "consolidation needed": (
        lambda one: setattr(one.vm, "consolidation_needed", True),
        Guard.LINEAR_CHAIN,
        "consolidation",
    ),
    "memory": (
        lambda one: setattr(one.vm.snaps[first(one)], "memory", GIB),
        Guard.PROTECTED,
        "memory",
    ),
    "full": (
        lambda one: setattr(one.world.stores["ds1"], "free", GIB),
        Guard.ROOM_TO_MERGE,
        "to be left",
    ),
    "datastore out of reach": (
        lambda one: setattr(one.world.stores["ds1"], "accessible", False),
        Guard.ROOM_TO_MERGE,
        "not accessible",
    ),
    "layout unreadable": (
        lambda one: one.server.denied.update({(one.vm.moid, "layoutEx"): "NoPermission"}),
        Guard.WHOLE_VIEW,
        "web01: this account lacks a privilege",
    ),
    "another machine unreadable": (
        lambda one: one.server.denied.update(
            {(one.world.line("secret").moid, "layoutEx"): "NoPermission"}
        ),
        Guard.WHOLE_VIEW,
        "secret: this account lacks a privilege",
    ),
    "running point unknown": (
        lambda one: setattr(one.vm, "current", None),
        Guard.PROTECTED,
        "running machine",
    ),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_inv_08_what_must_stay_is_refused_with_guard_and_reason(name: str) -> None:
    change, guard, words = FORBIDDEN[name]
    with site() as one:
        plan = one.plan()
        change(one)
        one.refuses(plan, guard, words)


def test_inv_13_machine_elsewhere_that_may_not_be_read_keeps_the_whole_endpoint_as_it_is() -> None:
    """It shares no datastore with the target, so that a look at the target alone shows no gap."""
    with site() as one:
        plan = one.plan()
        other = one.world.line("secret", store="ds9")
        one.server.denied[other.moid, "layoutEx"] = "NoPermission"
        one.refuses(plan, Guard.WHOLE_VIEW, "secret: this account lacks a privilege")


def test_u11_hold_that_was_added_after_the_review_holds() -> None:
    with site() as one:
        plan = one.plan()
        wish = Wish(
            endpoint="vc1",
            vm=one.vm.moid,
            snapshot=None,
            owner="eve",
            reason="legal case",
            expires_at=None,
        )
        add(State(one.folder), wish, one.world.clock.now())
        one.refuses(plan, Guard.HELD, "legal case")


def test_u12_call_that_the_server_forbids_is_failed_and_never_made_again() -> None:
    with site() as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(refused="MethodDisabled")]
        [outcome] = one.apply(plan).outcomes
        assert outcome.event is Event.FAILED
        assert "MethodDisabled" in outcome.reason
        one.refuses_all(plan, "was carried out already")
        assert first(one)


def test_r1_servers_own_estimate_beyond_what_is_free_is_failed_and_nothing_is_sent() -> None:
    with site() as one:
        plan = one.plan()
        one.server.estimates = {"ds1": 600 * GIB}
        [outcome] = one.apply(plan).outcomes
        assert outcome.event is Event.FAILED
        assert "bytes are needed" in outcome.reason
        assert one.calls == []


# One at a time -----------------------------------------------------------------------------------


def test_r2_inv_18_one_a_machine_one_a_datastore_two_a_host_four_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with site() as one:
        most: list[int] = []
        one.world.hosts += ["host-2", "host-3"]
        for number in range(2, 8):
            other = one.world.line(f"web0{number}", store=f"ds{1 + number // 2}")
            other.host = f"host-{1 + number // 3}"
        begin = one.server.begin

        def beginning(*words: Any) -> Task:
            task = begin(*words)
            most.append(len(one.server.running()))
            return task

        monkeypatch.setattr(one.server, "begin", beginning)
        assert one.ends(one.plan()) == [Event.DONE] * 7
        assert max(most) > 1


# Half way ---------------------------------------------------------------------------------------


STEPS = 16
"""How many steps an undisturbed run has at which it can be killed."""


def steps_of_an_undisturbed_run() -> list[str]:
    with site() as one:
        undisturbed(one, one.plan())
        return one.server.peril.steps


def test_every_step_is_one_to_be_killed_at() -> None:
    assert len(steps_of_an_undisturbed_run()) == STEPS


@pytest.mark.parametrize("at", range(1, STEPS + 1))
@pytest.mark.parametrize("pause", [0, 3600], ids=["at once", "later"])
def test_tst_03_inv_19_killed_at_any_step_it_ends_as_if_it_had_not_been(
    at: int, pause: int
) -> None:
    with site("a", "b") as one:
        plan = one.plan()
        one.keep_only(plan, first(one))
        now = one.vm.reads()
        one.server.peril = Peril(at)
        with pytest.raises(Killed):
            one.apply(plan)
        one.server.peril = Peril()
        one.world.clock.skip(timedelta(seconds=pause))
        one.finish(plan)
        assert [snap.name for snap in one.vm.snaps.values()] == ["b"]
        assert one.calls == ["remove_snapshot"]
        assert one.vm.names() == ["web01.vmdk", "web01-000002.vmdk"]
        assert one.vm.reads() == now


def test_p3_killed_before_the_task_id_was_kept_the_next_run_waits_for_the_task() -> None:
    with site() as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(seconds=120)]
        steps = steps_of_an_undisturbed_run()
        one.server.peril = Peril(steps.index("after the call") + 1)
        with pytest.raises(Killed):
            one.apply(plan)
        assert one.events == [Event.INTENT]
        one.server.peril = Peril()
        report = one.apply(plan)
        assert "it was carried out" in report.settled[0]
        assert one.calls == ["remove_snapshot"]


def test_p4_killed_after_the_task_id_was_kept_the_next_run_follows_that_task() -> None:
    with site() as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(seconds=120)]
        writes = [n for n, s in enumerate(steps_of_an_undisturbed_run(), 1) if "before the w" in s]
        one.server.peril = Peril(writes[1] + 2)
        with pytest.raises(Killed):
            one.apply(plan)
        [task] = one.server.tasks
        assert one.journal.entries[-1].task_id == task
        one.server.peril = Peril()
        assert "it was carried out" in one.apply(plan).settled[0]
        assert one.calls == ["remove_snapshot"]


def test_p5_inv_16_call_that_never_arrived_is_unknown_until_somebody_has_looked() -> None:
    with site() as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(arrives=False)]
        assert one.ends(plan) == [Event.UNKNOWN]
        assert one.calls == []
        report = one.apply(plan)
        assert "nothing had come of it" in report.settled[0]
        assert [outcome.event for outcome in report.outcomes] == [Event.DONE]
        assert one.calls == ["remove_snapshot"]


@pytest.mark.parametrize("pause", [0, 3600], ids=["while it runs", "when it is over"])
def test_p6_inv_16_lost_answer_is_unknown_and_the_call_is_never_made_again(pause: int) -> None:
    with site() as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(answers=False, seconds=60)]
        assert one.ends(plan) == [Event.UNKNOWN]
        one.world.clock.skip(timedelta(seconds=pause))
        report = one.apply(plan)
        assert "it was carried out" in report.settled[0]
        assert report.outcomes == ()
        assert one.calls == ["remove_snapshot"]


def test_p7_task_that_outlasts_all_patience_is_unknown_and_waited_for_by_the_next_run() -> None:
    with site() as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(seconds=200_000)]
        [outcome] = one.apply(plan).outcomes
        assert outcome.event is Event.UNKNOWN
        assert "still runs" in outcome.reason
        report = one.apply(plan)
        assert (report.stopped_because or "").startswith("not settled")
        one.world.clock.skip(timedelta(days=9))
        one.server.settle()
        assert one.calls == ["remove_snapshot"]
        assert one.vm.snaps == {}


def test_p8_success_that_is_none_is_failed() -> None:
    with site() as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(lies=True)]
        [outcome] = one.apply(plan).outcomes
        assert outcome.event is Event.FAILED
        assert outcome.reason.startswith("the platform reported success, and nothing has changed")


@pytest.mark.parametrize(
    "fate",
    [
        Fate(leaves=True),
        Fate(fails="FileLocked", after=1),
        Fate(fails="FileLocked", after=2),
        Fate(fails="RequestCanceled", after=1),
    ],
    ids=repr,
)
def test_p8_p9_what_a_removal_leaves_is_consolidated_once(fate: Fate) -> None:
    with site("a", "b", disks=2) as one:
        plan = one.plan()
        one.keep_only(plan, first(one))
        now = one.vm.reads()
        one.server.fates.queue = [fate]
        assert one.ends(plan) == [Event.DONE]
        assert one.calls == ["remove_snapshot", "consolidate"]
        assert one.vm.reads() == now
        assert [snap.name for snap in one.vm.snaps.values()] == ["b"]
        assert [len(chain) for chain in one.vm.chains.values()] == [2, 2]


def test_p9_consolidation_that_fails_too_is_unknown_and_tried_by_a_later_run_only() -> None:
    with site("a", "b", disks=2) as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(fails="FileLocked", after=2), Fate(fails="FileLocked")]
        report = one.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        assert "the disks do not agree" in report.outcomes[0].reason
        assert "FileLocked" in report.outcomes[0].reason
        assert one.calls == ["remove_snapshot", "consolidate"]
        one.finish(plan)
        assert one.calls == ["remove_snapshot", "consolidate", "consolidate", "remove_snapshot"]
        assert one.vm.names() == ["web01.vmdk"]


def test_inv_08_clone_that_came_meanwhile_forbids_the_consolidation_that_is_left() -> None:
    with site("a", "b") as one:
        plan = one.plan()
        one.keep_only(plan, first(one))
        one.server.fates.queue = [Fate(fails="FileLocked", after=1)]
        one.server.in_a_while(5, lambda: one.world.clone(one.vm))
        [outcome] = one.apply(plan).outcomes
        assert outcome.event is Event.UNKNOWN
        assert "clone" in outcome.reason
        assert one.calls == ["remove_snapshot"]


def test_p10_session_that_ends_while_the_task_runs_is_begun_anew_to_look() -> None:
    with site() as one:
        plan = one.plan()
        one.server.in_a_while(5, lambda: setattr(one.server, "session_over", True))
        undisturbed(one, plan)
        assert one.server.counts["login"] == 1
        assert one.calls == ["remove_snapshot"]


def test_p10_connection_that_is_lost_while_it_runs_is_looked_for_again() -> None:
    with site() as one:
        plan = one.plan()
        one.server.in_a_while(5, lambda: setattr(one.server, "deaf", 3))
        undisturbed(one, plan)
        assert one.calls == ["remove_snapshot"]


def test_p11_vcenter_that_stays_away_is_unknown_and_the_next_run_settles_it() -> None:
    with site() as one:
        plan = one.plan()
        one.server.in_a_while(5, lambda: setattr(one.server, "reachable", False))
        assert one.ends(plan) == [Event.UNKNOWN]
        one.server.reachable = True
        assert "it was carried out" in one.apply(plan).settled[0]
        assert one.calls == ["remove_snapshot"]


def test_p11_vcenter_that_is_down_before_the_run_is_refused() -> None:
    with site() as one:
        plan = one.plan()
        one.server.reachable = False
        assert one.ends(plan) == [Event.REFUSED]
        assert one.calls == []


@pytest.mark.parametrize("at", range(1, 12))
def test_p12_inv_20_nothing_is_sent_once_the_journal_cannot_be_written(at: int) -> None:
    with site("a", "b") as one:
        plan = one.plan()
        one.server.peril = Peril(full=at)
        report = one.apply(plan)
        assert report.stopped_because is not None
        assert len(one.calls) <= 1


def test_p14_after_a_signal_nothing_more_begins_and_what_runs_is_waited_for() -> None:
    with site("a", "b") as one:
        plan = one.plan()
        one.server.in_a_while(5, lambda: os.kill(os.getpid(), signal.SIGTERM))
        report = one.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.DONE]
        assert report.stopped_because == STOPPED
        undisturbed(one, plan)


def test_p14_grd_19_second_signal_leaves_the_task_to_the_next_run_and_cancels_nothing() -> None:
    with site() as one:
        plan = one.plan()
        one.server.fates.queue = [Fate(seconds=3600)]
        for after in (5, 9):
            one.server.in_a_while(after, lambda: os.kill(os.getpid(), signal.SIGINT))
        report = one.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        assert report.stopped_because == STOPPED
        one.world.clock.skip(timedelta(hours=9))
        assert "it was carried out" in one.apply(plan).settled[0]
        assert one.calls == ["remove_snapshot"]


def test_p15_plan_that_expires_during_the_run_sends_nothing_more() -> None:
    with site("a", "b") as one:
        plan = one.plan()
        one.world.clock.skip(timedelta(hours=72, seconds=-5))
        report = one.apply(plan)
        assert report.stopped_because == "the plan has expired"
        assert one.calls == ["remove_snapshot"]


def test_p15_half_done_work_of_an_expired_plan_waits_for_a_person() -> None:
    with site("a", "b") as one:
        plan = one.plan()
        one.keep_only(plan, first(one))
        one.server.fates.queue = [Fate(fails="FileLocked", after=1), Fate(fails="FileLocked")]
        assert one.ends(plan) == [Event.UNKNOWN]
        one.world.clock.skip(timedelta(days=4))
        one.refuses_all(plan, "expired on")
        assert one.vm.consolidation_needed


def test_r4_r5_space_that_goes_during_the_run_stops_everything_that_has_not_begun() -> None:
    with site("a", "b") as one:
        plan = one.plan()
        one.server.in_a_while(15, lambda: setattr(one.world.stores["ds1"], "free", 5 * GIB))
        report = one.apply(plan)
        assert "less free than its reserve" in (report.stopped_because or "")
        assert one.calls == ["remove_snapshot"]
        assert len(one.vm.snaps) == 1


def test_inv_05_sibling_that_is_lost_meanwhile_stops_the_run() -> None:
    with site("a", "b", "c") as one:
        plan = one.plan()
        one.keep_only(plan, first(one))
        one.server.in_a_while(25, lambda: one.delete_by_hand())
        report = one.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        assert "is gone too" in report.outcomes[0].reason


def test_u1_machine_that_vanishes_between_pages_is_no_gap() -> None:
    with site() as one:
        other = one.world.line("web02")
        one.server.page = 1
        one.server.between = lambda: one.world.vms.pop(other.moid)
        plan = one.plan()
        assert one.read(plan).managers[0].state == "complete"
        undisturbed(one, plan)


def test_limits_of_a_small_run_are_the_cores_own() -> None:
    with site("a", "b") as one:
        one.limits = replace(one.limits, max_actions=1)
        one.refuses_all(one.plan(), "max_actions")
