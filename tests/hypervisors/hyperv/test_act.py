"""The hand on Hyper-V: a removal that the host checks itself, and a merge that is only watched."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from snapaudit.errors import CallRefused, HypervisorError, Unreachable, UsageError
from snapaudit.hypervisors.hyperv import calls
from snapaudit.hypervisors.hyperv.vigil import IGNORED, LATEST, STALLED
from snapaudit.model.acting import Call, Phase
from snapaudit.model.plan import VmId
from snapaudit.model.policy import Remedy
from snapaudit.ports import Stoppable
from tests.beds.wsman.estate import GIB, MERGE_FAILED, Fate
from tests.hypervisors.hyperv.handling import Bench, a_hand, bench

# Looking ----------------------------------------------------------------------------------------


def test_grd_35_no_hand_is_made_where_nobody_proves_who_answers() -> None:
    with bench() as one:
        one.site.is_verified = False
        with pytest.raises(UsageError, match="nobody proves who answers"):
            a_hand(one.site, one.clock)
        assert one.site.asked == []


def test_grd_12_a_clone_on_another_node_is_seen_when_one_machine_is_looked_at() -> None:
    with bench(is_cluster=True) as one:
        one.estate.clone(one.vm, "clone").node = "HV3"
        seen = one.seen()
        [vm] = seen.virtual_machines
        assert [row[0] for row in one.site.asked] == ["HV1", "HV2", "HV3"]
        assert vm.is_template
        snapshot = next(shot for shot in vm.snapshots if shot.id == one.target.id)
        assert any(word.startswith("branched") for word in snapshot.protections)


def test_a_machine_that_is_gone_is_not_in_what_is_seen() -> None:
    with bench() as one:
        one.estate.bystander()
        assert one.hand.observe(VmId("11111111-2222-4333-8444-555555555555")).virtual_machines == ()


def test_one_removal_is_due_and_it_says_all_that_its_target_is() -> None:
    with bench() as one:
        call = one.call()
        assert (call.name, call.completes, call.follows) == ("remove-checkpoint", False, False)
        assert all(isinstance(value, str) for value in call.about.values())
        target = json.loads(calls.about(call, "target"))
        [child] = target["children"]
        assert child in one.vm.checkpoints
        assert target["files"] == [one.target.drives[0]]
        assert target["disks"] == [
            {"label": "SCSI 0:0", "paths": one.estate.chain(one.vm.drives[0])}
        ]
        assert calls.listed(call, "gone") == one.estate.on(one.target.drives[0])
        assert calls.mapped(call, "live") == {"SCSI 0:0": one.vm.drives[0]}


def test_last_checkpoint_of_a_line_brings_the_slot_back_to_what_it_froze() -> None:
    with bench("only") as one:
        call = one.call()
        assert calls.mapped(call, "live") == {"SCSI 0:0": one.target.drives[0]}
        assert calls.listed(call, "gone") == [one.vm.drives[0]]


def test_grd_24_a_removal_that_was_made_is_never_due_again() -> None:
    with bench() as one:
        seen = one.seen()
        action = one.action(seen)
        call = one.hand.next_call(action, seen, ())
        assert call is not None
        assert one.hand.next_call(action, seen, (call,)) is None


@pytest.mark.parametrize("kind", [Remedy.CONSOLIDATE])
def test_merging_by_hand_is_no_way_here(kind: Remedy) -> None:
    with bench() as one:
        seen = one.seen()
        assert one.hand.next_call(one.action(seen, kind), seen, ()) is None


def test_inv_02_another_checkpoint_under_the_id_is_not_meant() -> None:
    with bench() as one:
        action = one.action(one.seen())
        one.target.created_at += timedelta(seconds=1)
        seen = one.seen()
        assert one.hand.next_call(action, seen, ()) is None


def test_what_was_not_read_last_says_nothing_about_what_comes_next() -> None:
    with bench() as one:
        seen = one.seen()
        action = one.action(seen)
        one.seen()
        with pytest.raises(HypervisorError, match="not what was last read"):
            one.hand.next_call(action, seen, ())


def test_no_merge_can_be_stopped_here() -> None:
    with bench() as one:
        assert not isinstance(one.hand, Stoppable)


# Sending ----------------------------------------------------------------------------------------


def test_inv_04_removal_takes_one_checkpoint_and_those_on_it_stay() -> None:
    with bench("a", "b", "c") as one:
        target, others = one.target, list(one.vm.checkpoints)[1:]
        one.sent()
        assert one.site.sent == [target.id]
        assert list(one.vm.checkpoints) == others
        assert one.vm.checkpoints[others[0]].parent is None


def test_grd_24_second_call_for_a_machine_is_refused_while_the_first_is_under_way() -> None:
    with bench() as one:
        call = one.sent()
        with pytest.raises(CallRefused, match="still under way"):
            one.hand.send(call)
        assert len(one.site.sent) == 1


def move(one: Bench) -> None:
    one.vm.node = "HV2"


def stand_on(one: Bench) -> None:
    """Another checkpoint on the same, as after going back to it."""
    one.estate.take(one.vm, "c").parent = one.target.id


CHANGES: dict[str, tuple[Callable[[Bench], object], str]] = {
    "renamed": (lambda one: setattr(one.target, "name", "x'; y"), "name differs"),
    "described anew": (lambda one: setattr(one.target, "notes", "keep"), "notes differs"),
    "taken again": (lambda one: one.estate.retake(one.vm, one.target), "there are 0 checkpoints"),
    "other date": (
        lambda one: setattr(one.target, "created_at", one.clock.now()),
        "creation differs",
    ),
    "other type": (lambda one: setattr(one.target, "type", "Recovery"), "type differs"),
    "automatic": (lambda one: setattr(one.target, "automatic", True), "it is automatic"),
    "other children": (stand_on, "children differs"),
    "other chain": (lambda one: one.estate.take(one.vm, "c"), "disks differs"),
    "backup": (lambda one: one.vm.busy.append(32776), "its machine's status"),
    "saved": (lambda one: setattr(one.vm, "state", 6), "its machine's state"),
    "replica": (lambda one: setattr(one.vm, "replication", 2), "replication mode"),
    "machine gone": (lambda one: one.estate.vms.clear(), "left the checkpoint alone"),
    "moved": (move, "left the checkpoint alone"),
    "host down": (lambda one: one.estate.down.add("hv1"), "nothing was sent"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_inv_02_whatever_changed_since_the_call_was_decided_upon_keeps_it_back(
    change: str,
) -> None:
    with bench(is_cluster=True) as one:
        call = one.call()
        happens, words = CHANGES[change]
        happens(one)
        with pytest.raises(CallRefused, match=words):
            one.hand.send(call)
        assert one.site.sent == []
        assert one.estate.merges == []


def test_what_was_refused_may_be_decided_upon_anew() -> None:
    with bench() as one:
        call = one.call()
        one.vm.busy.append(32776)
        with pytest.raises(CallRefused):
            one.hand.send(call)
        one.vm.busy.clear()
        one.hand.send(one.call())
        assert len(one.site.sent) == 1


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        (Fate(answers=False), "connection was lost"),
        (Fate(arrives=False), "connection was lost"),
        (Fate(cut=1), "the answer was cut"),
        (Fate(cut=2), "the answer was cut"),
        (Fate(throws=True), "what became of the removal is not clear"),
        (Fate(arrives=False, throws=True), "what became of the removal is not clear"),
    ],
)
def test_inv_16_whoever_cannot_know_whether_it_was_removed_does_not_call_it_refused(
    fate: Fate, words: str
) -> None:
    with bench() as one:
        one.estate.fates = [fate]
        call = one.call()
        with pytest.raises(HypervisorError, match=words) as told:
            one.hand.send(call)
        assert not isinstance(told.value, CallRefused)


def test_another_call_is_none_of_ours() -> None:
    with bench() as one:
        call = one.call()
        with pytest.raises(CallRefused, match="no such call"):
            one.hand.send(replace(call, name="merge-by-path"))
        assert one.scripts == ["collect"]


def test_i5_another_manager_by_now_keeps_it_back() -> None:
    with bench() as one:
        call = one.call()
        one.estate.uuid = "another"
        one.seen()
        with pytest.raises(CallRefused, match="another manager answers"):
            one.hand.send(call)
        assert "remove" not in one.scripts


def test_a_node_that_nobody_reached_gets_nothing() -> None:
    with bench() as one:
        call = one.call()
        with pytest.raises(CallRefused, match="nobody knows the way to node hv9"):
            one.hand.send(replace(call, about={**call.about, "node": "hv9"}))
        assert "remove" not in one.scripts


def test_removal_runs_on_the_node_that_owns_the_machine() -> None:
    with bench(is_cluster=True, node="HV3") as one:
        call = one.sent()
        one.watched(call, 3600)
        assert {node for node, script, _ in one.site.asked if script != "collect"} == {"HV3"}


# Watching ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("disks", [1, 2])
def test_merge_runs_until_files_are_gone_and_slots_are_back(disks: int) -> None:
    with bench("only", disks=disks) as one:
        bases = dict(one.target.drives)
        call = one.sent()
        found = one.hand.watch(call, None)
        assert (found.phase, found.total_bytes) == (Phase.RUNNING, disks * GIB)
        assert one.watched(call, 3600).phase is Phase.OVER
        assert one.vm.drives == bases
        assert one.estate.merges == []


def test_a_merge_that_has_not_begun_is_under_way_as_long_as_its_files_are_there() -> None:
    with bench() as one:
        one.estate.fates = [Fate(waits=STALLED / 2)]
        call = one.sent()
        assert one.estate.statuses(one.vm) == [2]
        assert one.watched(call, STALLED / 3).phase is Phase.RUNNING
        assert one.watched(call, 3600).phase is Phase.OVER


def test_a_merge_that_the_log_calls_failed_has_failed_with_its_words() -> None:
    with bench() as one:
        one.estate.fates = [Fate(fails=0)]
        found = one.watched(one.sent(), 3600)
        assert found.phase is Phase.FAILED
        assert "event 19100" in (found.reason or "")
        assert "cannot access the file" in (found.reason or "")
        assert "is still there" in (found.reason or "")


def test_r2_full_volume_is_told_with_what_is_left_on_it() -> None:
    with bench() as one:
        call = one.sent()
        one.estate.volume.free = 12
        assert "12 bytes free" in (one.watched(call, 3600).reason or "")


def test_failures_of_others_and_of_earlier_times_are_not_this_ones() -> None:
    with bench() as one:
        before = one.clock.now() - timedelta(seconds=1)
        one.estate.events.append((MERGE_FAILED, before, [one.vm.name, one.vm.id]))
        call = one.sent()
        other = "11111111-2222-4333-8444-555555555555"
        one.estate.events.append((MERGE_FAILED, one.clock.now(), ["web01", other]))
        one.estate.events.append((19070, one.clock.now(), ["web01", one.vm.id]))
        assert one.watched(call, 3600).phase is Phase.OVER


def test_a_failure_that_was_made_good_is_none() -> None:
    with bench() as one:
        call = one.sent()
        at = one.clock.now() + timedelta(seconds=1)
        one.estate.events.append((MERGE_FAILED, at, [one.vm.name, one.vm.id]))
        one.estate.events.append((19080, at + timedelta(seconds=1), [one.vm.name, one.vm.id]))
        one.clock.skip(timedelta(seconds=3))
        assert one.hand.watch(call, None).phase is Phase.RUNNING


def test_r4_merge_that_never_begins_has_failed_after_a_while_and_not_before() -> None:
    with bench() as one:
        one.estate.fates = [Fate(stalls=True)]
        call = one.sent()
        assert one.watched(call, STALLED - LATEST).phase is Phase.RUNNING
        found = one.watched(call, 3600)
        assert found.phase is Phase.FAILED
        assert "nothing has changed for 300 s" in (found.reason or "")


def test_what_a_guest_writes_is_no_progress_of_a_merge() -> None:
    with bench("only") as one:
        one.estate.fates = [Fate(stalls=True)]
        call = one.sent()
        top = one.estate.files[one.vm.drives[0]]
        for minute in range(12):
            one.estate.in_a_while(60 * minute, lambda: setattr(top, "size", top.size + GIB))
        assert one.watched(call, STALLED + 3 * LATEST).phase is Phase.FAILED


def test_what_grows_below_is_progress() -> None:
    with bench() as one:
        one.estate.fates = [Fate(stalls=True)]
        call = one.sent()
        held = one.estate.files[calls.listed(call, "held")[0]]
        for minute in range(60):
            one.estate.in_a_while(60 * minute, lambda: setattr(held, "size", held.size + 1))
        assert one.watched(call, 3 * STALLED).phase is Phase.RUNNING


def test_a_checkpoint_that_stays_although_it_was_called_removed_has_failed_soon() -> None:
    with bench() as one:
        one.estate.fates = [Fate(lies=True)]
        found = one.watched(one.sent(), 3 * IGNORED)
        assert found.phase is Phase.FAILED
        assert "the checkpoint is still listed" in (found.reason or "")


def test_what_is_over_stays_over_and_what_failed_stays_so_without_another_look() -> None:
    with bench() as one:
        one.estate.fates = [Fate(lies=True)]
        call = one.sent()
        failed, looks = one.watched(call, 3 * IGNORED), len(one.scripts)
        assert one.hand.watch(call, None) == failed
        assert len(one.scripts) == looks


def test_slots_that_hold_another_file_are_not_where_they_should_be() -> None:
    with bench("only") as one:
        call = one.sent()
        one.clock.skip(timedelta(minutes=5))
        one.estate.settle()
        one.vm.drives = {1: one.vm.drives[0]}
        found = one.watched(call, 3600)
        assert found.phase is Phase.FAILED
        assert "SCSI 0:0 has another file" in (found.reason or "")


def test_looks_become_rarer_and_each_is_one_short_script() -> None:
    with bench() as one:
        one.estate.fates = [Fate(seconds=3600)]
        call = one.sent()
        assert one.watched(call, 3000).phase is Phase.RUNNING
        looks = one.scripts.count("watch")
        assert 3000 / LATEST <= looks < 3000 / LATEST + 10


def test_a_machine_that_moved_in_the_middle_of_its_merge_is_found_on_its_new_node() -> None:
    with bench(is_cluster=True) as one:
        call = one.sent()
        one.estate.in_a_while(10, lambda: move(one))
        assert one.watched(call, 3600).phase is Phase.OVER
        assert ("HV2", "watch") in {(node, script) for node, script, _ in one.site.asked}


def test_c1_a_machine_that_may_be_on_a_node_that_is_down_is_not_taken_for_gone() -> None:
    with bench(is_cluster=True) as one:
        call = one.sent()
        move(one)
        one.estate.down.add("hv2")
        with pytest.raises(HypervisorError, match="its machine may be on hv2"):
            one.hand.watch(call, None)


def test_a_machine_that_is_nowhere_is_left_to_the_next_reading() -> None:
    with bench(is_cluster=True) as one:
        call = one.sent()
        one.estate.vms.clear()
        assert one.hand.watch(call, None).phase is Phase.OVER


def test_a_host_that_cannot_be_asked_is_no_end_of_a_merge() -> None:
    with bench() as one:
        call = one.sent()
        one.estate.down.add("hv1")
        with pytest.raises(Unreachable):
            one.hand.watch(call, None)
        one.estate.down.clear()
        assert one.watched(call, 3600).phase is Phase.OVER


def test_a_folder_that_cannot_be_looked_into_proves_nothing() -> None:
    with bench() as one:
        call = one.sent()
        one.clock.skip(timedelta(minutes=5))
        one.estate.hidden = True
        with pytest.raises(HypervisorError, match="0x80070005"):
            one.hand.watch(call, None)


def test_inv_19_call_of_another_process_is_watched_by_what_it_says_of_itself() -> None:
    with bench() as one:
        call = one.sent()
        stored = Call(name=call.name, about=json.loads(json.dumps(dict(call.about))))
        one.hand = one.another_hand()
        assert one.hand.watch(stored, None).phase is Phase.RUNNING
        assert one.watched(stored, 3600).phase is Phase.OVER


def test_closing_ends_nothing() -> None:
    with bench() as one:
        one.sent()
        asked = len(one.site.asked)
        one.hand.close()
        assert len(one.site.asked) == asked
        assert one.estate.merges
