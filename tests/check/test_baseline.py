"""The ratchet: what a baseline holds, what it is held against, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snapaudit.app.checking import Wanted, baseline_document, check
from snapaudit.check.selection import Selection
from snapaudit.errors import InputError, UsageError
from snapaudit.model.check import Check, Status
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory, Snapshot
from snapaudit.model.policy import Policy
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import GIB, NOW, inventory, snapshot, vm
from tests.report.check.audits import lost

ALL = Selection()


def policy() -> Policy:
    return load_policy((), disable={}, levels={}, environments=())


def judged(*inventories: Inventory) -> Audit:
    return audit(inventories, policy(), NOW)


def fleet(*shots: Snapshot, **changes: Any) -> Inventory:
    return inventory(vm("web01", *shots), **changes)


def old(name: str = "a", age: str = "5d", size: int | None = 5) -> Snapshot:
    return snapshot(name, age=age, size_bytes=None if size is None else size * GIB,
                    description="CHG-1", creator="ada")  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The baseline of a fleet with one stale snapshot."""
    path = tmp_path / "baseline.json"
    path.write_bytes(baseline_document(judged(fleet(old())), policy(), ALL))
    return path


def ratchet(seen: Audit, file: Path, **changes: Any) -> Check:
    return check(seen, policy(), Wanted(baseline=file, fail_on_new=True, **changes)).check


def test_what_was_known_is_ok_and_still_told(file: Path) -> None:
    result = ratchet(judged(fleet(old())), file)
    assert result.status is Status.OK
    assert result.counts.warning == 1
    assert result.compared is not None
    assert (result.compared.new, result.compared.worse, result.compared.known) == ((), (), 1)


def test_what_is_new_fails(file: Path) -> None:
    result = ratchet(judged(fleet(old(), old("b"))), file)
    assert result.status is Status.WARNING
    assert result.compared is not None
    assert len(result.compared.new) == 1


@pytest.mark.parametrize(
    ("now", "status"),
    [
        (old(age="8d"), Status.CRITICAL),  # a higher severity
        (old(size=8), Status.WARNING),  # grown by more than a tenth and a GiB
        (old(size=6), Status.WARNING),
        (old(size=None), Status.OK),  # nobody can tell
        (old(size=4), Status.OK),
    ],
)
def test_what_is_worse_fails(file: Path, now: Snapshot, status: Status) -> None:
    assert ratchet(judged(fleet(now)), file).status is status


def test_growth_within_the_tolerance_is_no_news(file: Path) -> None:
    assert ratchet(judged(fleet(old(size=6))), file, tolerance=0.25).status is Status.OK


def test_a_renamed_machine_and_snapshot_are_the_same_ones(file: Path) -> None:
    shot = replace(old(), name="another name", description="other")
    renamed = inventory(replace(vm("web01", shot), name="web-new"))
    assert ratchet(judged(renamed), file).status is Status.OK


def test_the_order_of_things_makes_no_difference(file: Path) -> None:
    one, two = vm("web01", old()), vm("aaa")
    assert ratchet(judged(inventory(one, two)), file).status is Status.OK
    assert ratchet(judged(inventory(two, one)), file).status is Status.OK


def test_what_is_gone_is_resolved_but_not_where_nobody_looked(file: Path) -> None:
    gone = ratchet(judged(fleet()), file)
    assert gone.compared is not None
    assert len(gone.compared.resolved) == 1
    unseen = ratchet(judged(lost("kvm1")), file)
    assert unseen.status is Status.UNKNOWN
    assert unseen.compared is not None
    assert unseen.compared.resolved == ()


def test_without_the_ratchet_everything_counts_and_news_are_told(file: Path) -> None:
    result = check(judged(fleet(old())), policy(), Wanted(baseline=file)).check
    assert result.status is Status.WARNING
    assert result.compared is not None


def test_the_ratchet_without_anything_to_hold_against_is_an_error() -> None:
    with pytest.raises(UsageError, match="--baseline FILE"):
        check(judged(fleet()), policy(), Wanted(fail_on_new=True))


def test_no_baseline_is_made_of_a_view_with_holes() -> None:
    with pytest.raises(UsageError, match="view is incomplete"):
        baseline_document(judged(fleet(old()), lost("kvm2")), policy(), ALL)


def test_equal_views_give_equal_files() -> None:
    made = {baseline_document(judged(fleet(old())), policy(), ALL) for _ in range(2)}
    assert len(made) == 1


# What is refused ------------------------------------------------------------------------------


def edited(file: Path, **changes: Any) -> None:
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, **changes}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"findings": []}, "was edited after it was written"),
        ({"schema": "snapaudit/baseline@2"}, "a newer snapaudit wrote"),
        ({"schema": "snapaudit/plan@1"}, "expected schema 'snapaudit/baseline@1'"),
    ],
)
def test_an_edited_a_newer_and_a_foreign_file_are_refused(
    file: Path, changes: dict[str, Any], said: str
) -> None:
    edited(file, **changes)
    with pytest.raises(InputError, match=said):
        ratchet(judged(fleet(old())), file)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"a": 1, "a": 2}'])
def test_a_file_that_is_none_is_one_sentence_naming_it(file: Path, body: bytes) -> None:
    file.write_bytes(body)
    with pytest.raises(InputError, match=r"baseline\.json"):
        ratchet(judged(fleet(old())), file)


def test_a_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="write one with `snapaudit check --write-baseline"):
        ratchet(judged(fleet()), tmp_path / "none.json")


@pytest.mark.parametrize(
    "other", [fleet(old(), endpoint="kvm9"), fleet(old(), manager_id="another")]
)
def test_a_baseline_of_another_estate_is_refused(file: Path, other: Inventory) -> None:
    with pytest.raises(InputError, match="another estate"):
        ratchet(judged(other), file)


def test_a_baseline_of_other_rules_is_refused(file: Path) -> None:
    fewer = replace(policy(), rules=policy().rules[1:])
    with pytest.raises(InputError, match="other rules or thresholds"):
        check(judged(fleet(old())), fewer, Wanted(baseline=file, fail_on_new=True))


def test_a_baseline_of_a_selection_is_refused_for_another(tmp_path: Path) -> None:
    some = Selection(rules=("stale-snapshot",))
    path = tmp_path / "some.json"
    path.write_bytes(baseline_document(judged(fleet(old())), policy(), some))
    assert ratchet(judged(fleet(old())), path, selection=some).status is Status.OK
    with pytest.raises(InputError, match="holds a selection only"):
        ratchet(judged(fleet(old())), path)


def test_an_endpoint_that_was_added_has_new_findings_only(file: Path) -> None:
    added = inventory(vm("db01", old()), endpoint="kvm2", manager_id="manager-2")
    result = ratchet(judged(fleet(old()), added), file)
    assert result.status is Status.WARNING
    assert result.compared is not None
    assert result.compared.known == 1
