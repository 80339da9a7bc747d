"""The limits on a whole plan, and what may run at the same time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from snapaudit.enforce.limits import Census, census, excess, may_start, worst
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Action, Bytes, Decision, VmId
from snapaudit.model.policy import Remedy
from tests.builders import GIB, disk, inventory, layer, snapshot, vm
from tests.enforce.planned import action

WIDE = Limits(max_actions=100, max_share=1.0, max_bytes=2**60)


def actions(count: int, **changes: object) -> list[Action]:
    return [
        action(f"a{number}", datastore_ids=(f"pool-{number}",), **changes)
        for number in range(count)
    ]


def seen(snapshots: int = 1000) -> Census:
    return replace(census([]), snapshots=snapshots)


def over(
    planned: list[Action], limits: Limits, snapshots: int = 1000
) -> list[tuple[str, int, int]]:
    found = excess(planned, limits, seen(snapshots))
    return [(each.limit, each.allowed, each.found) for each in found]


def test_inv_11_a_plan_within_every_limit_is_over_none() -> None:
    assert over(actions(10), Limits()) == []


def test_grd_17_more_actions_than_allowed_are_named_with_both_numbers() -> None:
    assert over(actions(11), Limits()) == [("max_actions", 10, 11)]


def test_grd_17_what_the_reviewer_skips_does_not_count() -> None:
    skipped = [replace(each, decision=Decision.SKIP) for each in actions(11)[:1]]
    assert over([*skipped, *actions(10)], Limits()) == []


@pytest.mark.parametrize(
    ("snapshots", "allowed"), [(0, 3), (60, 3), (79, 3), (80, 4), (99, 4), (100, 5), (1000, 50)]
)
def test_grd_17_five_percent_of_all_but_three_always(snapshots: int, allowed: int) -> None:
    limits = replace(Limits(), max_actions=99)
    assert over(actions(allowed), limits, snapshots) == []
    assert over(actions(allowed + 1), limits, snapshots) == [("max_share", allowed, allowed + 1)]


def test_grd_17_bytes_to_merge_are_added_up() -> None:
    limits = replace(Limits(), max_bytes=3 * GIB)
    assert over(actions(3), limits) == []
    assert over(actions(3, merges_bytes=GIB + 1), limits) == [("max_bytes", 3 * GIB, 3 * GIB + 3)]


@pytest.mark.parametrize(("machines", "allowed"), [(1, 2), (14, 2), (15, 3), (30, 6)])
def test_grd_17_a_fifth_of_one_datastore_but_two_always(machines: int, allowed: int) -> None:
    fleet = [vm(f"m{number}", snapshot()) for number in range(machines)]
    counted = census([inventory(*fleet)])
    planned = [action(f"a{number}") for number in range(allowed + 1)]
    assert excess(planned[:-1], WIDE, counted) == ()
    [found] = excess(planned, WIDE, counted)
    assert (found.limit, found.allowed, found.found) == ("max_share", allowed, allowed + 1)


def test_a_snapshot_counts_once_on_each_datastore_of_its_machine() -> None:
    disks = (disk(layer(datastore_id="fast"), layer("/b", datastore_id="slow")), disk(layer("/c")))
    spread = replace(vm("m", snapshot("one"), snapshot("two")), disks=disks)
    counted = census([inventory(spread)])
    assert counted.snapshots == 2
    assert {place[1]: number for place, number in counted.on_datastore.items()} == {
        "fast": 2,
        "slow": 2,
        "pool-1": 2,
    }


def test_consolidations_count_as_actions_but_not_as_snapshots() -> None:
    planned = actions(4, kind=Remedy.CONSOLIDATE)
    assert over(planned, Limits(), snapshots=0) == []
    assert over(planned, replace(Limits(), max_actions=3), snapshots=0) == [("max_actions", 3, 4)]


_planned = some.lists(
    some.builds(
        lambda number, size, gain, store: action(
            f"a{number}",
            merges_bytes=size,
            frees_bytes=Bytes(min=gain, max=None),
            datastore_ids=(store,),
        ),
        some.integers(0, 10**6),
        some.integers(0, 100),
        some.integers(0, 100),
        some.sampled_from(["pool-1", "pool-2"]),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)
_limits = some.builds(
    Limits,
    max_actions=some.integers(0, 12),
    max_share=some.floats(0, 1),
    max_bytes=some.integers(0, 500),
)


@given(_planned, some.integers(0, 20), _limits, some.integers(0, 100))
def test_tst_08_the_worst_are_never_more_than_asked_for_nor_over_any_limit(
    planned: list[Action], most: int, limits: Limits, snapshots: int
) -> None:
    left_out, kept = worst(planned, most, limits, seen(snapshots))
    assert len(kept) <= most
    assert excess(kept, limits, seen(snapshots)) == ()
    assert {each.id for each in planned} == left_out.keys() | {each.id for each in kept}


def test_the_worst_are_those_that_give_most_back() -> None:
    planned = [
        action(f"a{gain}", frees_bytes=Bytes(min=gain, max=None), datastore_ids=(f"p{gain}",))
        for gain in (1, 5, 3)
    ]
    left_out, kept = worst(planned, 2, Limits(), seen())
    assert [each.id for each in kept] == ["a5", "a3"]
    assert left_out == {"a1": "not among the 2 that give most back"}


def at(number: int, **changes: object) -> Action:
    """An action that shares nothing with those of other numbers but the endpoint."""
    fields = {
        "vm_id": VmId(f"vm-{number}"),
        "datastore_ids": (f"pool-{number}",),
        "host_id": f"host-{number}",
    }
    return action(f"a{number}", **{**fields, **changes})


def test_inv_18_what_shares_nothing_may_run_beside_one_another_up_to_four() -> None:
    assert may_start(at(3), [at(0), at(1), at(2)])
    assert not may_start(at(4), [at(0), at(1), at(2), at(3)])
    assert not may_start(at(4), [at(n, endpoint=f"kvm{n}") for n in range(4)])


@pytest.mark.parametrize(
    "changes",
    [{"vm_id": VmId("vm-0")}, {"datastore_ids": ("pool-1", "pool-0")}],
    ids=["same machine", "same datastore"],
)
def test_inv_18_never_two_on_one_machine_or_datastore(changes: dict[str, object]) -> None:
    assert not may_start(at(1, **changes), [at(0)])
    assert may_start(at(1, endpoint="another", **changes), [at(0)])


def test_grd_17_at_most_two_on_one_host() -> None:
    busy = [at(0, host_id="host"), at(1, host_id="host")]
    assert may_start(at(2, host_id="host"), busy[:1])
    assert not may_start(at(2, host_id="host"), busy)
    assert may_start(at(2), busy)
