"""Checks for the tests of their formats: an ordinary one, a hostile one, a large one."""

from __future__ import annotations

from functools import cache
from typing import Any

from snapaudit.model.check import Checked, Compared
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.model.policy import Rule, Severity, SubjectKind
from snapaudit.rules.loader import load_policy
from tests.builders import GIB, datastore, inventory, snapshot, vm
from tests.examples import example_audit
from tests.report.hostile import hostile_names
from tests.report.records import aged, audit_of, checked, finding, on, on_snapshot

NAMES = tuple(hostile_names())
_GRADES = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


@cache
def rules() -> tuple[Rule, ...]:
    return load_policy((), disable={}, levels={}, environments=()).rules


def example(**options: Any) -> Checked:
    """The fleet of the gallery: one endpoint in trouble, one seen in part, one missing."""
    return checked(example_audit(), rules=rules(), **options)


def complete(*findings: Any, **options: Any) -> Checked:
    """A view that is whole."""
    return checked(audit_of(inventory(vm()), findings=findings), rules=rules(), **options)


def lost(endpoint: str, reason: str = "nothing answered") -> Inventory:
    coverage = Coverage(state=CoverageState.MISSING, reason=reason)
    return inventory(endpoint=endpoint, coverage=coverage, datastores=(), hosts=())


def hostile(**options: Any) -> Checked:
    """Every hostile name as endpoint, datastore, machine, snapshot, reason and exemption."""
    seen = tuple(_hostile_inventory(name) for name in NAMES)
    blind = tuple(lost(f"lost {name}", name) for name in NAMES)
    found = [_hostile_finding(number, name) for number, name in enumerate(NAMES)]
    stores = [
        finding("datastore-near-full", Severity.WARNING, on(SubjectKind.DATASTORE, name, name))
        for name in NAMES
    ]
    audit = audit_of(*seen, *blind, findings=(*found, *stores))
    return checked(audit, rules=rules(), datastores_chosen=True, **options)


def _hostile_inventory(name: str) -> Inventory:
    return inventory(
        vm(name, snapshot(name), id=f"id-{name}"), endpoint=name, datastores=(datastore(name),)
    )


def _hostile_finding(number: int, name: str) -> Any:
    subject = on_snapshot(name, name, name)
    exemption = name if number % 5 == 0 and name.strip() else None
    grade = _GRADES[number % 3]
    return finding("stale-snapshot", grade, subject, aged("9d", "7d"), exemption=exemption)


def large(count: int = 5000, **options: Any) -> Checked:
    """So many findings on half as many snapshots of a fleet."""
    return checked(large_audit(count), rules=rules(), **options)


@cache
def large_audit(count: int) -> Audit:
    shots = [(f"vm{number // 3:05}", f"snap {number}") for number in range(count // 2)]
    machines: dict[str, list[str]] = {}
    for machine, name in shots:
        machines.setdefault(machine, []).append(name)
    seen = inventory(
        *(
            vm(machine, *(snapshot(name, age="9d", size_bytes=GIB) for name in names))
            for machine, names in machines.items()
        )
    )
    found = [
        finding(rule, _GRADES[number % 3], on_snapshot(machine, name), aged("9d", "7d"))
        for rule in ("stale-snapshot", "anonymous-snapshot")
        for number, (machine, name) in enumerate(shots)
    ]
    return audit_of(seen, findings=tuple(found))


def against(*, new: tuple[str, ...] = (), worse: tuple[str, ...] = (), known: int = 0) -> Compared:
    return Compared(since="the baseline of May", new=new, worse=worse, resolved=(), known=known)
