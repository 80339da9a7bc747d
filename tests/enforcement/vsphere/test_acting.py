"""What reaches a vCenter, and when: nothing before a person said so, and each call once."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.simulator import Simulator
from tests.beds.soapline import Deed, SoapTrouble
from tests.cli.running import ended
from tests.enforcement.vsphere.lab import CONSOLIDATE, REMOVE, Lab, laboratory, part

pytestmark = pytest.mark.bed


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A vCenter with one machine and three snapshots, of which the middle one is to go."""
    with laboratory(tmp_path) as made:
        made.machine("web01", "a", "b", "c", disks=[{"capacity": 40 << 30}, {"capacity": 8 << 30}])
        yield made


@pytest.fixture
def plan(lab: Lab) -> Path:
    """To delete ``b`` and nothing else."""
    made = lab.plan()
    lab.keep_only(made, "web01/b")
    assert lab.changes() == []
    return made


def is_done(lab: Lab, *, removals: int = 1) -> None:
    """The snapshot is gone, its siblings stay, and the wire has seen nothing else."""
    found = lab.look("web01")
    assert [one["name"] for one in found["snapshots"]] == ["a", "c"]
    assert found["snapshots"][1]["parent"] == lab.moids["web01/a"]
    assert [len(chain) for chain in found["chains"].values()] == [3, 3]
    assert lab.chain("web01") == ["web01.vmdk", "web01-000001.vmdk", "web01-000003.vmdk"]
    assert not found["consolidation_needed"]
    assert lab.changes() == [lab.removal("web01/b")] * removals


# As it should go --------------------------------------------------------------------------------


def test_inv_04_the_snapshot_is_gone_its_siblings_stay_and_one_call_was_sent(
    lab: Lab, plan: Path
) -> None:
    ran = lab.apply(plan)
    assert ran.code == 0, ran.out + ran.err
    is_done(lab)
    [call] = lab.line.counts.changes
    assert re.findall(rb"<removeChildren[^>]*>(\w+)<", call.body) == [b"false"]
    assert re.findall(rb"<consolidate[^>]*>(\w+)<", call.body) == [b"true"]
    again = lab.apply(plan)
    assert again.code == 4
    assert "was carried out already" in again.err
    is_done(lab)


def test_inv_12_tst_06_planning_and_reviewing_send_only_calls_that_read(lab: Lab) -> None:
    plan = lab.plan()
    lab.keep_only(plan, "web01/b")
    for words in (("--plan", str(plan)), ("--worst", "1")):
        assert lab.run("enforce", *words).code == 0
    assert lab.line.counts.arrived["RetrievePropertiesEx"] > 1
    assert lab.changes() == []


def test_u8_a_line_goes_oldest_first_one_after_the_other(lab: Lab) -> None:
    plan = lab.plan()
    lab.keep_only(plan, "web01/a", "web01/b")
    ran = lab.apply(plan)
    assert ran.code == 0, ran.out + ran.err
    assert lab.changes() == [lab.removal("web01/a"), lab.removal("web01/b")]
    assert lab.snapshots("web01") == ["c"]


def test_single_host_is_cleaned_up_the_same_way(tmp_path: Path) -> None:
    with laboratory(tmp_path, esx=True) as lab:
        lab.machine("web01", "a", "b")
        plan = lab.plan()
        lab.keep_only(plan, "web01/a")
        ran = lab.apply(plan)
        assert ran.code == 0, ran.out + ran.err
        assert lab.snapshots("web01") == ["b"]
        assert lab.changes() == [lab.removal("web01/a")]


def test_disks_that_need_consolidation_are_consolidated_by_one_call(tmp_path: Path) -> None:
    with laboratory(tmp_path) as lab:
        moid = lab.machine("web01", "a", "b")
        lab.simulator.tell("remove", vm="web01", snapshot="a", half=True)
        plan = lab.plan()
        assert [action["kind"] for action in part(plan, "actions")] == ["consolidate"]
        ran = lab.apply(plan)
        assert ran.code == 0, ran.out + ran.err
        assert lab.changes() == [(CONSOLIDATE, moid)]
        assert lab.snapshots("web01") == ["b"]
        assert lab.chain("web01") == ["web01.vmdk", "web01-000002.vmdk"]


# Answers that are lost --------------------------------------------------------------------------


@pytest.mark.parametrize("deed", [Deed.LOSE, Deed.RESET])
def test_p6_inv_16_lost_answer_is_unknown_and_the_next_run_settles_it_without_a_call(
    lab: Lab, plan: Path, deed: Deed
) -> None:
    lab.line.make(SoapTrouble(deed=deed, method=REMOVE))
    ran = lab.apply(plan)
    assert ran.code == 5, ran.out + ran.err
    assert "unknown" in ran.out
    assert lab.events()[-1] == "unknown"
    again = lab.apply(plan)
    assert "it was carried out" in again.out, again.out + again.err
    is_done(lab)
    assert lab.line.counts.passed[REMOVE] == 1


def test_p7_answer_that_never_comes_is_unknown_at_the_deadline(lab: Lab) -> None:
    lab.configure(more="    deadline: 3s\n")
    plan = lab.plan()
    lab.keep_only(plan, "web01/b")
    lab.line.make(SoapTrouble(deed=Deed.HANG, method=REMOVE))
    ran = lab.apply(plan)
    assert ran.code == 5, ran.out + ran.err
    lab.line.calm()
    assert "it was carried out" in lab.apply(plan).out
    is_done(lab)


def test_p5_call_that_never_arrived_is_meant_again_only_after_somebody_has_looked(
    lab: Lab, plan: Path
) -> None:
    lab.line.make(SoapTrouble(deed=Deed.KEEP, method=REMOVE))
    ran = lab.apply(plan)
    assert ran.code == 5, ran.out + ran.err
    assert lab.snapshots("web01") == ["a", "b", "c"]
    again = lab.apply(plan)
    assert again.code == 0, again.out + again.err
    assert "nothing had come of it" in again.out
    assert lab.events().count("intent") == 2
    assert lab.line.counts.passed[REMOVE] == 1
    is_done(lab, removals=2)


# Sessions ---------------------------------------------------------------------------------------


def test_p10_session_that_ends_in_the_middle_is_begun_anew_to_look_alone(
    lab: Lab, plan: Path
) -> None:
    with lab.under_way(plan) as process:
        before = lab.line.counts.arrived["Login"]
        assert lab.simulator.tell("expire")["sessions"]
        lab.until(lambda: lab.line.counts.arrived["Login"] > before, process, "a new session")
        lab.let_go()
        ran = ended(process)
    assert ran.code == 0, ran.out + ran.err
    is_done(lab)


def test_p10_session_that_ends_at_the_very_call_is_failed_and_never_sent_again(
    lab: Lab, plan: Path
) -> None:
    lab.line.make(SoapTrouble(deed=Deed.FAULT, method=REMOVE, fault="NotAuthenticated"))
    ran = lab.apply(plan)
    assert ran.code == 5, ran.out + ran.err
    assert "NotAuthenticated" in ran.out
    assert lab.events()[-1] == "failed"
    assert lab.changes() == [lab.removal("web01/b")]
    assert lab.line.counts.passed[REMOVE] == 0
    assert lab.snapshots("web01") == ["a", "b", "c"]


# What the server does with it --------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["MethodDisabled", "TaskInProgress", "NoPermission"])
def test_u12_call_that_the_server_refuses_is_failed_with_its_reason(
    lab: Lab, plan: Path, fault: str
) -> None:
    lab.simulator.tell("fault", method=REMOVE, fault=fault, at="call")
    ran = lab.apply(plan)
    assert ran.code == 5, ran.out + ran.err
    assert fault in ran.out
    assert lab.events()[-1] == "failed"
    assert lab.changes() == [lab.removal("web01/b")]


def test_p9_task_that_fails_before_it_did_anything_is_failed(lab: Lab, plan: Path) -> None:
    lab.simulator.tell("fault", method=REMOVE, fault="FileLocked")
    ran = lab.apply(plan)
    assert ran.code == 5, ran.out + ran.err
    assert "FileLocked" in ran.out
    assert lab.snapshots("web01") == ["a", "b", "c"]
    assert lab.changes() == [lab.removal("web01/b")]


@pytest.mark.parametrize("fault", ["FileLocked", "NoDiskSpace", ""])
def test_p8_p9_deltas_that_a_removal_leaves_are_consolidated_by_one_call(
    lab: Lab, plan: Path, fault: str
) -> None:
    lab.simulator.tell("fault", method=REMOVE, fault=fault, half=True)
    ran = lab.apply(plan)
    assert ran.code == 0, ran.out + ran.err
    assert lab.changes() == [lab.removal("web01/b"), (CONSOLIDATE, lab.moids["web01"])]
    lab.line.counts.changes.pop()
    is_done(lab)


def test_p9_consolidation_that_fails_too_is_unknown_and_tried_by_the_next_run(
    lab: Lab, plan: Path
) -> None:
    lab.simulator.tell("fault", method=REMOVE, fault="FileLocked", half=True)
    lab.simulator.tell("fault", method=CONSOLIDATE, fault="FileLocked")
    ran = lab.apply(plan)
    assert ran.code == 5, ran.out + ran.err
    assert "FileLocked" in ran.out
    assert len(lab.changes()) == 2
    again = lab.apply(plan)
    assert again.code == 0, again.out + again.err
    assert lab.changes()[2:] == [(CONSOLIDATE, lab.moids["web01"])]
    assert lab.snapshots("web01") == ["a", "c"]


def test_p3_task_that_the_server_forgot_is_settled_by_what_is_seen(lab: Lab, plan: Path) -> None:
    lab.line.make(SoapTrouble(deed=Deed.LOSE, method=REMOVE))
    assert lab.apply(plan).code == 5
    lab.simulator.tell("forget-tasks")
    assert "it was carried out" in lab.apply(plan).out
    is_done(lab)


def test_r1_servers_own_estimate_beyond_what_is_free_keeps_the_call_back(lab: Lab) -> None:
    """What our own reckoning lets through, a full base taking no more than it lacks."""
    lab.machine("full", "old", disks=[{"capacity": 40 << 30, "thick": True}])
    plan = lab.plan()
    lab.keep_only(plan, "full/old")
    lab.simulator.tell("set", object="datastore1", path="summary.freeSpace", value=1 << 29)
    ran = lab.apply(plan)
    assert ran.code == 5, ran.out + ran.err
    assert "bytes are needed" in ran.out
    assert lab.changes() == []


# Signals, and who answers ------------------------------------------------------------------------


def test_grd_19_an_interrupt_lets_the_task_end_and_cancels_nothing(lab: Lab) -> None:
    plan = lab.plan()
    lab.keep_only(plan, "web01/a", "web01/b")
    with lab.under_way(plan) as process:
        second = lab.apply(plan)
        os.killpg(process.pid, signal.SIGINT)
        lab.let_go()
        ran = ended(process)
    assert ran.code == 130, ran.out + ran.err
    assert second.code == 4
    assert f"process {process.pid}" in second.err
    assert lab.changes() == [lab.removal("web01/a")]
    ran = lab.apply(plan)
    assert ran.code == 0, ran.out + ran.err
    assert lab.changes() == [lab.removal("web01/a"), lab.removal("web01/b")]


def test_i5_another_vcenter_behind_the_address_is_refused(lab: Lab, plan: Path) -> None:
    with Simulator(uuid="99999999-2222-4333-8444-555555555555") as other:
        lab.lead_to(other)
        ran = lab.apply(plan)
    assert ran.code == 4, ran.out + ran.err
    assert "another manager now" in ran.err
    assert lab.changes() == []


def test_i5_address_that_leads_to_another_vcenter_during_the_run_gets_no_further_call(
    lab: Lab,
) -> None:
    plan = lab.plan()
    lab.keep_only(plan, "web01/a", "web01/b")
    uuid = "99999999-2222-4333-8444-555555555555"
    with Simulator(uuid=uuid) as other, lab.under_way(plan) as process:
        lab.lead_to(other)
        lab.line.make(SoapTrouble(deed=Deed.RESET, method="RetrievePropertiesEx"))
        ran = ended(process)
    assert ran.code == 5, ran.out + ran.err
    assert "unknown" in ran.out
    assert lab.changes() == [lab.removal("web01/a")]


def test_grd_35_nobody_deletes_over_a_connection_that_proves_nothing(lab: Lab) -> None:
    lab.configure(tls="{verify: false}")
    plan = lab.plan()
    assert part(plan, "actions") == []
    assert {one["guard"] for one in part(plan, "refusals")} == {"verified-connection"}
    ran = lab.apply(plan)
    assert ran.code in (2, 4)
    assert lab.changes() == []
