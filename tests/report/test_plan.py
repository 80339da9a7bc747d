from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from snapaudit.errors import UsageError
from snapaudit.model.inventory import CoverageState
from snapaudit.model.plan import Action, Bytes, Decision, Guard, Plan
from snapaudit.report.escape import columns, plain, storable
from snapaudit.report.formats import ENFORCE_FORMATS, render_plan
from snapaudit.report.opening import over
from snapaudit.report.planned import gain, kept, machines, refused_elsewhere
from tests.builders import GIB, NOW
from tests.report.hostile import hostile_names
from tests.report.plans import (
    consolidation,
    deletion,
    example_plan,
    excess,
    expected,
    keeping,
    manager,
    outlook,
    plan,
    refusal,
)

NAMES = tuple(hostile_names())
SKIPPED = Decision.SKIP


def joined(text: str) -> str:
    """The text whatever lines it is folded to."""
    return "".join(text.split())


def drawn(one: Plan, width: int = 160, file: str | None = None) -> str:
    return render_plan(one, "table", file=file, width=width).decode()


def first(one: Plan) -> str:
    return drawn(one).splitlines()[0]


def test_first_line_says_what_would_happen_and_that_it_can() -> None:
    said = first(plan(deletion(), deletion("web02"), consolidation()))
    assert said == (
        "READY  would delete 2 snapshots and consolidate 1 machine; gives back 27\u201336 GiB; "
        "can be applied as it is"
    )


def test_inv_11_plan_over_a_limit_says_which_by_how_much_and_both_ways_out() -> None:
    said = drawn(plan(deletion(), excess=(excess(), excess("max_bytes", 500 * GIB, 700 * GIB))))
    assert said.startswith("OVER LIMIT  cannot be applied as it is; would delete 1 snapshot")
    assert "! over max_actions by 4: 14 actions in one run; allowed are 10" in said
    assert "! over max_bytes by 200 GiB: 700 GiB to copy, 500 GiB allowed" in said
    assert '"decision": "skip"' in said
    assert "--reseal" in said
    assert "snapaudit enforce --worst 10" in said
    assert "--apply" not in said


def test_plan_within_its_limits_says_how_to_carry_it_out() -> None:
    said = drawn(plan(deletion()), file="/srv/state/plans/p.json")
    assert "snapaudit enforce --apply --plan /srv/state/plans/p.json" in said
    assert "--worst" not in said


def test_file_whose_name_cannot_be_typed_is_not_offered_for_typing() -> None:
    said = drawn(plan(deletion()), file="/srv/\u202egnp.json")
    assert "--plan /srv" not in said


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (plan(), "no finding offers a change"),
        (plan(refusals=(refusal(),)), "whatever a finding asks for, a guard forbids"),
        (plan(deletion(decision=SKIPPED)), "no action is left: 1 action skipped"),
    ],
)
def test_plan_that_changes_nothing_says_why(one: Plan, reason: str) -> None:
    assert first(one) == f"NOTHING TO DO  {reason}"
    assert "--apply" not in drawn(one)


def test_plan_without_anything_to_do_next_offers_nothing() -> None:
    said = drawn(plan(), file="/srv/state/plans/p.json")
    assert "Nothing has been changed by making this plan." in said
    assert "Next:" not in said


def test_what_is_left_out_so_far_comes_with_the_way_to_carry_it_out() -> None:
    said = drawn(plan(deletion(decision=SKIPPED)), file="/srv/state/plans/p.json")
    assert 'write "decision": "apply" at each of them in /srv/state/plans/p.json' in said
    assert "--reseal" in said
    assert "left out so far" not in drawn(plan(deletion()), file="/srv/state/plans/p.json")


def test_skipped_actions_count_neither_as_gain_nor_as_need() -> None:
    large = deletion("web02", decision=SKIPPED, needs_bytes=900 * GIB)
    said = drawn(plan(deletion(), large))
    assert "gives back 9\u201312 GiB" in said.splitlines()[0]
    assert "up to 13 GiB free" in said
    assert "1 to apply, 1 to skip" in said


def test_inv_07_unknown_gain_of_one_makes_the_sum_open_ended() -> None:
    open_ended = deletion(frees_bytes=Bytes(min=0, max=None))
    assert gain([deletion(), open_ended]) == Bytes(min=9 * GIB, max=None)
    assert "at least 9 GiB" in first(plan(deletion(), open_ended))


def test_action_tells_everything_that_a_reviewer_needs() -> None:
    one = deletion(
        because=("stale: a", "ancient: b"), note="ask Monday", description="CHG-4711",
        datastore_ids=("pool-1", "gone"),
    )  # fmt: skip
    said = drawn(plan(one))
    for part in (
        "kvm1 / web01", "id-web01", "delete before-upgrade", "taken 2026-05-23 12:00 UTC (9 days)",
        "CHG-4711", "because stale: a", "and ancient: b", "on pool-1, gone, copies 12 GiB",
        "note: ask Monday", "9\u201312 GiB", "13 GiB", "apply",
    ):  # fmt: skip
        assert part in said


def test_id_is_told_where_the_name_is_not_the_id() -> None:
    other = replace(deletion().expects, snapshot=expected("x", id="snapshot-17", created_at=None))
    said = drawn(plan(deletion(expects=other)))
    assert "taken unknown (unknown age), id snapshot-17" in said


def test_consolidation_names_the_images_that_go() -> None:
    said = drawn(plan(consolidation("crm01", "/vm/crm01-1.qcow2")))
    assert "consolidate its disks" in said
    assert "takes /vm/crm01-1.qcow2 out of vda" in said


def test_actions_keep_their_number_in_the_plan_when_they_stand_by_machine() -> None:
    found = machines(plan(deletion("a", "1"), deletion("b", "2"), deletion("a", "3")))
    assert [(one.vm_name, [n for n, _ in one.actions]) for one in found] == [
        ("a", [1, 3]),
        ("b", [2]),
    ]


def test_machines_of_one_name_on_two_endpoints_stay_apart() -> None:
    assert len(machines(plan(deletion(), deletion(endpoint="kvm2")))) == 2


def test_inv_22_every_refusal_is_named_with_guard_and_reason() -> None:
    many = tuple(
        refusal(f"vm{n}", f"s{n}", guard=Guard.HELD, reason="the owner") for n in range(99)
    )
    said = drawn(plan(deletion(), refusals=(*many, refusal("web01", "child"))))
    assert "held: the owner" in said
    assert all(f"kvm1: vm{n} / s{n}" in said for n in range(99))
    assert "delete child" in said
    assert "not-busy: a backup job runs on the machine" in said
    assert "100 refused by a guard" in said


def test_refusals_beside_actions_are_not_told_twice() -> None:
    one = plan(deletion(), refusals=(refusal("web01", "child"), refusal()))
    (fold,) = refused_elsewhere(one)
    assert fold.names == ("kvm1: files01 / quarter end",)


def test_kept_snapshots_fold_by_reason_with_examples_and_their_number() -> None:
    one = plan(kept=(*(keeping("a", f"s{n}", "young") for n in range(9)), keeping("b", "x", "odd")))
    assert [(fold.reason, len(fold.names)) for fold in kept(one)] == [("young", 9), ("odd", 1)]
    said = drawn(one)
    assert "10 snapshots" in said
    assert "and 6 more" in said


INCOMPLETE = [state for state in CoverageState if state is not CoverageState.COMPLETE]


@pytest.mark.parametrize("name", ENFORCE_FORMATS)
@pytest.mark.parametrize("state", INCOMPLETE)
def test_inv_22_no_format_hides_an_endpoint_that_was_not_seen(
    name: str, state: CoverageState
) -> None:
    blind = manager("hv7", state=state, reason="rights are missing")
    text = render_plan(plan(deletion(), managers=(manager(), blind)), name).decode()
    assert "hv7" in text
    assert state in text
    assert "rights are missing" in text


@pytest.mark.parametrize("name", ENFORCE_FORMATS)
def test_grd_15_grd_35_lab_and_unverified_connection_are_said_in_every_format(name: str) -> None:
    one = manager("hv7", lab="ages may be shorter", connection="anybody could answer")
    text = render_plan(plan(deletion(), managers=(one,)), name).decode()
    assert "ages may be shorter" in text
    assert "anybody could answer" in text
    if name == "table":
        assert "! LAB hv7: " in text
        assert "! UNVERIFIED hv7: " in text


@pytest.mark.parametrize(
    ("skew", "told"),
    [(301, "5 minutes ahead of ours"), (-7200, "2 hours behind ours"), (300, ""), (None, "")],
)
def test_grd_04_clock_that_is_off_by_more_than_five_minutes_is_told(
    skew: int | None, told: str
) -> None:
    text = drawn(plan(deletion(), managers=(manager(clock_skew_seconds=skew),)))
    assert ("! CLOCK kvm1" in text) is bool(told)
    assert told in text


def test_datastore_shows_before_worst_moment_and_after() -> None:
    said = drawn(plan(deletion(), datastores=(outlook(),)))
    (row,) = [line for line in said.splitlines() if line.startswith("kvm1 / pool-1")]
    assert row.split()[3:] == ["100", "GiB", "87", "GiB", "109\u2013112", "GiB"]
    assert "90%" in said
    assert "91.3%" in said


def test_datastore_that_does_not_tell_is_unknown_and_not_empty() -> None:
    lost = outlook(
        capacity_bytes=None, free_bytes=None, least_free_bytes=None, free_after_bytes=None
    )
    said = drawn(plan(deletion(), datastores=(lost,)))
    (row,) = [line for line in said.splitlines() if line.startswith("kvm1 / pool-1")]
    assert row.count("unknown") == 3


def test_reviewer_and_expiry_are_named() -> None:
    signed = plan(deletion(), reviewer="second", reviewed_at=NOW + timedelta(hours=1))
    said = drawn(signed)
    assert "signed off  by second 2026-06-01 13:00 UTC" in said
    assert "2026-06-04 12:00 UTC (after 3 days)" in said
    assert "signed off" not in drawn(plan(deletion()))


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_table_keeps_to_its_columns(width: int) -> None:
    assert max(map(columns, drawn(example_plan(), width).splitlines())) <= width


def test_table_without_colour_holds_no_control_sequence_and_says_the_same() -> None:
    coloured = render_plan(example_plan(), "table", colour=True)
    assert b"\x1b" in coloured
    assert b"\x1b" not in render_plan(example_plan(), "table")


def test_json_is_the_plan_document_itself() -> None:
    document = json.loads(render_plan(example_plan(), "json"))
    assert document["schema"] == "snapaudit/plan@1"
    assert [one["decision"] for one in document["actions"]] == ["apply", "skip", "apply", "apply"]
    assert document["actions"][3]["frees_bytes"] == {"min": 0, "max": None}


def test_unknown_format_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no format 'tabel' \(did you mean 'table'\?\)"):
        render_plan(plan(), "tabel")


def hostile(name: str, number: int) -> Action:
    snapshot = expected(name, description=name)
    expects = replace(deletion().expects, snapshot=snapshot)
    return deletion(
        name, name, because=(name,), note=name, expects=expects, vm_id=f"{number}{name}",
        datastore_ids=(name,), id=name,
    )  # fmt: skip


def hostile_plan() -> Plan:
    numbered = tuple(enumerate(NAMES))
    return plan(
        *(hostile(name, number) for number, name in numbered),
        managers=tuple(
            manager(name, lab=name, connection=name, state=CoverageState.PARTIAL, reason=name)
            for name in NAMES
        ),
        refusals=tuple(refusal(name, name, reason=name) for name in NAMES),
        kept=tuple(keeping(name, name, name) for name in NAMES),
        datastores=tuple(outlook(name) for name in NAMES),
        author="".join(NAMES),
        reviewer="".join(NAMES),
    )


def test_inv_24_tst_12_hostile_names_command_nothing_and_none_is_lost() -> None:
    text = render_plan(hostile_plan(), "table", width=1400).decode()
    assert all(char.isprintable() or char == "\n" for char in text)
    assert not [name for name in NAMES if joined(f"note: {plain(name)}") not in joined(text)]


def test_inv_24_coloured_table_of_hostile_names_holds_only_colours() -> None:
    text = render_plan(hostile_plan(), "table", colour=True).decode()
    own = [piece.split("m", 1)[0] for piece in text.split("\x1b[")[1:]]
    assert all(set(codes) <= set("0123456789;") for codes in own)
    assert text.count("\x1b") == len(own)


def test_tst_12_json_gives_hostile_names_back() -> None:
    document = json.loads(render_plan(hostile_plan(), "json"))
    assert {one["note"] for one in document["actions"]} == set(map(storable, NAMES))


def test_over_counts_things_and_measures_bytes() -> None:
    assert over(excess()).startswith("over max_actions by 4: ")
    assert over(excess("max_bytes", GIB, 3 * GIB)).startswith("over max_bytes by 2 GiB: ")
