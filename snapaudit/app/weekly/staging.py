"""Staging: the weekly report of the made-up company, through the same line as a real one.

Each of its weeks is judged and recorded into a history of its own, which is gone afterwards.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from snapaudit.app.history import open_history, record, remember_back
from snapaudit.app.weekly import allowances
from snapaudit.app.weekly.gathering import remembered
from snapaudit.app.weekly.making import Remembered, weekly
from snapaudit.config.loader import defaults
from snapaudit.config.settings import Settings
from snapaudit.demo.estate import told
from snapaudit.demo.estate.weeks import weeks
from snapaudit.enforce.holds import Holds
from snapaudit.enforce.marks import Marks, announce
from snapaudit.enforce.state import State
from snapaudit.model.finding import Audit
from snapaudit.model.policy import Mode, Policy, Rule
from snapaudit.model.weekly import WeeklyReport
from snapaudit.rules import engine

_ANNOUNCED = "makeshift-backup"
_GRACE = timedelta(days=14)


def demo(now: datetime, policy: Policy) -> WeeklyReport:
    """The report as of a moment; equal arguments give an equal report.

    The company announces makeshift backups a fortnight before a plan may offer them.
    """
    rules = tuple(_announced(rule) for rule in policy.rules)
    theirs = replace(policy, rules=rules, exemptions=told.exemptions(now))
    with tempfile.TemporaryDirectory(prefix="snapaudit-demo-") as folder:
        settings = defaults(Path(folder))
        audit = _lived_through(now, theirs, settings)
        with open_history(settings, {}) as store:
            found = remembered(audit, now, store, State(settings.state))
    return weekly(audit, _with_people(found, now))


def _announced(rule: Rule) -> Rule:
    return replace(rule, mode=Mode.MARK, grace=_GRACE) if rule.id == _ANNOUNCED else rule


def _lived_through(now: datetime, policy: Policy, settings: Settings) -> Audit:
    """The audit of the last week, after all weeks were recorded."""
    marks = Marks()
    for at, seen in weeks(now):
        back = remember_back(seen, settings, {}, at)
        audit = engine.audit(back.inventories, policy, at, back.past)
        findings, marks = announce(audit.findings, marks, policy.rules, audit.inventories, at)
        audit = replace(audit, findings=findings)
        record(audit, back.past, policy, settings, {}, at, at)
    return audit


def _with_people(found: Remembered, now: datetime) -> Remembered:
    (*_, (_, before), _) = weeks(now)
    entries = told.holds(now)
    return replace(
        found,
        deeds=told.deeds(now, before),
        allowances=(*found.allowances, *allowances.holds(entries, now)),
        holds=Holds(entries=entries),
    )
