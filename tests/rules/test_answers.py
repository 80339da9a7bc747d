from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.codec.yaml import parse_yaml
from snapaudit.model.finding import Subject
from snapaudit.model.inventory import PowerState
from snapaudit.model.policy import All, AnyOf, Comparison, Condition, SubjectKind
from snapaudit.rules.answers import Answer, answer_of, compile_condition
from snapaudit.rules.columns import Columns
from snapaudit.rules.conditions import negation, read_condition
from snapaudit.rules.explain import Explanation, explain
from snapaudit.rules.facts import BoundType, all_facts
from snapaudit.rules.operators import OPPOSITE, names
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.scene import MachineScene
from snapaudit.rules.staging import stage
from tests.builders import GIB, NOW, inventory, snapshot, vm
from tests.rules.verdicts import policy

YES = Comparison(fact="is_template", operator="is", bound=False)
NO = Comparison(fact="is_template", operator="is", bound=True)
UNKNOWN = Comparison(fact="is_busy", operator="is", bound=True)
WORDS = {Answer.YES: YES, Answer.NO: NO, Answer.UNKNOWN: UNKNOWN}
ANSWERS = st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=4)


def asked(condition: Condition, name: str = "a", **machine: Any) -> Answer:
    subject = replace(vm(name, busy=None), **machine)
    scenes = stage(inventory(subject), NOW, classifier())
    test = compile_condition(condition, SubjectKind.VIRTUAL_MACHINE)
    (reply,) = test.ask(Columns(scenes.machines))
    return answer_of(reply)


@settings(deadline=None)
@given(ANSWERS)
def test_all_is_as_sure_as_its_least_sure_part_and_no_outweighs(parts: list[Answer]) -> None:
    expected = next((word for word in ("no", "unknown") if word in parts), "yes")
    assert asked(All(parts=tuple(WORDS[part] for part in parts))) == expected


@settings(deadline=None)
@given(ANSWERS)
def test_any_is_as_sure_as_its_surest_part_and_yes_outweighs(parts: list[Answer]) -> None:
    expected = next((word for word in ("yes", "unknown") if word in parts), "no")
    assert asked(AnyOf(parts=tuple(WORDS[part] for part in parts))) == expected


CONDITIONS = st.recursive(
    st.sampled_from([YES, NO, UNKNOWN]),
    lambda parts: st.builds(
        lambda group, some: group(parts=tuple(some)),
        st.sampled_from([All, AnyOf]),
        st.lists(parts, min_size=1, max_size=3),
    ),
    max_leaves=8,
)
TURNED = {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.UNKNOWN: Answer.UNKNOWN}


@settings(deadline=None)
@given(CONDITIONS)
def test_not_turns_yes_and_no_round_and_leaves_the_unknown_unknown(condition: Condition) -> None:
    assert asked(negation(condition)) is TURNED[asked(condition)]
    assert negation(negation(condition)) == condition


@pytest.mark.parametrize("word", OPPOSITE)
def test_every_operator_has_an_opposite_that_fits_the_same_facts(word: str) -> None:
    kinds = [kind for kind in BoundType if word in names(kind) and kind is not BoundType.BOOLEAN]
    assert kinds
    assert all(OPPOSITE[word] in names(kind) for kind in kinds)


@pytest.mark.parametrize(
    ("operator", "bound", "expected"),
    [
        ("over", 2 * GIB, "yes"),
        ("over", 3 * GIB, "unknown"),
        ("at_least", 3 * GIB, "yes"),
        ("at_least", 3 * GIB + 1, "unknown"),
        ("under", 3 * GIB, "no"),
        ("under", 3 * GIB + 1, "unknown"),
        ("at_most", 2 * GIB, "no"),
        ("at_most", 3 * GIB, "unknown"),
    ],
)
def test_sum_known_in_part_answers_only_what_its_lower_bound_settles(
    operator: str, bound: int, expected: str
) -> None:
    shots = (snapshot("a", size_bytes=3 * GIB), snapshot("b", size_bytes=None))
    comparison = Comparison(fact="snapshots_size", operator=operator, bound=bound)
    assert asked(comparison, snapshots=shots) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{name: {is: Web01}}", "yes"),
        ("{name: {is: web01}}", "no"),
        ("{name: {in: [a, Web01]}}", "yes"),
        ("{name: {matches: '^web[0-9]+$'}}", "yes"),
        ("{name: {matches: '^eb'}}", "no"),
        ("{power: {is: paused}}", "yes"),
        ("{snapshots: {at_most: 0}, is_template: {is: false}}", "yes"),
        ("{any: [{snapshots: {over: 0}}, {all: [{power: {in: [paused]}}]}]}", "yes"),
        ("{name: {is_not: Web01}}", "no"),
        ("{name: {not_in: [a, b]}}", "yes"),
        ("{name: {not_matches: '^web'}}", "no"),
        ("{not: {power: {is: 'on'}}}", "yes"),
        ("{not: {power: {is: paused}, name: {is: other}}}", "yes"),
        ("{not: {is_busy: {is: true}}}", "unknown"),
        ("{snapshots: {at_most: 0}, unless: {name: {matches: web}}}", "no"),
        ("{snapshots: {at_most: 0}, unless: {is_busy: {is: true}}}", "unknown"),
        ("{not: {any: [{snapshots: {over: 0}}, {not: {power: {is: paused}}}]}}", "yes"),
    ],
)
def test_written_condition_answers_as_it_reads(text: str, expected: str) -> None:
    condition = read_condition(parse_yaml(text, "x"), SubjectKind.VIRTUAL_MACHINE)
    assert asked(condition, name="Web01", power_state=PowerState.PAUSED) == expected


def test_half_a_surrogate_pair_in_a_name_does_no_harm() -> None:
    condition = Comparison(fact="name", operator="matches", bound="a")
    assert asked(condition, name="\udc80a") == "yes"


def test_hostile_pattern_takes_no_longer_than_the_text_is_long() -> None:
    condition = Comparison(fact="name", operator="matches", bound="(a+)+$")
    assert asked(condition, name="a" * 60_000 + "!") == "no"


def test_name_of_a_megabyte_is_not_searched_and_never_matches() -> None:
    name = "a" * 2**20
    for operator in ("matches", "not_matches"):
        assert asked(Comparison(fact="name", operator=operator, bound="(a+)+$"), name) == "unknown"


def explained(rule: str, subject_id: str = "s", **changes: Any) -> Explanation:
    def wanted(subject: Subject) -> bool:
        return subject.id == subject_id

    fleet = inventory(vm("a", snapshot("s", **changes)))
    return next(e for e in explain([fleet], policy(), NOW, wanted) if e.rule.id == rule)


def test_explanation_shows_every_comparison_with_value_and_answer() -> None:
    told = explained("stale-snapshot", age="4d")
    critical, warning = (condition for _, condition in told.levels)
    assert (told.severity, critical.answer, warning.answer) == ("warning", "no", "yes")
    (comparison,) = warning.comparisons
    assert (comparison.fact, comparison.bound_type) == ("age", BoundType.DURATION)
    assert told.unless is not None
    assert told.unless.answer is Answer.NO


def test_explanation_of_the_unknown_gives_its_reason() -> None:
    told = explained("stale-snapshot", created_at=None)
    assert told.severity is None
    assert told.undetermined == "age: the hypervisor does not tell when it was taken"


def test_explanation_covers_every_rule_about_the_subject() -> None:
    fleet = inventory(vm("a", snapshot("s")))
    told = explain([fleet], policy(), NOW, lambda subject: subject.id == "s")
    about = [rule.id for rule in policy().rules if rule.subject is SubjectKind.SNAPSHOT]
    assert [explanation.rule.id for explanation in told] == about


def test_every_fact_says_in_one_sentence_what_it_is() -> None:
    for fact in all_facts():
        first = fact.description.split("\n")[0]
        assert first.endswith((".", "?")), fact.name
        assert len({other.name for other in all_facts() if other is fact}) == 1


def test_facts_know_their_bound_type_from_their_signature() -> None:
    kinds = {(fact.subject.value, fact.name): fact.bound_type for fact in all_facts()}
    assert kinds["snapshot", "size"] is BoundType.SIZE
    assert kinds["snapshot", "makeshift_score"] is BoundType.COUNT
    assert kinds["datastore", "used_share"] is BoundType.RATIO
    words = {fact.name: fact.words for fact in all_facts() if fact.subject == "file"}
    assert words["role"] == ("volume", "overlay", "memory", "phantom")


def test_fact_of_a_machine_without_disks_is_no_share_of_nothing() -> None:
    scenes = stage(inventory(vm("a", snapshot("s"), disks=())), NOW, classifier())
    (machine,) = scenes.machines
    assert isinstance(machine, MachineScene)
    condition = Comparison(fact="snapshots_share", operator="over", bound=0.1)
    assert asked(condition, disks=(), snapshots=(snapshot("s"),)) is Answer.UNKNOWN
