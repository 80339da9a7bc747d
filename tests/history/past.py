"""Runs as the tests write them: a fleet at a moment, judged by the pack and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from snapaudit.history.recording import Recording
from snapaudit.history.store import Store
from snapaudit.model.finding import Audit
from snapaudit.model.history import Diff
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, DatastoreKey, Past
from snapaudit.rules.engine import audit
from tests.builders import NOW
from tests.rules.verdicts import policy

DAY = timedelta(days=1)
WEEK = 7 * DAY
PARTIAL = Coverage(state=CoverageState.PARTIAL, reason="one machine could not be read")
MISSING = Coverage(state=CoverageState.MISSING, reason="nothing answered")


def judged(*inventories: Inventory, at: datetime = NOW) -> Audit:
    return audit(inventories, policy(), at)


def recording(
    *inventories: Inventory,
    at: datetime = NOW,
    past: Past = NOTHING_REMEMBERED,
    rules: tuple[str, ...] | None = None,
    held: Mapping[DatastoreKey, int | None] | None = None,
) -> Recording:
    in_force = tuple(rule.id for rule in policy().rules) if rules is None else rules
    return Recording(
        audit=judged(*inventories, at=at),
        at=at,
        tool_version="1.0",
        rules_digest="d" * 64,
        rules=in_force,
        held=held or {},
        past=past,
    )


def ran(store: Store, *inventories: Inventory, at: datetime = NOW) -> int:
    """Record a run that used what was remembered before it."""
    return store.record(recording(*inventories, at=at, past=store.past(inventories, at)))


def names(diff: Diff) -> dict[str, list[str]]:
    """What a difference lists, by kind and the names of the subjects."""
    return {
        "new": [one.subject.name for one in diff.new],
        "resolved": [one.subject.name for one in diff.resolved],
        "grown": [one.subject.name for one in diff.grown],
        "back": [one.subject.name for one in diff.back],
        "worse": [one.subject.name for one in diff.worse],
    }
