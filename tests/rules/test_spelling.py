from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.codec.yaml import parse_yaml
from snapaudit.model.policy import All, AnyOf, Comparison, Condition, SubjectKind
from snapaudit.model.units import (
    parse_duration,
    parse_ratio,
    parse_size,
    write_duration,
    write_ratio,
    write_size,
)
from snapaudit.rules import spelling
from snapaudit.rules.conditions import read_condition
from snapaudit.rules.facts import BoundType, Fact, all_facts
from snapaudit.rules.operators import LISTS, PATTERNS, names
from tests.rules.verdicts import policy

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=9)
SPANS = st.integers(0, 10**15).map(lambda number: timedelta(microseconds=number))
BOUNDS: dict[BoundType, st.SearchStrategy[Any]] = {
    BoundType.DURATION: SPANS,
    BoundType.SIZE: st.integers(0, 10**15),
    BoundType.RATIO: st.integers(0, 10**9).map(lambda number: float(f"{number / 10**6}") / 100),
    BoundType.COUNT: st.integers(0, 10**9),
    BoundType.BOOLEAN: st.booleans(),
}


def bounds(fact: Fact, operator: str) -> st.SearchStrategy[Any]:
    if operator in PATTERNS:
        return st.sampled_from(["^a b", "it's", "x{1,3}", "[a-z]: #1", "off", "3"])
    word = st.sampled_from(fact.words) if fact.words else TEXTS
    if operator in LISTS:
        return st.lists(word, min_size=1, max_size=3).map(tuple)
    return BOUNDS.get(fact.bound_type, word)


@st.composite
def comparisons(draw: st.DrawFn, subject: SubjectKind) -> Comparison:
    fact = draw(st.sampled_from([fact for fact in all_facts() if fact.subject is subject]))
    operator = draw(st.sampled_from(names(fact.bound_type)))
    argument = draw(st.sampled_from(["owner", "a: b", "it's", "on"])) if fact.argument else None
    bound = draw(bounds(fact, operator))
    return Comparison(fact=fact.name, operator=operator, bound=bound, argument=argument)


@st.composite
def conditions(draw: st.DrawFn, subject: SubjectKind) -> Condition:
    def grouped(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        some = st.lists(parts, min_size=2, max_size=3).map(tuple)
        return st.one_of(st.builds(All, parts=some), st.builds(AnyOf, parts=some))

    return draw(st.recursive(comparisons(subject), grouped, max_leaves=4))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_condition_that_is_written_out_and_read_again_is_the_same(data: st.DataObject) -> None:
    subject = data.draw(st.sampled_from(SubjectKind))
    condition = data.draw(conditions(subject))
    written = spelling.condition(condition, subject)
    assert read_condition(parse_yaml(written, "x"), subject) == condition


@given(SPANS, BOUNDS[BoundType.SIZE], BOUNDS[BoundType.RATIO])
def test_quantity_that_is_written_and_read_again_is_the_same(
    span: timedelta, size: int, ratio: float
) -> None:
    assert parse_duration(write_duration(span)) == span
    assert parse_size(write_size(size)) == size
    assert parse_ratio(write_ratio(ratio)) == ratio


@pytest.mark.parametrize(
    ("text", "size", "ratio"),
    [("3d", "20GB", "85%"), ("1d12h", "1536MiB", "2.5%"), ("0s", "0B", "0%")],
)
def test_quantities_are_written_as_people_write_them(text: str, size: str, ratio: str) -> None:
    assert write_duration(parse_duration(text)) == text
    assert write_size(parse_size(size)) == size
    assert write_ratio(parse_ratio(ratio)) == ratio


def test_one_line_of_the_pack_is_written_as_it_stands_there() -> None:
    (rule,) = [rule for rule in policy().rules if rule.id == "oversized-snapshot"]
    (warning,) = [level for grade, level in rule.levels.items() if grade == "warning"]
    written = spelling.condition(warning, rule.subject)
    assert f"  warning: {written}\n" in Path(rule.source.source).read_text(encoding="utf-8")
