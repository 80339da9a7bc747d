"""Progress: what is drawn fits the terminal, and what is not drawn is counted."""

from __future__ import annotations

import pytest

from snapaudit.ports import DONE, FAILED, WAITING, Step
from snapaudit.report.escape import columns
from snapaudit.report.progress import board, line, summary


def step(name: str, phase: str = "reading", seen: int = 0, **more: object) -> Step:
    return Step(endpoint=name, phase=phase, seen=seen, **more)  # type: ignore[arg-type]


FEW = (
    step("vc", "searching", 3, total=12),
    step("kvm1", DONE, 40),
    step("kvm2", FAILED, reason="no complete answer within its deadline of 30 s"),
    step("kvm3", WAITING),
)


def test_each_endpoint_has_a_row_and_a_last_line_sums_them_up() -> None:
    assert board(FEW, 65, 80, 24) == [
        "kvm1  done             40 machines",
        "kvm2  failed           no complete answer within its deadline of 30 s",
        "kvm3  waiting",
        "vc    searching        3 of 12",
        "2 of 4 endpoints · 1 done, 1 failed, 1 under way, 1 waiting · 40 machines · 1:05",
    ]


def test_of_two_hundred_endpoints_only_those_under_way_have_rows() -> None:
    steps = [step(f"e{number:03}", WAITING) for number in range(100)]
    steps += [step(f"r{number}", "reading", number) for number in range(8)]
    steps += [step(f"x{number:02}", DONE, 10) for number in range(92)]
    drawn = board(steps, 3, 80, 24)
    assert [row.split()[0] for row in drawn[:-1]] == [f"r{number}" for number in range(8)]
    assert drawn[-1].startswith("92 of 200 endpoints · 92 done, 8 under way, 100 waiting")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (20, 4), (1, 1)])
def test_nothing_is_wider_or_higher_than_the_terminal(width: int, height: int) -> None:
    wide = "数据中心" * 20
    steps = [step(f"{wide}{number}", "measuring", 10**9) for number in range(200)]
    drawn = board(steps, 10**6, width, height)
    assert all(columns(row) <= width for row in drawn)
    assert len(drawn) <= max(height - 1, 3)


def test_more_under_way_than_rows_are_counted() -> None:
    steps = [step(f"r{number:03}") for number in range(50)]
    assert board(steps, 0, 80, 24)[-2] == "and 29 more under way"


def test_names_and_reasons_command_no_terminal() -> None:
    hostile = step("a\x1b[2J", FAILED, reason="\x1b]0;x\x07\n")
    assert "\x1b" not in "".join([*board([hostile], 0, 80, 24), line(hostile)])


def test_view_that_is_not_whole_says_so_in_its_line() -> None:
    told = line(step("kvm1", DONE, 1, reason="one image could not be read"))
    assert told == "kvm1  done  1 machine, not whole: one image could not be read"


def test_where_machines_are_not_counted_none_are_told() -> None:
    assert line(step("kvm1", DONE)) == "kvm1  done"


def test_nothing_yet_is_no_endpoint() -> None:
    assert summary((), 0) == "0 of 0 endpoints · 0:00"
