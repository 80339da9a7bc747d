"""The schema for editors agrees with the reader, as far as a schema can."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from snapaudit.codec.yaml import Node, parse_yaml
from snapaudit.errors import InputError
from snapaudit.model.policy import AtLeast, SubjectKind
from snapaudit.rules import spelling
from snapaudit.rules.conditions import read_condition
from snapaudit.rules.facts import all_facts, facts_of
from snapaudit.rules.loader import builtin_folder
from snapaudit.rules.rulefile import read_rule
from snapaudit.rules.schema import rule_schema
from tests.rules.test_loader import GOOD, MISTAKES
from tests.rules.test_spelling import conditions

VALIDATOR = Draft202012Validator(rule_schema())
# What only the reader sees: the name of the file, the same key twice, RE2, which of two durations
# is longer, and the environments of the site.
_READERS_OWN = re.compile(
    "the name of the file|stands twice|missing \\)|perl operator|smaller repetitions"
    "|a grace of nothing|shorter than|longer than nothing|there is no environment"
)


def plain(node: Node) -> Any:
    """The node as JSON would hold it."""
    match node.value:
        case dict():
            return {key: plain(child) for key, child in node.value.items()}
        case tuple():
            return [plain(item) for item in node.value]
        case _:
            return node.value


def is_accepted(text: str) -> bool:
    return bool(VALIDATOR.is_valid(plain(parse_yaml(text, "x"))))


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(rule_schema())


@pytest.mark.parametrize("file", sorted(builtin_folder().iterdir()), ids=lambda file: file.stem)
def test_every_rule_of_the_pack_is_accepted(file: Path) -> None:
    errors = list(VALIDATOR.iter_errors(plain(parse_yaml(file.read_text("utf-8"), file.name))))
    assert not errors, errors[0].message


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[1].strip()[:40])
def test_mistake_that_the_reader_tells_is_told_by_the_schema_too(mistake: tuple[str, ...]) -> None:
    old, new, _, message, *_ = mistake
    try:
        accepted = is_accepted(GOOD.replace(old, new))
    except InputError:
        accepted = False  # no YAML that any editor could check
    assert accepted is bool(_READERS_OWN.search(message)) or "stands twice" in message


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_condition_that_the_reader_accepts_is_accepted_by_the_schema(data: st.DataObject) -> None:
    subject = data.draw(st.sampled_from(SubjectKind))
    written = spelling.condition(data.draw(conditions(subject)), subject)
    rule = GOOD.replace("subject: snapshot", f"subject: {subject}")
    assert is_accepted(rule.replace("{age: {over: 3d}}", written))


WORDS = sorted({fact.name for fact in all_facts()} | {"any", "all", "not", "unless", "over", "is"})
LOOSE = st.recursive(
    st.sampled_from([True, 3, 2.5, "3d", "5%", "1GB", "on", "", " ", None]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(WORDS), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(WORDS), LOOSE, max_size=2))
def test_whatever_the_schema_accepts_as_a_condition_the_reader_accepts_too(written: Any) -> None:
    document = plain(parse_yaml(GOOD, "x"))
    document["levels"] = {"warning": written}
    node = noded(written)
    try:
        read_condition(node, SubjectKind.SNAPSHOT)
        reads = True
    except InputError:
        reads = False
    assert VALIDATOR.is_valid(document) is reads


def noded(value: Any) -> Node:
    """Plain values as the YAML reader would hand them over."""
    place = parse_yaml("x", "x").place
    match value:
        case dict():
            return Node({key: noded(child) for key, child in value.items()}, place, place)
        case list():
            return Node(tuple(noded(item) for item in value), place, place)
        case _:
            return Node(value, place, place)


def test_every_fact_is_offered_with_its_sentence() -> None:
    definitions = rule_schema()["$defs"]
    for subject in SubjectKind:
        offered = definitions[f"{subject}-condition"]["properties"]
        for name, fact in facts_of(subject).items():
            assert offered[name]["description"] == fact.description


def test_values_that_cases_give_are_accepted_as_they_are_written(tmp_path: Path) -> None:
    age = facts_of(SubjectKind.SNAPSHOT)["past_expiry"]
    low = spelling.value(age, AtLeast(value=timedelta(days=2)))
    below = spelling.value(age, timedelta(days=-2))
    for value in (low, below):
        text = f"{GOOD}cases:\n  - {{given: {{past_expiry: {value}}}, expect: undetermined}}\n"
        assert is_accepted(text)
        (tmp_path / "my-rule.yaml").write_text(text, encoding="utf-8")
        (case,) = read_rule(tmp_path / "my-rule.yaml").cases
        assert spelling.given(case, SubjectKind.SNAPSHOT) == f"{{past_expiry: {value}}}"
