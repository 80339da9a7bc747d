"""Answers: yes, no or unknown to a condition, by Kleene's three-valued logic.

A condition is compiled once to functions of columns: what is asked a million times is then one
comparison in one list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial, reduce
from itertools import repeat
from typing import Any

from snapaudit.model.finding import Evidence, FactValue
from snapaudit.model.policy import All, AnyOf, Bound, Comparison, Condition, SubjectKind
from snapaudit.rules import operators
from snapaudit.rules.columns import Columns
from snapaudit.rules.facts import BoundType, Fact, facts_of
from snapaudit.rules.patterns import LONGEST_TEXT
from snapaudit.rules.quantity import Unknown


@dataclass(frozen=True, slots=True)
class Open:
    """No answer, because this fact is unknown."""

    fact: str
    reason: str


_REMEMBERED = 1024
Reply = bool | Open


class Answer(StrEnum):
    """What a condition says, in words."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One comparison with the value it found; ``reason`` says why a value is unknown.

    With an unknown value that is known in part, ``value`` is that lower bound.
    """

    fact: str
    bound_type: BoundType
    value: FactValue
    operator: str
    bound: Bound
    answer: Answer
    reason: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """A compiled condition.

    ``ask``: the reply for each row. ``evidence``: the comparisons that make it hold, for a row
    where it does. ``weigh``: every comparison of a row with its answer.
    """

    ask: Callable[[Columns], list[Reply]]
    evidence: Callable[[Columns, int], tuple[Evidence, ...]]
    weigh: Callable[[Columns, int], tuple[Weighed, ...]]


@lru_cache(_REMEMBERED)
def compile_condition(condition: Condition, subject: SubjectKind) -> Test:
    """The condition as functions of scenes of this kind."""
    match condition:
        case Comparison():
            return _compile_comparison(condition, fact_asked(condition, subject))
        case All(parts=parts):
            return _compile_all(tuple(compile_condition(part, subject) for part in parts))
        case AnyOf(parts=parts):
            return _compile_any(tuple(compile_condition(part, subject) for part in parts))


def fact_asked(comparison: Comparison, subject: SubjectKind) -> Fact:
    """The fact that a comparison is about, with its argument where it needs one."""
    fact = facts_of(subject)[comparison.fact]
    return fact if comparison.argument is None else fact.about(comparison.argument)


def answer_of(reply: Reply) -> Answer:
    """The reply as a word."""
    if isinstance(reply, Open):
        return Answer.UNKNOWN
    return Answer.YES if reply else Answer.NO


def _compile_comparison(comparison: Comparison, fact: Fact) -> Test:
    holds, bound = _asker(comparison, fact)

    def reply(value: Any) -> Reply:
        if isinstance(value, Unknown):
            return _reply_to_unknown(value, comparison, fact)
        return holds(value, bound)

    def ask(columns: Columns) -> list[Reply]:
        values = columns.values(fact)
        if columns.are_known(fact):
            return list(map(holds, values, repeat(bound)))
        # As `reply`, written out: this is asked a hundred thousand times.
        return [
            holds(value, bound)
            if value.__class__ is not Unknown
            else _reply_to_unknown(value, comparison, fact)
            for value in values
        ]

    remembered = lru_cache(_REMEMBERED)(partial(_evidence, comparison, fact))

    def evidence(columns: Columns, row: int) -> tuple[Evidence, ...]:
        return (remembered(columns.values(fact)[row]),)

    def weigh(columns: Columns, row: int) -> tuple[Weighed, ...]:
        value = columns.values(fact)[row]
        return (_weighed(comparison, fact, value, reply(value)),)

    return Test(ask, evidence, weigh)


def _asker(comparison: Comparison, fact: Fact) -> tuple[Callable[[Any, Any], Reply], Any]:
    if comparison.operator not in operators.PATTERNS:
        return operators.tester(comparison.operator, comparison.bound)
    search, bound = operators.searcher(comparison.operator, comparison.bound)
    too_long = _open(fact.name, f"a text of over {LONGEST_TEXT:,} characters is not searched")

    def holds(value: Any, find: Any) -> Reply:
        found = search(value, find)
        return too_long if found is None else found

    return holds, bound


def _reply_to_unknown(value: Unknown, comparison: Comparison, fact: Fact) -> Reply:
    if value.at_least is not None:
        name, bound = comparison.operator, comparison.bound
        answer = operators.settled_from_below(name, value.at_least, bound)
        if answer is not None:
            return answer
    return _open(fact.name, value.reason)


@lru_cache(_REMEMBERED)
def _open(fact: str, reason: str) -> Open:
    """Most unknown values are unknown for the same few reasons."""
    return Open(fact, reason)


def _evidence(comparison: Comparison, fact: Fact, value: Any) -> Evidence:
    return Evidence(
        fact=fact.name,
        value=printable(value),
        operator=comparison.operator,
        bound=comparison.bound,
    )


def _weighed(comparison: Comparison, fact: Fact, value: Any, reply: Reply) -> Weighed:
    return Weighed(
        fact=fact.name,
        bound_type=fact.bound_type,
        value=printable(value),
        operator=comparison.operator,
        bound=comparison.bound,
        answer=answer_of(reply),
        reason=value.reason if isinstance(value, Unknown) else None,
    )


def printable(value: Any) -> FactValue:
    """A measured value as evidence and explanations hold it; of an unknown one, what is known."""
    match value:
        case Unknown():
            return value.at_least
        case StrEnum():
            return value.value
        case _:
            known: FactValue = value
            return known


def _compile_all(parts: tuple[Test, ...]) -> Test:
    def ask(columns: Columns) -> list[Reply]:
        return reduce(_both, (columns.replies(part.ask) for part in parts))

    def evidence(columns: Columns, row: int) -> tuple[Evidence, ...]:
        return tuple(item for part in parts for item in part.evidence(columns, row))

    return Test(ask, evidence, _weigh_each(parts))


def _compile_any(parts: tuple[Test, ...]) -> Test:
    def ask(columns: Columns) -> list[Reply]:
        return reduce(_either, (columns.replies(part.ask) for part in parts))

    def evidence(columns: Columns, row: int) -> tuple[Evidence, ...]:
        holding = (part for part in parts if columns.replies(part.ask)[row] is True)
        return tuple(item for part in holding for item in part.evidence(columns, row))

    return Test(ask, evidence, _weigh_each(parts))


def _both(left: list[Reply], right: list[Reply]) -> list[Reply]:
    """No outweighs unknown, unknown outweighs yes."""
    return [
        one if one is False or (one is not True and other is not False) else other
        for one, other in zip(left, right, strict=True)
    ]


def _either(left: list[Reply], right: list[Reply]) -> list[Reply]:
    """Yes outweighs unknown, unknown outweighs no."""
    return [
        one if one is True or (one is not False and other is not True) else other
        for one, other in zip(left, right, strict=True)
    ]


def _weigh_each(parts: tuple[Test, ...]) -> Callable[[Columns, int], tuple[Weighed, ...]]:
    return lambda columns, row: tuple(item for part in parts for item in part.weigh(columns, row))
