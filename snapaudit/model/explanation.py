"""Explanation: why a subject is or is not a finding, rule by rule and number by number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from snapaudit.model.exemption import ExemptionStanding
from snapaudit.model.finding import FactValue, Purpose, Subject
from snapaudit.model.plan import Guard
from snapaudit.model.policy import Mode, Remedy, Severity, SubjectKind
from snapaudit.model.rulebook import CaseResult, ResolvedRule

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
class LevelAnswer:
    """One level of a rule, or its ``unless``, as a rule file writes it, and its answer in a word.

    What its comparisons add up to, with ``any`` and ``all`` between them, is said here alone.
    """

    level: str
    condition: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFact:
    """One fact about the subject, or about what it belongs to (``of``), whatever rule asks it.

    ``type`` says how the value is counted: ``duration``, ``size`` (bytes), ``ratio`` (1 is all of
    it), ``count``, ``boolean``, ``text``, ``texts``. A value that is unknown has its ``reason``;
    one that is known in part has both.
    """

    name: str
    type: str
    value: FactValue
    reason: str | None
    of: SubjectKind


class Relation(StrEnum):
    """What an exemption has to do with a subject."""

    ACCEPTS = "accepts"
    ENDED = "ended"
    IDLE = "idle"
    MISSES = "misses"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearExemption:
    """An exemption that fits the subject, or nearly does, and the difference in words."""

    exemption: ExemptionStanding
    relation: Relation
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleAnswer:
    """What one rule says; no severity and nothing undetermined: nothing.

    ``exemption`` says who accepts its finding, ``due_at`` when that may be acted on.
    """

    rule: str
    title: str
    environment: str | None
    severity: Severity | None
    undetermined: str | None
    weighed: tuple[WeighedFact, ...]
    levels: tuple[LevelAnswer, ...]
    exemption: str | None = None
    due_at: datetime | None = None
    notice_at: datetime | None = None


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
    """Everything the rules ask about one subject, and what it seems to be for.

    ``protections`` are its own and its machine's. ``holds`` say who wants it to stay, on the
    platform or in the state folder. ``unseen``: why not all of its endpoint was seen.
    """

    schema: str = EXPLANATION_SCHEMA
    subject: Subject
    protections: tuple[str, ...]
    purpose: Purpose | None
    answers: tuple[RuleAnswer, ...]
    enforcement: Enforcement | None = None
    facts: tuple[KnownFact, ...] = ()
    exemptions: tuple[NearExemption, ...] = ()
    holds: tuple[str, ...] = ()
    unseen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleExplanation:
    """Everything there is to say about one rule; ``exemptions`` are those that name it.

    ``is_disabled``: the configuration switches it off, so that nothing of this happens.
    """

    schema: str = EXPLANATION_SCHEMA
    rule: str
    title: str
    why: str
    fix: str
    remedy: Remedy | None
    mode: Mode
    grace: timedelta | None
    notice: timedelta | None
    with_memory: bool
    honours_expiry: bool
    is_disabled: bool
    resolved: ResolvedRule
    cases: tuple[CaseResult, ...]
    exemptions: tuple[ExemptionStanding, ...]
