"""What the state folder adds to a view: earlier views to hold it against, and earlier marks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from snapaudit.config.settings import Settings
from snapaudit.enforce.marks import announce, read_marks, write_marks
from snapaudit.enforce.sightings import doubted, note_sightings, read_sightings
from snapaudit.enforce.state import State, prepare
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Mode, Policy


def held_against_memory(
    inventories: Iterable[Inventory], settings: Settings
) -> tuple[Inventory, ...]:
    """The inventories, those suspicious that show much less than at their last whole view."""
    return doubted(inventories, read_sightings(State(settings.state)))


def announced(audit: Audit, policy: Policy, settings: Settings, now: datetime) -> Audit:
    """The audit, with the day from which findings of mode ``mark`` may be acted on."""
    marks = read_marks(State(settings.state))
    findings, _ = announce(audit.findings, marks, policy.rules, audit.inventories, now)
    return replace(audit, findings=findings)


def remember(
    audit: Audit, policy: Policy, settings: Settings, now: datetime, named: frozenset[str]
) -> None:
    """Note what was seen and what is announced from now on. Raises SnapauditError.

    Without a rule that marks, and without a whole view, nothing is written.
    """
    state = State(settings.state)
    prepare(state)
    note_sightings(state, audit.inventories, named)
    if any(rule.mode is Mode.MARK for rule in policy.rules):
        marks = read_marks(state)
        _, new = announce(audit.findings, marks, policy.rules, audit.inventories, now)
        write_marks(state, new)
