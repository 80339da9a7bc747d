"""TST-08: for any plan and any limits, over one limit means that nothing at all is sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from snapaudit.errors import RefusedError
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Decision, Plan
from snapaudit.model.policy import Remedy
from tests.builders import GIB
from tests.enforce.fake.builders import machine, manager
from tests.enforce.fake.office import Office
from tests.enforce.fake.world import World
from tests.enforce.folders import quick_folder

STORES = tuple(f"pool-{number}" for number in range(6))
SNAPSHOT_BYTES = 2 * GIB


def over(plan: Plan, limits: Limits, on_store: dict[str, int]) -> bool:
    """Whether it is over any limit, reckoned again by other means."""
    meant = [one for one in plan.actions if one.decision is Decision.APPLY]
    deletions = [one for one in meant if one.kind is Remedy.DELETE_SNAPSHOT]
    by_store = [sum(name in one.datastore_ids for one in deletions) for name in STORES]
    return (
        len(meant) > limits.max_actions
        or len(deletions) > max(3, int(sum(on_store.values()) * limits.max_share))
        or SNAPSHOT_BYTES * len(deletions) > limits.max_bytes
        or any(
            found > max(2, on_store[name] // 5)
            for name, found in zip(STORES, by_store, strict=True)
        )
    )


@settings(max_examples=150, deadline=None)
@given(
    fleet=some.lists(
        some.tuples(some.sampled_from(STORES), some.integers(0, 4)), min_size=1, max_size=8
    ),
    limits=some.builds(
        Limits,
        max_actions=some.integers(0, 12),
        max_share=some.sampled_from([0.05, 0.2, 0.5, 1.0]),
        max_bytes=some.integers(0, 30).map(lambda count: count * GIB),
    ),
    skipped=some.sets(some.integers(0, 12)),
)
def test_tst_08_inv_11_over_one_limit_means_zero_actions(
    fleet: list[tuple[str, int]], limits: Limits, skipped: set[int]
) -> None:
    world = World()
    host = manager(world, "kvm1", *STORES)
    on_store = dict.fromkeys(STORES, 0)
    for number, (store, count) in enumerate(fleet):
        names = tuple(f"s{each}" for each in range(count))
        machine(world, host, f"vm{number}", snaps=names, store=store)
        on_store[store] += count
    with quick_folder() as folder:
        office = Office(folder, world, limits=limits)
        path = office.plan()
        office.skip(path, skipped)
        plan = office.read(path)
        is_over = over(plan, limits, on_store)
        assert bool(plan.excess) == is_over
        meant = [one for one in plan.actions if one.decision is Decision.APPLY]
        if is_over or not meant:
            with pytest.raises(RefusedError, match=r"plan \S+ (is over|has no action)"):
                office.apply(path)
            assert world.ledger.sent == []
        else:
            report = office.apply(path)
            assert len(world.ledger.sent) == len(meant) == len(report.outcomes)
        assert world.ledger.violations == []
