"""Rulebook: rules as they are in force, with the origin of each value, and how they stood tests."""

from __future__ import annotations

from dataclasses import dataclass

from snapaudit.model.finding import FactValue
from snapaudit.model.policy import Rule, Severity, SubjectKind

RULE_SCHEMA = "snapaudit/rule@1"
RULE_TESTS_SCHEMA = "snapaudit/rule-tests@1"
RULE_COVERAGE_SCHEMA = "snapaudit/rule-coverage@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedValue:
    """One bound that is in force, and where it is written: ``snapaudit.yaml:12``."""

    fact: str
    operator: str
    bound: FactValue
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedCondition:
    """A condition as a rule file would write it, and the origin of each bound in it."""

    written: str
    values: tuple[ResolvedValue, ...]

    @property
    def origins(self) -> tuple[str, ...]:
        """The places its bounds come from, each once, in their order."""
        return tuple(dict.fromkeys(value.origin for value in self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedLevel:
    """One level in force."""

    severity: Severity
    condition: ResolvedCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedEnvironment:
    """The levels in force for the machines of an environment, worst last.

    ``is_configured`` False: the rule knows it, and the site has none of that name.
    """

    name: str
    is_configured: bool
    levels: tuple[ResolvedLevel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedRule:
    """One rule as it is in force in each environment; ``default`` is where a machine is in none."""

    schema: str = RULE_SCHEMA
    id: str
    title: str
    subject: SubjectKind
    origin: str
    environments: tuple[ResolvedEnvironment, ...]
    unless: ResolvedCondition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One case of a rule file: what was given, what had to come out, and what did.

    ``expected`` and ``found`` hold a severity, ``undetermined``, both, or ``none``.
    ``undetermined``: the fact that left something open, and why.
    """

    rule: str
    origin: str
    environment: str | None
    given: str
    expected: tuple[str, ...]
    found: tuple[str, ...]
    undetermined: str | None

    @property
    def holds(self) -> bool:
        """Whether the rule answers as its case says."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTests:
    """All cases of the rules that were tried, and the rules that have none.

    ``overridden``: rules with levels in the configuration, which no case of a file can know.
    """

    schema: str = RULE_TESTS_SCHEMA
    results: tuple[CaseResult, ...]
    without_cases: tuple[str, ...]
    overridden: tuple[str, ...] = ()

    @property
    def hold(self) -> bool:
        """Whether every rule answers as its cases say."""
        return all(result.holds for result in self.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUse:
    """How often one rule had something to say.

    ``asked``: subjects of its kind in this view. ``runs``: runs of the history that knew the rule,
    and ``matched_runs`` those in which it found something.
    """

    rule: str
    subject: SubjectKind
    asked: int
    info: int
    warning: int
    critical: int
    undetermined: int
    runs: int = 0
    matched_runs: int = 0

    @property
    def matched(self) -> int:
        """Findings in this view, accepted ones too."""
        return self.info + self.warning + self.critical

    @property
    def never_matched(self) -> bool:
        """Whether it found nothing, neither here nor in any run of the history."""
        return not self.matched and not self.matched_runs


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCoverage:
    """The use of every rule, by id. ``runs``: how many runs the history holds, None for none."""

    schema: str = RULE_COVERAGE_SCHEMA
    rules: tuple[RuleUse, ...]
    disabled: tuple[str, ...]
    runs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactEntry:
    """One thing a rule can ask.

    ``type`` says how a bound is written. ``words``: the only texts it can be, None for any.
    ``argument``: what it has to be told.
    """

    name: str
    subject: SubjectKind
    type: str
    sentence: str
    words: tuple[str, ...] | None
    argument: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One rule with everything there is to say about it."""

    rule: Rule
    resolved: ResolvedRule
    cases: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handbook:
    """All rules, all facts that are a subject's own, and the operators of each type of fact."""

    chapters: tuple[Chapter, ...]
    facts: tuple[FactEntry, ...]
    operators: tuple[tuple[str, tuple[str, ...]], ...]
