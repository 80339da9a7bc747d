from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from snapaudit.cli.merging import Board, Lines, merges_shown
from snapaudit.cli.options import Common
from snapaudit.model.outcome import Merging
from snapaudit.report.escape import plain
from snapaudit.report.merging import ending, is_end, place, standing
from snapaudit.report.phrases import short_duration
from snapaudit.report.terminal import draw
from tests.report.hostile import hostile_names

GIB = 2**30


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sign(phase: str = "merging", done: int | None = 0, **changes: Any) -> Merging:
    fields: dict[str, Any] = {
        "action_id": "a1",
        "endpoint": "kvm1",
        "vm_name": "web01",
        "snapshot_name": "before-upgrade",
        "datastore": "ssd-a",
        "total_bytes": 100 * GIB,
    }
    return Merging(phase=phase, done_bytes=done, **{**fields, **changes})


def lines_of(*signs: tuple[float, Merging]) -> list[str]:
    """The lines that signs at these seconds make."""
    clock, written = Clock(), list[str]()
    lines = Lines(written.append, clock)
    for second, one in signs:
        clock.now = 1000.0 + second
        lines(one)
    return written


def test_each_phase_is_a_line_and_the_same_phase_only_every_ten_seconds() -> None:
    steady = [(second / 2, sign(done=second * GIB)) for second in range(50)]
    written = lines_of((0, sign("observing", None)), *steady, (30, sign("done", 100 * GIB)))
    assert written == [
        "kvm1: web01 / before-upgrade on ssd-a: observing",
        "kvm1: web01 / before-upgrade on ssd-a: merging, 0 of 100 GiB (0%)",
        "kvm1: web01 / before-upgrade on ssd-a: "
        "merging, 20 GiB of 100 GiB (20%), 2 GiB/s, 40 s left",
        "kvm1: web01 / before-upgrade on ssd-a: "
        "merging, 40 GiB of 100 GiB (40%), 2 GiB/s, 30 s left",
        "done: kvm1: web01 / before-upgrade on ssd-a, 100 GiB copied, after 30 s",
    ]


def test_two_actions_are_told_apart_however_their_signs_mix() -> None:
    other: dict[str, Any] = {
        "action_id": "b1",
        "vm_name": "crm01",
        "snapshot_name": None,
        "datastore": "hdd",
    }
    both: tuple[dict[str, Any], ...] = ({}, other)
    mixed = [(n, sign(done=n * GIB, **one)) for n in range(5) for one in both]
    written = lines_of(*mixed)
    assert len(written) == 2
    assert written[1].startswith("kvm1: crm01 (its disks) on hdd: merging")


def test_action_that_begins_again_after_its_end_is_told_again() -> None:
    written = lines_of((0, sign()), (1, sign("failed")), (2, sign()))
    assert [line.split(":")[0] for line in written] == ["kvm1", "failed", "kvm1"]


def test_rate_and_time_of_whoever_knows_them_better_are_kept() -> None:
    known = sign(done=GIB, rate_bytes=3.0 * GIB, left=timedelta(minutes=7))
    assert lines_of((0, known))[0].endswith("(1%), 3 GiB/s, 7 min left")


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (sign("observing", None), "observing"),
        (sign(done=GIB, total_bytes=None), "merging, 1 GiB"),
        (sign(done=120 * GIB), "merging, 120 GiB of 100 GiB (100%)"),
        (sign(done=0, total_bytes=0), "merging, 0"),
    ],
)
def test_line_says_what_is_known_and_no_more(one: Merging, said: str) -> None:
    assert standing(one) == said


@pytest.mark.parametrize("phase", ["done", "failed", "refused", "already_gone", "unknown"])
def test_every_end_of_an_action_is_one(phase: str) -> None:
    assert is_end(sign(phase))
    assert ending(sign(phase, None), timedelta(0)).startswith(f"{phase.replace('_', ' ')}: kvm1")


@pytest.mark.parametrize("phase", ["observing", "merging", "submitted", "intent"])
def test_a_phase_is_no_end(phase: str) -> None:
    assert not is_end(sign(phase))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (99, "99 s"), (100, "2 min"), (5940, "99 min"), (11400, "3 h 10 min")],
)
def test_short_durations_fit_a_line(seconds: int, said: str) -> None:
    assert short_duration(timedelta(seconds=seconds)) == said


def drawn(board: Board) -> str:
    return draw((board.__rich__(),), width=100, colour=False).decode()


def test_board_shows_what_is_under_way_by_datastore_and_keeps_what_has_ended() -> None:
    out, clock = io.StringIO(), Clock()
    board = Board(Console(file=out, width=100), clock)
    board(sign(action_id="z", datastore="b-store"))
    board(sign(action_id="a", datastore="c-store", total_bytes=None, done=None))
    clock.now += 10
    board(sign(action_id="z", datastore="b-store", done=50 * GIB))
    assert drawn(board) == (
        "kvm1: web01 / before-upgrade on b-store\n"
        "  █████░░░░░ merging, 50 GiB of 100 GiB (50%), 5 GiB/s, 10 s left\n"
        "kvm1: web01 / before-upgrade on c-store\n"
        "  merging\n"
    )
    board(sign("done", 100 * GIB, action_id="z", datastore="b-store"))
    assert "b-store" not in drawn(board)
    assert out.getvalue() == (
        "done: kvm1: web01 / before-upgrade on b-store, 100 GiB copied, after 10 s\n"
    )


def test_without_a_terminal_lines_go_to_stderr_and_nothing_to_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with merges_shown(Common()) as signs:
        signs(sign())
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "kvm1: web01 / before-upgrade on ssd-a: merging, 0 of 100 GiB (0%)\n"


@pytest.mark.parametrize("common", [Common(quiet=True), Common(no_progress=True)])
def test_quiet_and_no_progress_say_nothing(
    common: Common, capsys: pytest.CaptureFixture[str]
) -> None:
    with merges_shown(common) as signs:
        signs(sign())
        signs(sign("failed"))
    assert capsys.readouterr() == ("", "")


def test_inv_24_tst_12_hostile_names_stay_on_their_line() -> None:
    for name in hostile_names():
        one = replace(sign(), endpoint=name, vm_name=name, snapshot_name=name, datastore=name)
        assert plain(place(one)) == place(one)
        (line,) = lines_of((0, replace(one, phase=name or "x")))
        assert line.isprintable()
