"""The stop button: a merge by hand that its tool has left is taken back, on real QEMU."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from snapaudit.model.journal import Event
from tests.beds.guests import Life
from tests.beds.processes import wait_until
from tests.enforcement.killing import Lab, Scene, Stage, applying, lab, staged

pytestmark = pytest.mark.bed
OPTIONS = {"merge": "manual", "merge_rate": "1MiB"}
RESOLVE = ("journal", "resolve", "--reason", "too slow", "--outcome", "abandoned", "--stop-merge")


@pytest.fixture(scope="module")
def here() -> Iterator[Lab]:
    with lab() as made:
        yield made


@dataclass(frozen=True)
class Left:
    """A merge that goes on although the tool that began it is dead, and how all was before."""

    stage: Stage
    plan: Path
    contents: str
    chain: list[Path]
    sibling: str

    @property
    def action(self) -> str:
        return self.stage.entries[0].action_id

    @property
    def job(self) -> dict[str, int]:
        found: dict[str, int] = self.stage.guest.domain.blockJobInfo("vda", 0)
        return found

    @property
    def last(self) -> str:
        return str(self.stage.entries[-1].event)

    def outcomes(self) -> list[object]:
        return [one.detail["outcome"] for one in self.stage.entries if one.event is Event.RESOLVED]


@contextmanager
def left_merging(here: Lab, target: str = "s2", mib: int = 8) -> Iterator[Left]:
    """Killed in the middle of the merge."""
    scene = Scene(Life.RUNNING, external=True, target=target, options=OPTIONS, mib=mib)
    with staged(here, scene) as stage:
        chain, plan = stage.chain(), stage.plan()
        left = Left(stage, plan, stage.contents(chain[-1]), chain, _frozen(stage, chain))
        tool = stage.start(*applying(plan))
        wait_until(lambda: bool(left.job.get("cur")), 30, "the merge copies")
        wait_until(lambda: left.last == "submitted", 10, "the call is written down")
        tool.send_signal(signal.SIGKILL)
        tool.communicate(timeout=10)
        assert left.job
        yield left


def _frozen(stage: Stage, chain: list[Path]) -> str:
    """What the snapshot froze that is not deleted."""
    (at,) = (n for n, path in enumerate(chain) if path.suffix == f".{stage.scene.sibling}")
    return stage.contents(chain[at - 1])


def names(left: Left) -> set[str]:
    return {str(name) for name in left.stage.guest.domain.snapshotListNames()}


@pytest.mark.parametrize("target", ["s2", "s1"], ids=["top", "middle"])
def test_grd_19_a_person_stops_a_merge_and_the_machine_is_as_before(here: Lab, target: str) -> None:
    with left_merging(here, target) as left:
        ran = left.stage.run(*RESOLVE, left.action, "--yes")
        assert ran.returncode == 0, ran.stderr
        assert "Never revert to it" in ran.stdout
        assert left.job == {}
        assert left.stage.chain() == left.chain
        assert left.stage.contents(left.chain[-1]) == left.contents
        assert names(left) == {"s1", "s2"}
        assert left.outcomes() == ["continue", "abandoned"]
        assert left.stage.meant() == {"commit": 1, "abort": 1}
        assert left.stage.sent() == {"commit": 1, "pivot": 1}  # the same procedure, without pivot
        again = left.stage.apply(left.plan)
        assert "was carried out already" in again.stderr


def test_a_snapshot_whose_merge_was_stopped_is_deleted_by_a_later_plan(here: Lab) -> None:
    with left_merging(here, mib=2) as left:
        left.stage.run(*RESOLVE, left.action, "--yes", expect=0)
        left.plan.unlink()
        left.stage.run("enforce", expect=0)
        (later,) = left.plan.parent.glob("*.json")
        left.stage.finish(later)
        assert names(left) == {"s1"}
        assert len(left.stage.chain()) == len(left.chain) - 1
        assert left.stage.contents(left.stage.chain()[-1]) == left.contents
        end = left.stage.end()
        assert (end.contents, end.sibling) == (left.contents, left.sibling)


def test_grd_19_without_a_yes_the_merge_goes_on(here: Lab) -> None:
    with left_merging(here) as left:
        written = len(left.stage.entries)
        ran = left.stage.run(*RESOLVE, left.action)
        assert ran.returncode == 2
        assert "add --yes" in ran.stderr
        assert left.job
        assert len(left.stage.entries) == written


def test_grd_19_while_its_tool_still_watches_a_merge_is_not_stopped(here: Lab) -> None:
    scene = Scene(Life.RUNNING, external=True, target="s2", options=OPTIONS, mib=4)
    with staged(here, scene) as stage:
        plan = stage.plan()
        tool = stage.start(*applying(plan))
        domain = stage.guest.domain
        wait_until(lambda: bool(domain.blockJobInfo("vda", 0)), 30, "the merge runs")
        ran = stage.run(*RESOLVE, stage.entries[0].action_id, "--yes", expect=4)
        assert "another run is at work here" in ran.stderr
        tool.communicate(timeout=60)
        assert tool.returncode == 0
        assert stage.meant()["abort"] == 0


def test_a_merge_that_has_ended_by_itself_is_not_stopped(here: Lab) -> None:
    with left_merging(here) as left:
        left.stage.guest.domain.blockJobAbort("vda", 0)
        ran = left.stage.run(*RESOLVE, left.action, "--yes", expect=4)
        assert "no merge of disk vda runs any more: nothing was sent" in ran.stderr
        assert left.outcomes() == ["continue", "continue"]
        assert left.stage.sent()["pivot"] == 0
        left.stage.finish(left.plan)  # which finds out that nothing had come of the merge
        assert names(left) == {"s1"}
