"""Faults B: records that contradict themselves, and what they must not lead to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snapaudit.model.plan import Guard
from tests.enforce.planning import line, planned, view


@pytest.mark.parametrize(
    "parents",
    [("gone", "s1"), ("s2", "s1"), ("s1", "s1")],
    ids=["dangling", "in a circle", "its own"],
)
def test_b13_snapshots_whose_parents_cannot_be_are_shown_and_never_deleted(
    parents: tuple[str, str],
) -> None:
    machine = line("web01", "90d", "80d")
    shots = tuple(
        replace(shot, parent_id=parent)
        for shot, parent in zip(machine.snapshots, parents, strict=True)
    )
    made = planned(view(replace(machine, snapshots=shots)))
    assert made.actions == ()
    assert {(one.snapshot_id, one.guard) for one in made.refusals} == {
        ("s1", Guard.LINEAR_CHAIN),
        ("s2", Guard.LINEAR_CHAIN),
    }


def test_b7_b13_hostile_names_are_planned_by_id_and_change_no_other_action() -> None:
    plain, hostile = line("web01", "90d"), line("web01", "90d")
    name = "s1'; --\x1b[2J\u202e<b>\n=1+1"
    named = replace(hostile, snapshots=(replace(hostile.snapshots[0], name=name),))
    [one], [other] = planned(view(plain)).actions, planned(view(named)).actions
    assert other.snapshot_name == name
    assert replace(other, snapshot_name="s1", expects=one.expects) == one
