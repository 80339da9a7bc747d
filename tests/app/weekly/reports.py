"""Weekly reports of small estates, made by the real line from inventories to the record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from snapaudit.app.weekly.making import Remembered, weekly
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.model.policy import Policy
from snapaudit.model.weekly import WeeklyReport
from snapaudit.rules import engine
from snapaudit.rules.loader import load_policy
from tests.builders import NOW, inventory, snapshot, vm

POLICY: Policy = load_policy((), disable={}, levels={}, environments=())


def report(*seen: Inventory, now: datetime = NOW, **remembered: Any) -> WeeklyReport:
    audit = engine.audit(seen or (inventory(),), POLICY, now)
    return weekly(audit, Remembered(**remembered))


def owned(name: str, owner: str, *, age: str = "30d", **changes: Any) -> Inventory:
    """An endpoint with one machine of the owner, and one old snapshot on it."""
    machine = vm(f"vm-{name}", snapshot(f"old-{name}", age=age), notes=f"Owner: {owner}")
    return inventory(machine, endpoint=f"kvm-{name}", **changes)


def missing(endpoint: str) -> Inventory:
    coverage = Coverage(state=CoverageState.MISSING, reason="no route to host")
    return inventory(endpoint=endpoint, coverage=coverage, datastores=(), hosts=())


def clean() -> WeeklyReport:
    """All seen, and nothing at warning or above."""
    machine = vm("web01", snapshot(age="1h", description="ticket CHG-1", creator="al"))
    return report(inventory(machine))
