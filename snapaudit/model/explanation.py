"""Explanation: why a subject is or is not a finding, rule by rule and number by number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from snapaudit.model.finding import FactValue, Purpose, Subject
from snapaudit.model.plan import Guard
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


class Verdict(StrEnum):
    """What a plan made now would do with a snapshot, or with a machine's chains."""

    PLANNED = "planned"
    REFUSED = "refused"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """What a plan made now would do with the subject; ``reasons`` say why, ``guard`` who forbids.

    ``over_limit``: the plan as a whole would be over a limit.
    """

    verdict: Verdict
    guard: Guard | None
    reasons: tuple[str, ...]
    over_limit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything the rules ask about one subject, and what it seems to be for."""

    schema: str = EXPLANATION_SCHEMA
    subject: Subject
    protections: tuple[str, ...]
    purpose: Purpose | None
    answers: tuple[RuleAnswer, ...]
    enforcement: Enforcement | None = None
