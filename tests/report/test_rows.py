from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from snapaudit.model.inventory import Attribute, LayerRole
from snapaudit.model.policy import Remedy, Severity, SubjectKind
from snapaudit.report.lookup import Lookup
from snapaudit.report.rows import Row, fold, fold_questions, subject_name
from snapaudit.report.stores import endangered_first
from snapaudit.report.tree import render_tree
from snapaudit.report.view import view
from tests.builders import GIB, NOW, datastore, disk, gain, inventory, layer, snapshot, stray, vm
from tests.report.records import (
    aged,
    audit_of,
    finding,
    on,
    on_machine,
    on_snapshot,
    open_question,
    purpose,
)

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING
OLD = aged("9d", "7d")


def test_findings_on_one_snapshot_fold_into_one_row_with_the_worst_severity() -> None:
    about = on_snapshot("web01", "a")
    found = (finding("stale", WARNING, about, OLD), finding("ancient", CRITICAL, about, OLD))
    (row,) = fold(found, Lookup(()))
    assert row.severity is CRITICAL
    assert [one.rule for one in row.findings] == ["ancient", "stale"]


def test_the_biggest_gain_comes_first_within_a_severity() -> None:
    small = snapshot("small", reclaimable_bytes=gain(GIB, GIB))
    large = snapshot("large", reclaimable_bytes=gain(0, 9 * GIB))
    seen = inventory(vm("web01", small, large))
    found = [
        finding("stale", WARNING, on_snapshot("web01", name), OLD) for name in ("small", "large")
    ]
    found.append(finding("bad", CRITICAL, on_machine("web01"), OLD))
    rows = fold(found, Lookup((seen,)))
    assert [row.subject.name for row in rows] == ["web01", "large", "small"]


def test_what_is_exempt_comes_last_within_its_severity() -> None:
    found = (
        finding("stale", WARNING, on_snapshot("a", "a"), OLD, exemption="until May"),
        finding("stale", WARNING, on_snapshot("b", "b"), OLD),
    )
    assert [row.subject.name for row in fold(found, Lookup(()))] == ["b", "a"]


def test_a_machine_promises_no_space_of_its_own() -> None:
    seen = Lookup((inventory(vm("web01", snapshot("a"))),))
    assert seen.gain(on_machine("web01")) is None
    assert seen.gain(on_snapshot("web01", "a")) is not None


def test_a_stray_file_of_unknown_size_promises_nothing_known() -> None:
    seen = Lookup((inventory(strays=(stray("/vm/x", size_bytes=None),)),))
    found = seen.gain(on(SubjectKind.FILE, "/vm/x"))
    assert found is not None
    assert (found.min, found.max) == (0, None)


def test_protections_of_the_machine_hold_for_its_snapshots_once() -> None:
    kept = snapshot("a", protections=("held: x", "clone_base: y"))
    seen = Lookup((inventory(vm("web01", kept, protections=("held: x",))),))
    assert seen.protections(on_snapshot("web01", "a")) == ("held: x", "clone_base: y")


def test_open_questions_fold_by_rule_and_reason_and_keep_every_subject() -> None:
    asked = [
        open_question("stale", on_snapshot("web01", name), "age", "not told") for name in "abc"
    ]
    asked.append(open_question("big", on_snapshot("web01", "a"), "size", "not told"))
    first, second = fold_questions(asked)
    assert (first.rule, len(first.subjects)) == ("stale", 3)
    assert (second.rule, len(second.subjects)) == ("big", 1)


def _marked(**changes: Any) -> Row:
    about = on_snapshot("web01", "a")
    found = finding("old", WARNING, about, OLD, remedy=Remedy.DELETE_SNAPSHOT)
    marked = replace(found, **{"due_at": NOW + timedelta(days=3), **changes})
    (row,) = fold((marked,), Lookup((inventory(vm("web01", snapshot("a"))),)))
    return row


def test_mark_says_from_when_it_may_be_acted_on_and_then_since_when() -> None:
    assert _marked().marks(NOW) == ("may be deleted from 2026-06-04",)
    assert _marked().marks(NOW + timedelta(days=3)) == ("may be deleted since 2026-06-04",)
    consolidated = _marked(remedy=Remedy.CONSOLIDATE).marks(NOW)
    assert consolidated == ("may be consolidated from 2026-06-04",)


def test_two_marks_on_one_subject_are_told_once_by_the_earlier_day() -> None:
    about = on_snapshot("web01", "a")
    found = [finding(rule, WARNING, about, OLD, remedy=Remedy.DELETE_SNAPSHOT) for rule in "ab"]
    due = [replace(one, due_at=NOW + timedelta(days=9 - n)) for n, one in enumerate(found)]
    (row,) = fold(due, Lookup(()))
    assert row.marks(NOW) == ("may be deleted from 2026-06-09",)


def test_what_is_exempt_or_protected_is_not_announced_for_deletion() -> None:
    kept = snapshot("a", protections=("held: x",))
    seen = Lookup((inventory(vm("web01", kept)),))
    found = finding("old", WARNING, on_snapshot("web01", "a"), remedy=Remedy.DELETE_SNAPSHOT)
    (row,) = fold((replace(found, due_at=NOW),), seen)
    assert row.marks(NOW) == ()
    assert _marked(exemption="until May").marks(NOW) == ()
    assert _marked(due_at=None).marks(NOW) == ()


def test_last_days_before_it_may_be_acted_on_are_told_as_what_is_left() -> None:
    noticed = _marked(notice_at=NOW + timedelta(days=1))
    assert noticed.marks(NOW) == ("may be deleted from 2026-06-04",)
    said = ("due in 2 days: may be deleted from 2026-06-04",)
    assert noticed.marks(NOW + timedelta(days=1)) == said
    assert noticed.marks(NOW + timedelta(days=3)) == ("may be deleted since 2026-06-04",)


def test_snapshot_with_one_accepted_finding_is_not_announced_by_another() -> None:
    about = on_snapshot("web01", "a")
    due = finding("old", WARNING, about, OLD, remedy=Remedy.DELETE_SNAPSHOT)
    found = (replace(due, due_at=NOW), replace(due, rule="big", exemption="EX-1"))
    (row,) = fold(found, Lookup(()))
    assert row.marks(NOW) == ()


def test_row_is_as_bad_as_the_worst_that_nobody_accepted() -> None:
    about = on_snapshot("web01", "a")
    bad = replace(finding("old", CRITICAL, about, OLD), exemption="EX-1")
    both = (bad, replace(bad, rule="ancient"), finding("big", WARNING, about, OLD))
    (row,) = fold(both, Lookup(()))
    assert (row.severity, row.is_accepted) == (WARNING, False)
    assert [one.rule for one in row.findings] == ["big", "ancient", "old"]
    assert row.exemptions == ("ancient, old: EX-1",)


def test_what_is_wholly_accepted_comes_behind_all_that_stands() -> None:
    bad = replace(finding("old", CRITICAL, on_snapshot("web01", "a"), OLD), exemption="EX-1")
    small = finding("big", WARNING, on_snapshot("web01", "b"), OLD)
    first, last = fold((bad, small), Lookup(()))
    assert (first.subject.id, last.subject.id, last.is_accepted) == ("b", "a", True)


def test_the_endangered_datastore_comes_before_the_fuller_one() -> None:
    seen = inventory(
        datastores=(
            datastore("full", free_bytes=10 * GIB),
            datastore("bad", free_bytes=90 * GIB),
            datastore("lost", capacity_bytes=None, free_bytes=None, accessible=False),
        )
    )
    found = (finding("no-room-to-merge", CRITICAL, on(SubjectKind.DATASTORE, "bad")),)
    stores = endangered_first(audit_of(seen, findings=found))
    assert [store.datastore.name for store in stores] == ["bad", "lost", "full"]
    assert stores[1].fill_ratio is None


def test_an_image_that_two_chains_share_is_held_once_and_an_unknown_size_opens_the_range() -> None:
    shared = layer("/vm/delta", role=LayerRole.DELTA, size_bytes=3 * GIB)
    unknown = layer("/vm/other", role=LayerRole.PHANTOM, size_bytes=None)
    seen = inventory(vm("a", disks=(disk(shared),)), vm("b", disks=(disk(shared, unknown),)))
    (store,) = endangered_first(audit_of(seen))
    assert (store.held.min, store.held.max) == (3 * GIB, None)


def test_a_view_puts_the_surest_suspect_first() -> None:
    found = (
        purpose("a", "s", "makeshift_backup", 61),
        purpose("b", "s", "makeshift_backup", 90),
        purpose("c", "s", "change_safety", 99),
    )
    assert [one.score for one in view(audit_of(inventory(), purposes=found)).suspects] == [90, 61]


def test_a_snapshot_is_named_with_its_machine() -> None:
    assert subject_name(on_snapshot("web01", "a")) == "web01 / a"
    assert subject_name(on_machine("web01")) == "web01"


def test_a_tree_shows_descent_current_memory_protection_and_a_missing_image() -> None:
    first = snapshot("first", age="9d", protections=("held: by finance",))
    second = snapshot("second", age="2d", parent_id="first", has_memory=True)
    lost = layer("/vm/lost.qcow2", exists=False)
    machine = vm("web01", first, second, current_snapshot_id="second", disks=(disk(lost),))
    seen = inventory(machine)
    found = (finding("stale-snapshot", WARNING, on_snapshot("web01", "first"), OLD),)
    drawn = render_tree(machine, seen, audit_of(seen, findings=found), NOW).decode().splitlines()
    assert "first  9 days, size 1 GiB, internal  [protected]  warning: stale-snapshot" in drawn[1]
    assert "protected: held: by finance" in drawn[2]
    assert drawn[3].index("second") > drawn[1].index("first")
    assert "[current, with memory]" in drawn[3]
    assert "MISSING: the file is gone" in drawn[-1]


def test_a_tree_tells_where_a_machine_is_filed_and_what_is_said_of_it() -> None:
    machine = vm(
        "web01",
        snapshot("a"),
        folder="DC1/prod",
        tags=("prod",),
        traits=("encrypted",),
        attributes=(Attribute(name="owner", value="web team"),),
    )
    drawn = render_tree(machine, inventory(machine), None, NOW).decode()
    for words in ("filed in", "DC1/prod", "traits", "encrypted", "attribute owner", "web team"):
        assert words in drawn


def test_a_tree_of_damaged_records_shows_each_snapshot_once() -> None:
    circle = (snapshot("a", parent_id="b"), snapshot("b", parent_id="a"))
    machine = vm("web01", *circle, snapshot("c", parent_id="gone"))
    drawn = render_tree(machine, inventory(machine), None, NOW).decode()
    assert [drawn.count(f"── {name}  ") for name in "abc"] == [1, 1, 1]


def test_a_deep_tree_stays_readable_to_its_end() -> None:
    chain = [snapshot("s0")]
    chain += [snapshot(f"s{n}", parent_id=f"s{n - 1}") for n in range(1, 300)]
    machine = vm("web01", *chain)
    drawn = render_tree(machine, inventory(machine), None, NOW).decode().splitlines()
    assert any("depth 299: s299  1 hour, size 1 GiB, internal" in line for line in drawn)
    assert max(map(len, drawn)) <= 100
