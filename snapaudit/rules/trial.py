"""Trial: a rule asked about the cases of its own file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from snapaudit.model.policy import AtLeast, Case, Given, Rule
from snapaudit.model.rulebook import CaseResult, RuleTests
from snapaudit.rules import spelling
from snapaudit.rules.cases import NOTHING, UNDETERMINED
from snapaudit.rules.columns import Columns
from snapaudit.rules.facts import Fact
from snapaudit.rules.judge import Judge, judge_of
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.resolved import origin

_NOT_GIVEN = Unknown("the case does not give it")


class _Given(Columns):
    """One scene of which only the given facts are known."""

    def __init__(self, case: Case) -> None:
        super().__init__((case,))
        self._given = dict(case.given)

    def values(self, fact: Fact) -> list[Any]:
        given = self._given.get(fact.name)
        return [_NOT_GIVEN if given is None else _measured(given)]


def try_rules(rules: Iterable[Rule]) -> RuleTests:
    """Every case of every rule, in their order."""
    known = tuple(rules)
    return RuleTests(
        results=tuple(result for rule in known for result in _try(rule)),
        without_cases=tuple(rule.id for rule in known if not rule.cases),
    )


def _try(rule: Rule) -> Iterator[CaseResult]:
    for case in rule.cases:
        yield _result(judge_of(rule, case.environment), case)


def _result(judge: Judge, case: Case) -> CaseResult:
    verdict = next(judge.verdicts(_Given(case)), None)
    unsettled = None if verdict is None else verdict.unsettled
    severity = None if verdict is None else verdict.severity
    return CaseResult(
        rule=judge.rule.id,
        origin=origin(case.source),
        environment=case.environment,
        given=spelling.given(case, judge.rule.subject),
        expected=_words(case.severity, case.is_undetermined),
        found=_words(severity, unsettled is not None),
        undetermined=None if unsettled is None else f"{unsettled.fact}: {unsettled.reason}",
    )


def _words(severity: str | None, is_undetermined: bool) -> tuple[str, ...]:
    words = (*((str(severity),) if severity else ()), *((UNDETERMINED,) if is_undetermined else ()))
    return words or (NOTHING,)


def _measured(given: Given) -> Any:
    """What a fact would answer: known in part is unknown with a lower bound."""
    match given:
        case AtLeast(value=int() | float() | timedelta() as known):
            return Unknown("the case gives a lower bound", known)
        case AtLeast():
            return Unknown("the case gives a lower bound")
        case _:
            return given
