"""New, worse, resolved, grown and back again: by identity, and never of what was not seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from snapaudit.errors import HistoryError
from snapaudit.history.store import Store
from snapaudit.history.verdicts import risen
from snapaudit.model.inventory import Coverage, CoverageState, Inventory, Snapshot
from tests.builders import GIB, NOW, inventory, snapshot, stray, vm
from tests.history.past import DAY, MISSING, PARTIAL, WEEK, names, ran, recording

NOTHING: dict[str, list[str]] = {
    "new": [], "resolved": [], "grown": [], "back": [], "worse": []
}  # fmt: skip
OLD = snapshot("old", age="9d")
FRESH = snapshot("fresh", age="1h", description="asked for by the web team")


def compared(store: Store, *views: Inventory) -> dict[str, list[str]]:
    """A run a day, and what changed between the last two."""
    for day, view in enumerate(views):
        ran(store, view, at=NOW + day * DAY)
    last = NOW + (len(views) - 1) * DAY
    return names(store.changes(last - DAY, last))


def seen(*shots: Snapshot, **changes: Any) -> Inventory:
    return inventory(vm("web01", *shots), **changes)


def test_snapshot_that_was_not_there_is_new_with_a_finding_or_without(store: Store) -> None:
    assert compared(store, seen(), seen(OLD, FRESH)) == {**NOTHING, "new": ["old", "fresh"]}


def test_snapshot_that_is_gone_is_resolved_with_the_rules_it_had(store: Store) -> None:
    assert compared(store, seen(OLD), seen()) == {**NOTHING, "resolved": ["old"]}
    [gone] = store.changes(NOW, NOW + DAY).resolved
    assert "stale-snapshot" in gone.rules
    assert (gone.size_bytes, gone.previous_size_bytes) == (None, GIB)


def test_snapshot_that_became_a_finding_is_new(store: Store) -> None:
    ran(store, seen(FRESH), at=NOW)
    ran(store, seen(FRESH), at=NOW + 4 * DAY)
    assert names(store.changes(NOW, NOW + 4 * DAY)) == {**NOTHING, "new": ["fresh"]}


def test_finding_that_was_mended_is_resolved_though_its_snapshot_is_there(store: Store) -> None:
    anonymous = snapshot("s", age="1h")
    described = replace(anonymous, description="asked for by the web team")
    ran(store, seen(anonymous), at=NOW)
    ran(store, seen(described), at=NOW + DAY)
    [change] = store.changes(NOW, NOW + DAY).resolved
    assert (change.rules, change.size_bytes) == (("anonymous-snapshot",), GIB)


def test_finding_that_became_graver_and_one_more_finding_are_worse_and_named(store: Store) -> None:
    young = snapshot("old", age="4d", description="asked for by the web team")
    ran(store, seen(young), at=NOW)
    ran(store, seen(young), at=NOW + 5 * DAY)
    diff = store.changes(NOW, NOW + 5 * DAY)
    assert names(diff) == {**NOTHING, "worse": ["old"]}
    assert diff.worse[0].rules == ("stale-snapshot",)
    ran(store, seen(replace(young, description="")), at=NOW + 6 * DAY)
    [one] = store.changes(NOW + 5 * DAY, NOW + 6 * DAY).worse
    assert one.rules == ("anonymous-snapshot",)


@pytest.mark.parametrize(
    ("said", "says", "rules"),
    [
        ("a:warning", "a:critical", {"a"}),
        ("a:critical", "a:warning", set()),
        ("a:warning", "a:warning b:info", {"b"}),
        ("a:warning b:?", "a:warning b:info", {"b"}),
        ("a:warning", "a:warning b:?", set()),
        ("a:warning*", "a:warning", {"a"}),
        ("a:warning", "a:critical*", set()),
    ],
)
def test_worse_is_what_stands_and_did_not_stand_so_high(
    said: str, says: str, rules: set[str]
) -> None:
    assert risen(said, says) == rules


def test_renamed_snapshot_is_the_same_one(store: Store) -> None:
    renamed = replace(OLD, name="keep")
    assert compared(store, seen(OLD), seen(renamed)) == NOTHING
    moved = inventory(vm("renamed-vm", OLD, id="id-web01"))
    ran(store, moved, at=NOW + 2 * DAY)
    assert names(store.changes(NOW, NOW + 2 * DAY)) == NOTHING


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (OLD, snapshot("old", age="8d")),
        (replace(OLD, identity="aaa.images"), replace(OLD, identity="bbb.images")),
    ],
)
def test_snapshot_taken_anew_under_the_same_id_is_another_one(
    store: Store, first: Snapshot, again: Snapshot
) -> None:
    assert compared(store, seen(first), seen(again)) == {
        **NOTHING,
        "new": ["old"],
        "resolved": ["old"],
    }


def test_snapshot_whose_images_changed_is_the_same_one(store: Store) -> None:
    first, later = (replace(OLD, identity=f"aaa.{rest}") for rest in ("one", "two"))
    assert compared(store, seen(first), seen(later)) == NOTHING


def test_snapshot_that_is_larger_has_grown_and_one_of_unknown_size_has_not(store: Store) -> None:
    larger = replace(OLD, size_bytes=GIB + 1)
    unknown = snapshot("unknown", age="9d", size_bytes=None)
    known = replace(unknown, size_bytes=GIB)
    assert compared(store, seen(OLD, unknown), seen(larger, known)) == {**NOTHING, "grown": ["old"]}
    [change] = store.changes(NOW, NOW + DAY).grown
    assert (change.previous_size_bytes, change.size_bytes) == (GIB, GIB + 1)


def test_snapshot_that_was_there_before_it_was_gone_is_back(store: Store) -> None:
    assert compared(store, seen(OLD), seen(), seen(OLD)) == {**NOTHING, "back": ["old"]}
    assert names(store.changes(NOW, NOW + 2 * DAY)) == NOTHING


def test_finding_that_was_resolved_once_is_back(store: Store) -> None:
    file = stray()
    views = (inventory(strays=(file,)), inventory(), inventory(strays=(file,)))
    assert compared(store, *views) == {**NOTHING, "back": ["old.qcow2"]}
    [back] = store.changes(NOW + DAY, NOW + 2 * DAY).back
    assert (back.rules, back.size_bytes) == (("orphan-disk",), 5 * GIB)


@pytest.mark.parametrize(
    "coverage", [PARTIAL, MISSING, Coverage(state=CoverageState.SUSPICIOUS, reason="half")]
)
def test_endpoint_that_was_not_seen_whole_resolves_nothing_and_is_named(
    store: Store, coverage: Coverage
) -> None:
    assert compared(store, seen(OLD), seen(coverage=coverage))["resolved"] == []
    [unseen] = store.changes(NOW, NOW + DAY).unseen
    assert unseen.endpoint == "kvm1"
    assert str(coverage.state) in unseen.reason
    assert str(coverage.reason) in unseen.reason


def test_what_a_partial_view_shows_is_compared_with_the_last_whole_one(store: Store) -> None:
    views = (seen(OLD), seen(coverage=PARTIAL), seen(OLD, FRESH))
    assert compared(store, *views) == {**NOTHING, "new": ["fresh"]}
    assert store.changes(NOW + DAY, NOW + 2 * DAY).unseen == ()


def test_missing_endpoint_in_between_makes_nothing_new_afterwards(store: Store) -> None:
    assert compared(store, seen(OLD), seen(coverage=MISSING), seen(OLD)) == NOTHING


def test_new_after_a_first_view_that_was_partial_is_said_to_be_uncertain(store: Store) -> None:
    assert compared(store, seen(coverage=PARTIAL), seen(OLD))["new"] == ["old"]
    [unseen] = store.changes(NOW, NOW + DAY).unseen
    assert "may have been there" in unseen.reason


def test_endpoints_that_are_audited_in_turn_are_each_compared_with_themselves(store: Store) -> None:
    one, two = seen(OLD), seen(OLD, endpoint="kvm2")
    ran(store, one, at=NOW)
    ran(store, two, at=NOW + DAY)
    ran(store, seen(OLD, FRESH), at=NOW + 2 * DAY)
    diff = store.changes(NOW + DAY, NOW + 2 * DAY)
    assert names(diff) == {**NOTHING, "new": ["fresh"]}
    assert [(entry.endpoint, "not looked at since" in entry.reason) for entry in diff.unseen] == [
        ("kvm2", True)
    ]


def test_what_could_not_be_decided_any_more_is_not_resolved(store: Store) -> None:
    unknown = replace(OLD, created_at=None)
    timeless = replace(OLD, identity="same")
    views = (seen(timeless), seen(replace(unknown, identity="same")))
    resolved = compared(store, *views)["resolved"]
    assert resolved == []


def test_finding_of_a_rule_that_was_switched_off_is_not_resolved(store: Store) -> None:
    file = inventory(strays=(stray(),))
    store.record(recording(file, at=NOW))
    store.record(recording(inventory(), at=NOW + DAY, rules=("stale-snapshot",)))
    assert names(store.changes(NOW, NOW + DAY)) == NOTHING


def test_run_that_is_recorded_late_takes_its_place_in_time(store: Store) -> None:
    ran(store, seen(OLD), at=NOW)
    ran(store, seen(OLD), at=NOW + 2 * DAY)
    ran(store, seen(), at=NOW + DAY)
    assert names(store.changes(NOW + DAY, NOW + 2 * DAY)) == {**NOTHING, "back": ["old"]}


def test_difference_from_before_the_first_run_begins_with_it(store: Store) -> None:
    assert compared(store, seen(), seen(OLD))["new"] == ["old"]
    diff = store.changes(NOW - 52 * WEEK, NOW + WEEK)
    assert (diff.since, diff.until) == (NOW, NOW + DAY)
    with pytest.raises(HistoryError, match="no run up to"):
        store.changes(NOW - 2 * DAY, NOW - DAY)


def test_rules_are_told_first_and_the_largest_of_them(store: Store) -> None:
    large = snapshot("large", age="9d", size_bytes=9 * GIB)
    huge = snapshot("huge", age="1h", description="for a test", size_bytes=99 * GIB)
    views = (seen(), seen(OLD, huge, large))
    others = {"web01", "pool-1"}
    shown = [name for name in compared(store, *views)["new"] if name not in others]
    assert shown == ["large", "old", "huge"]
