"""Answers: yes, no or unknown to a condition, by Kleene's three-valued logic.

A condition is compiled once; what is asked a million times is a closure over fact and bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from snapaudit.model.finding import Evidence, FactValue
from snapaudit.model.policy import All, AnyOf, Bound, Comparison, Condition, SubjectKind
from snapaudit.rules import operators
from snapaudit.rules.facts import BoundType, facts_of
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.scene import Scene


@dataclass(frozen=True, slots=True)
class Open:
    """No answer, because this fact is unknown."""

    fact: str
    reason: str


class Answer(StrEnum):
    """What a comparison says, in words."""

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


Reply = bool | Open
Asked = Callable[[Any], Reply]


@dataclass(frozen=True, slots=True, eq=False)
class Test:
    """A compiled condition.

    ``ask``: True, False or Open. ``evidence``: the comparisons that make it hold, for a scene where
    it does. ``weigh``: every comparison with its answer.
    """

    ask: Asked
    evidence: Callable[[Scene], tuple[Evidence, ...]]
    weigh: Callable[[Scene], tuple[Weighed, ...]]


def compile_condition(condition: Condition, subject: SubjectKind) -> Test:
    """The condition as functions of a scene of this kind."""
    match condition:
        case Comparison():
            return _compile_comparison(condition, subject)
        case All(parts=parts):
            return _compile_all(tuple(compile_condition(part, subject) for part in parts))
        case AnyOf(parts=parts):
            return _compile_any(tuple(compile_condition(part, subject) for part in parts))


def _compile_comparison(comparison: Comparison, subject: SubjectKind) -> Test:
    fact = facts_of(subject)[comparison.fact]
    measure, holds = fact.measure, operators.tester(comparison.operator, comparison.bound)

    def ask(scene: Any) -> Reply:
        value = measure(scene)
        if value.__class__ is Unknown:
            return _ask_unknown(value, comparison)
        return holds(value)

    def evidence(scene: Any) -> tuple[Evidence, ...]:
        value = _printable(measure(scene))
        return (
            Evidence(
                fact=fact.name,
                value=value,
                operator=comparison.operator,
                bound=comparison.bound,
            ),
        )

    def weigh(scene: Any) -> tuple[Weighed, ...]:
        value = measure(scene)
        return (
            Weighed(
                fact=fact.name,
                bound_type=fact.bound_type,
                value=_printable(value),
                operator=comparison.operator,
                bound=comparison.bound,
                answer=answer_of(ask(scene)),
                reason=value.reason if isinstance(value, Unknown) else None,
            ),
        )

    return Test(ask, evidence, weigh)


def _ask_unknown(value: Unknown, comparison: Comparison) -> Reply:
    if value.at_least is not None:
        name, bound = comparison.operator, comparison.bound
        answer = operators.settled_from_below(name, value.at_least, bound)
        if answer is not None:
            return answer
    return Open(comparison.fact, value.reason)


def _printable(value: Any) -> FactValue:
    match value:
        case Unknown():
            return value.at_least
        case StrEnum():
            return value.value
        case _:
            known: FactValue = value
            return known


def answer_of(reply: Reply) -> Answer:
    """The reply as a word."""
    if isinstance(reply, Open):
        return Answer.UNKNOWN
    return Answer.YES if reply else Answer.NO


def _compile_all(parts: tuple[Test, ...]) -> Test:
    asked = tuple(part.ask for part in parts)

    def ask(scene: Any) -> Reply:
        unsettled: Open | None = None
        for part in asked:
            reply = part(scene)
            if reply is False:
                return False
            if reply is not True and unsettled is None:
                unsettled = reply
        return True if unsettled is None else unsettled

    def evidence(scene: Scene) -> tuple[Evidence, ...]:
        return tuple(item for part in parts for item in part.evidence(scene))

    return Test(ask, evidence, _weigh_each(parts))


def _compile_any(parts: tuple[Test, ...]) -> Test:
    asked = tuple(part.ask for part in parts)

    def ask(scene: Any) -> Reply:
        unsettled: Open | None = None
        for part in asked:
            reply = part(scene)
            if reply is True:
                return True
            if reply is not False and unsettled is None:
                unsettled = reply
        return False if unsettled is None else unsettled

    def evidence(scene: Scene) -> tuple[Evidence, ...]:
        holding = (part for part in parts if part.ask(scene) is True)
        return tuple(item for part in holding for item in part.evidence(scene))

    return Test(ask, evidence, _weigh_each(parts))


def _weigh_each(parts: tuple[Test, ...]) -> Callable[[Scene], tuple[Weighed, ...]]:
    return lambda scene: tuple(item for part in parts for item in part.weigh(scene))
