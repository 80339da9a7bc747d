"""TST-03 on a vCenter: the tool is killed at every entry of its journal, and in mid-task."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import ended
from tests.enforcement.dying import Moment
from tests.enforcement.vsphere.lab import REMOVE, Lab, laboratory

pytestmark = pytest.mark.bed
# Entries: what is meant, that it was sent, how it ended.
POINTS = [
    *((Moment.TORN, 1), (Moment.AFTER, 1)),
    *((Moment.BEFORE, 2), (Moment.TORN, 2), (Moment.AFTER, 2)),
    *((Moment.BEFORE, 3), (Moment.TORN, 3)),
]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A vCenter with one machine and two snapshots, of which the older one is to go."""
    with laboratory(tmp_path) as made:
        made.machine("web01", "a", "b")
        yield made


@pytest.fixture
def plan(lab: Lab) -> Path:
    made = lab.plan()
    lab.keep_only(made, "web01/a")
    return made


def is_done(lab: Lab) -> None:
    assert lab.snapshots("web01") == ["b"]
    assert lab.chain("web01") == ["web01.vmdk", "web01-000002.vmdk"]
    assert lab.changes() == [lab.removal("web01/a")]
    assert lab.run("journal", "verify").code == 0


@pytest.mark.parametrize(("moment", "at"), POINTS)
def test_tst_03_inv_19_killed_at_any_entry_it_ends_as_if_it_had_not_been(
    lab: Lab, plan: Path, moment: Moment, at: int
) -> None:
    assert lab.dies(plan, moment, at)
    lab.finish(plan)
    is_done(lab)


def test_tst_03_inv_19_killed_in_mid_task_it_leaves_it_going_and_the_next_run_waits_for_its_end(
    lab: Lab, plan: Path
) -> None:
    with lab.under_way(plan) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert lab.snapshots("web01") == ["a", "b"]
        looks = lab.line.counts.arrived["Login"]
        with lab.going_on(plan) as second:
            lab.until(lambda: lab.line.counts.arrived["Login"] > looks, second, "it has begun")
            lab.let_go()
            ran = ended(second)
    assert ran.code == 0, ran.out + ran.err
    assert "it was carried out" in ran.out
    is_done(lab)


def test_p3_killed_before_the_answer_came_the_task_is_found_by_its_machine(
    lab: Lab, plan: Path
) -> None:
    """Nobody kept the task's id: the machine itself shows that something goes on."""
    lab.simulator.tell("taking", seconds=3)
    assert lab.dies(plan, Moment.BEFORE, 2)
    assert lab.events() == ["intent"]
    assert lab.line.counts.passed[REMOVE] == 1
    lab.finish(plan)
    assert "it was carried out" in str(lab.journal()[-1]["detail"])
    is_done(lab)


def test_p14_second_interrupt_leaves_the_task_to_the_next_run(lab: Lab, plan: Path) -> None:
    with lab.under_way(plan) as process:
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)
            lab.until_quiet(process)
        ran = ended(process)
        assert ran.code == 130, ran.out + ran.err
        assert lab.snapshots("web01") == ["a", "b"]
    lab.finish(plan)
    is_done(lab)
