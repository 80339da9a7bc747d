"""Half a year of the made-up company."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from snapaudit.demo.estate.weeks import WEEKS, weeks
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.soundness import faults
from snapaudit.model.tree import SnapshotTree

NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
ALL = tuple(weeks(NOW))


def free(seen: tuple[Inventory, ...], store: str) -> int:
    (found,) = [one for each in seen for one in each.datastores if one.id == store]
    assert found.free_bytes is not None
    return found.free_bytes


def test_there_are_26_weeks_and_the_last_is_now() -> None:
    assert len(ALL) == WEEKS
    assert ALL[-1][0] == NOW
    assert {later - earlier for (earlier, _), (later, _) in pairwise(ALL)} == {timedelta(weeks=1)}


def test_equal_moments_give_an_equal_half_year() -> None:
    assert tuple(weeks(NOW)) == ALL


def test_every_inventory_is_sound_and_every_tree_is_whole() -> None:
    for _, seen in ALL:
        for inventory in seen:
            assert list(faults(inventory)) == []
            for vm in inventory.virtual_machines:
                assert all(one.created_at and one.created_at <= NOW for one in vm.snapshots)
                assert len(SnapshotTree(vm.snapshots).roots) <= 1


def test_the_estate_is_in_motion() -> None:
    assert free(ALL[-1][1], "silver") < free(ALL[0][1], "silver")  # fills
    assert free(ALL[-1][1], "pool-build") > free(ALL[0][1], "pool-build")  # empties
    drop = [
        free(later, "silver") - free(earlier, "silver")
        for (_, earlier), (_, later) in pairwise(ALL)
    ]
    assert max(drop) > 400 * 2**30  # a consolidation gave space back
    moved = [
        free(earlier, "pool-ssd") - free(later, "pool-ssd")
        for (_, earlier), (_, later) in pairwise(ALL)
    ]
    assert max(moved) > 2000 * 2**30  # a migration came
    sizes = {
        one.capacity_bytes
        for _, seen in ALL
        for each in seen
        for one in each.datastores
        if one.id == "gold"
    }
    assert len(sizes) == 2  # capacity was bought


def test_one_endpoint_is_not_seen_today_and_says_why() -> None:
    (absent,) = [one for one in ALL[-1][1] if one.coverage.state is not CoverageState.COMPLETE]
    assert absent.coverage.reason
    assert not absent.virtual_machines
