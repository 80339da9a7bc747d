from __future__ import annotations

from datetime import timedelta

import pytest

from snapaudit.enforce.outlook import renewed, written
from snapaudit.model.limits import GIB, Limits, Reserve
from snapaudit.model.plan import Bytes, Decision, Outlook
from tests.enforce.planned import action


@pytest.mark.parametrize(
    ("reserve", "text"),
    [
        (Reserve(bytes=10 * GIB, ratio=0.05), "10GiB or 5%"),
        (Reserve(ratio=0.125), "12.5%"),
        (Reserve(bytes=512 * 2**20), "512MiB"),
        (Reserve(bytes=1000), "1000B"),
        (Reserve(), "0B"),
    ],
)
def test_reserve_is_written_as_people_do(reserve: Reserve, text: str) -> None:
    assert written(Limits(min_free=reserve)).min_free == text


@pytest.mark.parametrize(
    ("span", "text"), [(timedelta(hours=72), "72h"), (timedelta(minutes=90), "PT1H30M")]
)
def test_least_age_is_written_in_hours_where_it_has_whole_ones(span: timedelta, text: str) -> None:
    assert written(Limits(min_age=span)).min_age == text


def outlook(free: int | None = 100) -> Outlook:
    return Outlook(
        endpoint="kvm1",
        id="pool-1",
        name="images",
        capacity_bytes=1000,
        free_bytes=free,
        least_free_bytes=None,
        free_after_bytes=None,
    )


def test_worst_moment_is_that_of_the_largest_merge_since_one_runs_at_a_time() -> None:
    actions = [action(needs_bytes=n, frees_bytes=Bytes(min=1, max=2)) for n in (10, 30)]
    found = renewed(outlook(), actions)
    assert found.least_free_bytes == 70
    assert found.free_after_bytes == Bytes(min=102, max=104)


def test_skipped_actions_and_those_elsewhere_do_not_count() -> None:
    skipped = action(needs_bytes=50, decision=Decision.SKIP)
    elsewhere = action(needs_bytes=50, datastore_ids=("pool-2",))
    other = action(needs_bytes=50, endpoint="kvm2")
    assert renewed(outlook(), [skipped, elsewhere, other]).least_free_bytes == 100


def test_what_comes_back_over_several_datastores_is_no_certain_gain_of_one() -> None:
    both = action(needs_bytes=1, frees_bytes=Bytes(min=5, max=7), datastore_ids=("pool-1", "x"))
    assert renewed(outlook(), [both]).free_after_bytes == Bytes(min=100, max=107)


def test_unknown_stays_unknown() -> None:
    found = renewed(outlook(None), [action()])
    assert (found.least_free_bytes, found.free_after_bytes) == (None, None)
    unbounded = action(frees_bytes=Bytes(min=1, max=None), needs_bytes=0)
    assert renewed(outlook(), [unbounded]).free_after_bytes == Bytes(min=101, max=None)
