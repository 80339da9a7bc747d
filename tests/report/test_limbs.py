"""A tree as a drawing: lanes, and the lines that meet in each row."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from snapaudit.report.limbs import MOST_LANES, Limb, limbs
from tests.builders import snapshot


def test_a_chain_without_a_fork_is_one_straight_line() -> None:
    rows = limbs((snapshot("a", age="3d"), snapshot("b", age="2d", parent_id="a")))
    assert [(row.lane, row.above, row.below) for row in rows] == [
        (0, False, True),
        (0, True, False),
    ]


def test_a_second_child_leaves_for_a_lane_that_passes_by_until_its_row() -> None:
    rows = limbs(
        (
            snapshot("root", age="9d"),
            snapshot("left", age="8d", parent_id="root"),
            snapshot("leaf", age="7d", parent_id="left"),
            snapshot("right", age="6d", parent_id="root"),
        )
    )
    assert [(row.snapshot.id, row.lane) for row in rows] == [
        ("root", 0), ("left", 0), ("leaf", 0), ("right", 1),
    ]  # fmt: skip
    assert rows[0].forks == (1,)
    assert [row.through for row in rows] == [(), (1,), (1,), ()]


def _leaving(row: Limb) -> set[int]:
    return {*row.forks, *row.through, *([row.lane] if row.below else [])}


def _arriving(row: Limb) -> set[int]:
    return {*row.through, *([row.lane] if row.above else [])}


@given(st.lists(st.integers(0, 6), max_size=7))
def test_every_line_that_leaves_a_row_arrives_in_the_next(parents: list[int]) -> None:
    shots = [snapshot("s0", age="99d")]
    for number, parent in enumerate(parents, 1):
        above = f"s{min(parent, number - 1)}"
        shots.append(snapshot(f"s{number}", age=f"{99 - number}d", parent_id=above))
    rows = limbs(shots)
    assert max(row.lanes for row in rows) <= MOST_LANES
    for upper, lower in pairwise(rows):
        assert _leaving(upper) == _arriving(lower)
    assert _leaving(rows[-1]) == set()


def test_more_branches_than_lanes_share_the_last_one() -> None:
    shots = [snapshot("s0", age="99d")]
    shots += [snapshot(f"s{n}", age=f"{99 - n}d", parent_id="s0") for n in range(1, 30)]
    assert max(row.lanes for row in limbs(shots)) == MOST_LANES
