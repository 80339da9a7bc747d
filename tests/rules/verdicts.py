"""What the built-in pack says about a small inventory, short enough to compare in one line."""

from __future__ import annotations

from functools import cache

from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import Environment, Policy
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import NOW

PROD = Environment(name="prod", tags=frozenset({"prod"}))


@cache
def policy() -> Policy:
    return load_policy((), disable={}, levels={}, environments=(PROD,))


def audited(*inventories: Inventory, past: Past = NOTHING_REMEMBERED) -> Audit:
    return audit(inventories, policy(), NOW, past)


def grades(rule: str, *inventories: Inventory, past: Past = NOTHING_REMEMBERED) -> list[str]:
    """The severities of a rule's findings, and ``unknown`` for each undetermined."""
    result = audited(*inventories, past=past)
    found = [str(finding.severity) for finding in result.findings if finding.rule == rule]
    return found + ["unknown" for item in result.undetermined if item.rule == rule]
