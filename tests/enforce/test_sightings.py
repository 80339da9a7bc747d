from __future__ import annotations

import os

import pytest

from snapaudit.enforce.sightings import (
    Sighting,
    doubted,
    note_sightings,
    read_sightings,
)
from snapaudit.enforce.state import State
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from tests.builders import inventory, snapshot, vm

MISSING = Coverage(state=CoverageState.MISSING, reason="refused")


def seen(machines: int, snapshots: int = 0) -> Inventory:
    shots = tuple(snapshot(f"s{n}") for n in range(snapshots))
    return inventory(*(vm(f"m{n}", *(shots if n == 0 else ())) for n in range(machines)))


def state_of(now: Inventory, machines: int, snapshots: int = 0) -> CoverageState:
    before = {"kvm1": Sighting(virtual_machines=machines, snapshots=snapshots)}
    (found,) = doubted([now], before)
    return found.coverage.state


@pytest.mark.parametrize(
    ("was", "is_now", "suspicious"), [(10, 5, False), (10, 4, True), (3, 1, True), (2, 1, False)]
)
def test_grd_28_fall_of_more_than_half_in_machines_is_suspicious(
    was: int, is_now: int, suspicious: bool
) -> None:
    state = state_of(seen(is_now), was)
    assert (state is CoverageState.SUSPICIOUS) == suspicious


@pytest.mark.parametrize(
    ("was", "is_now", "suspicious"), [(20, 10, False), (20, 9, True), (4, 0, False), (5, 0, True)]
)
def test_grd_28_fall_of_more_than_half_in_snapshots_counts_from_five_on(
    was: int, is_now: int, suspicious: bool
) -> None:
    state = state_of(seen(3, is_now), 3, was)
    assert (state is CoverageState.SUSPICIOUS) == suspicious


def test_endpoint_that_was_never_seen_whole_is_not_doubted() -> None:
    (found,) = doubted([seen(1)], {})
    assert found.coverage.state is CoverageState.COMPLETE


def test_missing_stays_missing() -> None:
    before = {"kvm1": Sighting(virtual_machines=9, snapshots=9)}
    (found,) = doubted([inventory(coverage=MISSING)], before)
    assert found.coverage.state is CoverageState.MISSING


def test_whole_views_are_noted_and_others_leave_the_note_as_it_is(state: State) -> None:
    note_sightings(state, [seen(4, 2)])
    note_sightings(state, [inventory(coverage=MISSING)])
    assert read_sightings(state) == {"kvm1": Sighting(virtual_machines=4, snapshots=2)}


def test_suspicious_view_is_noted_only_when_somebody_named_the_endpoint(state: State) -> None:
    note_sightings(state, [seen(9)])
    (low,) = doubted([seen(1)], read_sightings(state))
    note_sightings(state, [low])
    assert read_sightings(state)["kvm1"].virtual_machines == 9
    note_sightings(state, [low], frozenset({"kvm1"}))
    assert read_sightings(state)["kvm1"].virtual_machines == 1


def test_our_own_deletions_are_no_reason_for_doubt(state: State) -> None:
    note_sightings(state, [seen(1, 8)], deleted={"kvm1": 6})
    (found,) = doubted([seen(1, 2)], read_sightings(state))
    assert found.coverage.state is CoverageState.COMPLETE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"endpoints": {"kvm1": 3}}',
        '{"endpoints": 3}',
        '{"endpoints": {"kvm1": {"snapshots": 1}}}',
    ],
)
def test_note_that_cannot_be_read_is_none(state: State, text: str) -> None:
    state.sightings.write_text(text)
    assert read_sightings(state) == {}


def test_note_that_others_may_write_is_none(state: State) -> None:
    note_sightings(state, [seen(4)])
    os.chmod(state.sightings, 0o666)  # noqa: PTH101, S103 - what is tested
    assert read_sightings(state) == {}
