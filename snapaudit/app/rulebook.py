"""The rulebook: rules resolved, tried on their cases, and held against what is and was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from snapaudit.app.audit import rules_of
from snapaudit.app.history import exists, open_history
from snapaudit.codec.expect import nearest
from snapaudit.config.settings import RuleSettings, Settings
from snapaudit.errors import UsageError
from snapaudit.model.finding import Audit
from snapaudit.model.history import RunRecord
from snapaudit.model.policy import Policy, Rule
from snapaudit.model.rulebook import (
    Chapter,
    FactEntry,
    Handbook,
    ResolvedRule,
    RuleCoverage,
    RuleTests,
)
from snapaudit.rules import operators, resolved
from snapaudit.rules.coverage import coverage
from snapaudit.rules.facts import BoundType, Fact, all_facts
from snapaudit.rules.trial import try_rules


def rule_named(policy: Policy, name: str) -> Rule:
    """The rule of this id. Raises UsageError with the nearest one."""
    found = next((rule for rule in policy.rules if rule.id == name), None)
    if found is not None:
        return found
    near = nearest(name, [rule.id for rule in policy.rules])
    hint = f"; did you mean {near!r}?" if near else ""
    raise UsageError(f"there is no rule {name!r}{hint}")


def rule_of(name: str, settings: Settings, folders: Sequence[Path] = ()) -> Rule | None:
    """The rule of this id, also one that the configuration switches off; None: no rule's id."""
    on = replace(settings, rules=replace(settings.rules, disable={}))
    return next((rule for rule in rules_of(on, folders).rules if rule.id == name), None)


def resolve(rule: Rule, policy: Policy) -> ResolvedRule:
    """The rule as it is in force in each environment, with the origin of every value."""
    return resolved.resolve(rule, policy)


def runs_of(settings: Settings, environ: Mapping[str, str]) -> tuple[RunRecord, ...] | None:
    """The remembered runs, None where nothing is remembered. Raises what ``open_history`` does."""
    if not exists(settings):
        return None
    with open_history(settings, environ) as store:
        return store.runs()


def coverage_of(audit: Audit, policy: Policy, runs: Sequence[RunRecord] | None) -> RuleCoverage:
    """Which rules have anything to say about a view, and had in the history where there is one."""
    return coverage(audit, policy, runs)


def handbook(policy: Policy) -> Handbook:
    """Everything there is to read about these rules, all facts and all operators."""
    tests = try_rules(policy.rules).results
    return Handbook(
        chapters=tuple(
            Chapter(
                rule=rule,
                resolved=resolve(rule, policy),
                cases=tuple(result for result in tests if result.rule == rule.id),
            )
            for rule in policy.rules
        ),
        facts=tuple(_entry(fact) for fact in all_facts() if fact.of is None),
        operators=tuple((str(kind), operators.names(kind)) for kind in BoundType),
    )


def _entry(fact: Fact) -> FactEntry:
    return FactEntry(
        name=fact.name,
        subject=fact.subject,
        type=str(fact.bound_type),
        sentence=fact.description,
        words=fact.words,
        argument=fact.argument,
    )


def tests_of(settings: Settings, folders: Sequence[Path], names: Sequence[str]) -> RuleTests:
    """The cases of the named rules, or of all, tried on what the files say.

    What the configuration changes about levels is left out, and told; so is what it switches off.
    """
    plain = replace(settings, rules=RuleSettings(folders=settings.rules.folders))
    policy = rules_of(plain, folders)
    chosen = [rule_named(policy, name) for name in names] or policy.rules
    told = sorted({rule.id for rule in chosen} & settings.rules.levels.keys())
    return replace(try_rules(chosen), overridden=tuple(told))
