"""Resolved: the levels of a rule as they are in force, environment by environment, with origins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.errors import Place
from snapaudit.model.policy import All, AnyOf, Comparison, Condition, Policy, Rule, SubjectKind
from snapaudit.model.rulebook import (
    ResolvedCondition,
    ResolvedEnvironment,
    ResolvedLevel,
    ResolvedRule,
    ResolvedValue,
)
from snapaudit.rules import spelling
from snapaudit.rules.answers import fact_asked
from snapaudit.rules.environment import DEFAULT
from snapaudit.rules.levels import levels_in
from snapaudit.rules.loader import builtin_folder


def resolve(rule: Rule, policy: Policy) -> ResolvedRule:
    """The rule in ``default``, then in each environment of the site, then in what else it names."""
    configured = (DEFAULT, *(environment.name for environment in policy.environments))
    names = dict.fromkeys((*configured, *rule.environment_levels))
    return ResolvedRule(
        id=rule.id,
        title=rule.title,
        subject=rule.subject,
        origin=origin(rule.source),
        environments=tuple(_environment(rule, name, name in configured) for name in names),
        unless=None if rule.unless is None else _condition(rule.unless, rule.subject),
    )


def origin(place: Place | None) -> str:
    """``built-in stale-snapshot.yaml:5``, or the file and line of the site's own."""
    if place is None:
        return "unknown"
    folder, _, name = place.source.rpartition("/")
    source = f"built-in {name}" if folder == str(builtin_folder()) else place.source
    return source if place.line is None else f"{source}:{place.line}"


def _environment(rule: Rule, name: str, is_configured: bool) -> ResolvedEnvironment:
    levels = sorted(levels_in(rule, name).items(), key=lambda item: item[0].rank)
    return ResolvedEnvironment(
        name=name,
        is_configured=is_configured,
        levels=tuple(
            ResolvedLevel(severity=severity, condition=_condition(condition, rule.subject))
            for severity, condition in levels
        ),
    )


def _condition(condition: Condition, subject: SubjectKind) -> ResolvedCondition:
    return ResolvedCondition(
        written=spelling.condition(condition, subject),
        values=tuple(_values(_comparisons(condition), subject)),
    )


def _values(comparisons: Iterable[Comparison], subject: SubjectKind) -> Iterator[ResolvedValue]:
    for one in comparisons:
        yield ResolvedValue(
            fact=fact_asked(one, subject).name,
            operator=one.operator,
            bound=one.bound,
            origin=origin(one.source),
        )


def _comparisons(condition: Condition) -> Iterator[Comparison]:
    match condition:
        case Comparison():
            yield condition
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _comparisons(part)
