"""The rulebook: rules resolved, tried on their cases, held against a view, and written out."""

from __future__ import annotations

from snapaudit.model.policy import Policy, Rule
from snapaudit.model.rulebook import ResolvedRule
from snapaudit.rules import resolved


def resolve(rule: Rule, policy: Policy) -> ResolvedRule:
    """The rule as it is in force in each environment, with the origin of every value."""
    return resolved.resolve(rule, policy)
