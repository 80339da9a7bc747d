"""Explanation: why a subject is or is not a finding, rule by rule and number by number."""

from __future__ import annotations

from dataclasses import dataclass

from snapaudit.model.finding import FactValue, Purpose, Subject
from snapaudit.model.policy import Severity

EXPLANATION_SCHEMA = "snapaudit/explanation@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedFact:
    """One comparison of a rule: the value that was found, the bound, and the answer in a word.

    ``level`` is the grade it belongs to, or ``unless``; ``reason`` says why a value is unknown.
    """

    level: str
    fact: str
    value: FactValue
    operator: str
    bound: FactValue
    answer: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """What one rule says; no severity and nothing undetermined: nothing."""

    rule: str
    title: str
    environment: str | None
    severity: Severity | None
    undetermined: str | None
    weighed: tuple[WeighedFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything the rules ask about one subject, and what it seems to be for."""

    schema: str = EXPLANATION_SCHEMA
    subject: Subject
    protections: tuple[str, ...]
    purpose: Purpose | None
    answers: tuple[RuleAnswer, ...]
