"""Levels: what a site's configuration puts in place of a rule's own thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError
from snapaudit.model.policy import Comparison, Condition, Rule, Severity
from snapaudit.rules import operators
from snapaudit.rules.conditions import read_condition
from snapaudit.rules.environment import DEFAULT
from snapaudit.rules.facts import facts_of
from snapaudit.rules.rulefile import Levels

Wanted = Mapping[str, Mapping[str, Node]]


def levels_in(rule: Rule, environment: str | None) -> Levels:
    """The levels that hold in an environment; a grade it does not name keeps its default."""
    return rule.levels | rule.environment_levels.get(environment or DEFAULT, {})


def with_levels(rule: Rule, wanted: Wanted) -> Rule:
    """The rule with levels replaced per environment; ``default`` is where machines are in none.

    A level is written like one in a rule file, or as the bound alone where the level it replaces
    holds a single comparison. Raises InputError with the place.
    """
    overrides = dict(rule.environment_levels)
    for environment, entries in wanted.items():
        standing = levels_in(rule, environment)
        read = {
            _severity(word, node): _level(rule, standing, word, node)
            for word, node in entries.items()
        }
        overrides[environment] = rule.environment_levels.get(environment, {}) | read
    return replace(rule, environment_levels=overrides)


def _severity(word: str, node: Node) -> Severity:
    known = tuple(str(severity) for severity in Severity)
    if word not in known:
        message = f"unknown level {word!r}; known: {', '.join(known)}"
        raise InputError(node.key_place, message, nearest=expect.nearest(word, known))
    return Severity(word)


def _level(rule: Rule, standing: Levels, word: str, node: Node) -> Condition:
    if isinstance(node.value, dict):
        return read_condition(node, rule.subject)
    replaced = standing.get(Severity(word))
    if not isinstance(replaced, Comparison):
        does = "is not there" if replaced is None else "holds more than one comparison"
        message = (
            f"the level {word!r} of {rule.id} {does}, so a bound alone does not say enough; "
            "write the condition out, as in {age: {over: 24h}}"
        )
        raise InputError(node.place, message)
    fact = facts_of(rule.subject)[replaced.fact]
    bound = operators.read_bound(fact, replaced.operator, node)
    return replace(replaced, bound=bound, source=node.place)
