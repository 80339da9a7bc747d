"""Explain tells all that is known of a subject, and all that a rule means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snapaudit.app.explaining import explain, explain_rule
from snapaudit.app.foreseeing import held
from snapaudit.config.settings import Settings
from snapaudit.enforce.holding import Wish, add
from snapaudit.enforce.state import State
from snapaudit.errors import UsageError
from snapaudit.model.exemption import Exemption
from snapaudit.model.explanation import Explanation, Relation
from snapaudit.model.inventory import Inventory, LayerRole
from snapaudit.model.policy import Mode, Policy, SubjectKind
from snapaudit.report.explanation import render_explanation
from snapaudit.report.ruling import render_rule
from snapaudit.rules.engine import audit
from snapaudit.rules.facts import facts_of
from tests.builders import GIB, NOW, disk, inventory, layer, snapshot, vm
from tests.exempting import exemption
from tests.rules.verdicts import policy

DAY = timedelta(days=1)


def fleet(**changes: object) -> Inventory:
    shot = snapshot("before", age="9d", creator=None, description="x", **changes)
    protected = ("replication: a replica stands on it",)
    return inventory(vm("web01", shot, snapshot("young")), vm("db01", protections=protected))


def told(
    word: str, *exemptions: Exemption, seen: Inventory | None = None, **rules: Any
) -> Explanation:
    under = replace(policy(), exemptions=exemptions, **rules)
    found = audit([seen or fleet()], under, NOW)
    return explain(found, under, NOW, word)


def near(word: str, *exemptions: Exemption) -> list[tuple[str, Relation, str]]:
    found = told(word, *exemptions).exemptions
    return [(one.exemption.id, one.relation, one.sentence) for one in found]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("web01/before", SubjectKind.SNAPSHOT),
        ("web01", SubjectKind.VIRTUAL_MACHINE),
        ("pool-1", SubjectKind.DATASTORE),
        ("kvm1", SubjectKind.ENDPOINT),
    ],
)
def test_every_fact_that_needs_no_argument_is_told_with_its_value_or_why_not(
    word: str, kind: SubjectKind
) -> None:
    facts = told(word).facts
    wanted = {name for name, fact in facts_of(kind).items() if fact.argument is None}
    assert {one.name for one in facts} == wanted
    assert all(one.value is not None or one.reason for one in facts)


def test_fact_says_its_unit_and_what_it_is_about() -> None:
    facts = {one.name: one for one in told("web01/before").facts}
    assert (facts["size"].type, facts["size"].value) == ("size", GIB)
    assert (facts["age"].type, facts["age"].value) == ("duration", 9 * DAY)
    assert facts["creator"].value is None
    assert facts["creator"].reason == "the hypervisor does not tell who took it"
    assert facts["vm_name"].of is SubjectKind.VIRTUAL_MACHINE
    kinds = [one.of for one in told("web01/before").facts]
    assert list(dict.fromkeys(kinds)) == [
        SubjectKind.SNAPSHOT,
        SubjectKind.VIRTUAL_MACHINE,
        SubjectKind.ENDPOINT,
    ]


def test_exemptions_that_fit_or_nearly_do_are_told_with_the_difference() -> None:
    assert near(
        "web01/before",
        exemption("fits", vm="web01"),
        exemption("over", created="2026-01-01", expires="2026-02-01", snapshot="before"),
        exemption("idle", rules=["ancient-snapshot"], vm="web*"),
        exemption("misses", vm="web01", snapshot="after*"),
        exemption("other", vm="db01"),
        exemption("far", endpoint="kvm1", vm="db01"),
        exemption("kind", rules=["oversized-snapshot"], vm="web01"),
    ) == [
        ("fits", Relation.ACCEPTS, "accepts stale-snapshot until 2026-07-01"),
        ("over", Relation.ENDED, "has ended (2026-02-01); accepted stale-snapshot"),
        ("idle", Relation.IDLE, "accepts ancient-snapshot, of which nothing was found here"),
        ("misses", Relation.MISSES, "does not fit: its snapshot is 'after*'"),
    ]


def test_level_of_several_comparisons_says_what_they_add_up_to() -> None:
    shots = (snapshot("a", size_bytes=2 * GIB), snapshot("b", size_bytes=GIB))
    explanation = told(
        "big", seen=inventory(vm("big", *shots, disks=(disk(capacity_bytes=9 * GIB),)))
    )
    (size,) = [one for one in explanation.answers if one.rule == "oversized-snapshot"]
    written = "{any: [{snapshots_size: {over: 20GB}}, {snapshots_share: {over: 25%}}]}"
    warning = next(level for level in size.levels if level.level == "warning")
    assert (warning.condition, warning.answer) == (written, "yes")
    page = render_explanation(explanation, None, NOW, width=140, colour=False).decode()
    lines = [line.strip() for line in page.splitlines()]
    at = lines.index(f"warning: {written} → yes")
    assert lines[at + 1 : at + 3] == [
        "snapshots size is 3 GiB; asked: over 18.6 GiB → no",
        "snapshots share is 33.3%; asked: over 25% → yes",
    ]
    assert "critical: longest chain is 1; asked: at least 24 → no" in lines


def test_answer_says_who_accepts_its_finding() -> None:
    answers = {one.rule: one for one in told("web01/before", exemption(vm="web01")).answers}
    assert (answers["stale-snapshot"].exemption or "").startswith("EX-1 of dba until 2026-07-01")
    assert answers["ancient-snapshot"].exemption is None


def test_exemption_is_a_subject_of_its_own() -> None:
    found = told("EX-1", exemption(vm="web01"))
    assert found.subject.kind is SubjectKind.EXEMPTION
    assert {one.name: one.value for one in found.facts}["findings"] == 1
    assert [one.rule for one in found.answers] == [
        "exemption-expired",
        "exemption-ownerless",
        "exemption-too-long",
        "exemption-unused",
    ]
    assert [one.relation for one in found.exemptions] == [Relation.ACCEPTS]


def test_protections_of_the_machine_count_for_its_snapshots() -> None:
    shot, kept = snapshot("s", protections=("held: a",)), ("held: b",)
    found = told("web01/s", seen=inventory(vm("web01", shot, protections=kept)))
    assert found.protections == ("held: a", "held: b")


def test_overlay_that_no_snapshot_explains_can_be_asked_about() -> None:
    phantom = layer("/vm/web01-000001.qcow2", role=LayerRole.PHANTOM)
    seen = inventory(vm("web01", disks=(disk(layer(), phantom),)))
    found = told("web01-000001.qcow2", seen=seen)
    assert (found.subject.kind, found.answers[1].rule) == (SubjectKind.FILE, "phantom-delta")


def test_word_that_is_nearly_a_rule_names_the_rule() -> None:
    with pytest.raises(UsageError, match="did you mean 'stale-snapshot'"):
        told("stale-snapshots")


def test_every_hold_is_told_and_not_only_the_first(tmp_path: Path) -> None:
    settings = Settings(state=tmp_path / "state", reports=tmp_path)
    for owner in ("ada", "eve"):
        wish = Wish(
            endpoint=None, vm="web01", snapshot=None, owner=owner, reason="r", expires_at=None
        )
        add(State(settings.state), wish, NOW)
    found = audit([fleet()], policy(), NOW)
    subject = explain(found, policy(), NOW, "web01/before").subject
    first, second = held(found, settings, subject, NOW)
    assert ("of ada" in first, "of eve" in second) == (True, True)
    store = explain(found, policy(), NOW, "pool-1").subject
    assert held(found, settings, store, NOW) == ()


@pytest.mark.parametrize("width", [80, 140])
def test_page_of_a_snapshot_fits_its_terminal_and_holds_every_fact(width: int) -> None:
    hostile = exemption(vm="web01", owner="\x1b[2J\u202e", reason="=1\n2")
    found = replace(told("web01/before", hostile), holds=("hold h1 of ada: r",))
    page = render_explanation(found, None, NOW, width=width, colour=False).decode()
    assert max(len(line) for line in page.splitlines()) <= width
    assert all(char.isprintable() or char == "\n" for char in page)
    for piece in ("Accepted", "exempt: EX-1", "hold h1 of ada", "vm_power", "unknown: the hyper"):
        assert piece in page, piece


def test_rule_is_explained_with_levels_cases_and_the_exemptions_that_name_it() -> None:
    rule = next(one for one in policy().rules if one.id == "stale-snapshot")
    under = replace(policy(), exemptions=(exemption(vm="a"), exemption("no", rules=["x"], vm="a")))
    found = explain_rule(rule, under, NOW)
    assert [one.name for one in found.resolved.environments] == ["default", "prod"]
    assert found.cases
    assert all(case.holds for case in found.cases)
    assert [one.id for one in found.exemptions] == ["EX-1"]
    assert (found.mode, found.honours_expiry, found.is_disabled) == (Mode.APPLY, True, False)
    page = render_rule(found, rule, NOW, width=80, colour=False).decode()
    for piece in ("prod", "{age: {over: 7d}}", "stale-snapshot.yaml:", "hold", "EX-1", "last day"):
        assert piece in page, piece
    assert max(len(line) for line in page.splitlines()) <= 80


def test_rule_that_is_switched_off_is_explained_and_said_to_be_off() -> None:
    rule = policy().rules[0]
    found = explain_rule(rule, Policy(rules=(), disabled=(rule.id,)), NOW)
    assert found.is_disabled
    assert "switched off" in render_rule(found, rule, NOW, width=80, colour=False).decode()
