"""Findings and audits with sensible defaults, for the tests of the formats."""

from __future__ import annotations

from typing import Any

from snapaudit.model.check import Checked, counting, verdict
from snapaudit.model.finding import (
    Audit,
    EndpointCoverage,
    Evidence,
    FactValue,
    Finding,
    Purpose,
    Subject,
    Summary,
    Undetermined,
    fingerprint,
)
from snapaudit.model.inventory import ByteRange, Inventory, Snapshot
from snapaudit.model.policy import Remedy, Severity, SubjectKind
from snapaudit.model.units import parse_duration
from tests.builders import NOW


def on_snapshot(vm_name: str, name: str, endpoint: str = "kvm1") -> Subject:
    return Subject(
        kind=SubjectKind.SNAPSHOT, endpoint=endpoint, id=name, name=name,
        vm_id=f"id-{vm_name}", vm_name=vm_name,
    )  # fmt: skip


def on_machine(name: str, endpoint: str = "kvm1") -> Subject:
    kind = SubjectKind.VIRTUAL_MACHINE
    return Subject(
        kind=kind, endpoint=endpoint, id=f"id-{name}", name=name, vm_id=f"id-{name}", vm_name=name
    )


def on(kind: SubjectKind, name: str, endpoint: str = "kvm1") -> Subject:
    return Subject(kind=kind, endpoint=endpoint, id=name, name=name)


def proof(fact: str, value: FactValue, operator: str, bound: FactValue) -> Evidence:
    return Evidence(fact=fact, value=value, operator=operator, bound=bound)


def aged(age: str, over: str) -> Evidence:
    return proof("age", parse_duration(age), "over", parse_duration(over))


def finding(
    rule: str,
    severity: Severity,
    subject: Subject,
    *evidence: Evidence,
    remedy: Remedy | None = None,
    exemption: str | None = None,
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        subject=subject,
        evidence=evidence,
        remedy=remedy,
        fingerprint=fingerprint(rule, subject),
        exemption=exemption,
    )


def checked(audit: Audit, **options: Any) -> Checked:
    """The verdict on an audit with all it needs to be written; options are those of `verdict`."""
    fields = ("rules", "forecasts", "datastores_chosen", "per_snapshot")
    rest = {name: options.pop(name) for name in fields if name in options}
    shared = ("fail_on", "budgeted")
    about: dict[str, Any] = {name: options[name] for name in shared if name in options}
    if options.get("only_risen"):
        about["compared"] = options["compared"]
    return Checked(
        check=verdict(audit, **options),
        audit=audit,
        counting=frozenset(one.fingerprint for one in counting(audit.findings, **about)),
        **rest,
    )


def open_question(rule: str, subject: Subject, fact: str, reason: str) -> Undetermined:
    return Undetermined(rule=rule, subject=subject, fact=fact, reason=reason)


def purpose(vm_name: str, snapshot: str, word: str, score: int, *reasons: str) -> Purpose:
    return Purpose(
        endpoint="kvm1",
        vm_id=f"id-{vm_name}",
        snapshot_id=snapshot,
        purpose=word,
        score=score,
        reasons=reasons,
    )


def audit_of(*inventories: Inventory, **changes: Any) -> Audit:
    """An audit without findings; a test names what it adds."""
    fields: dict[str, Any] = {
        "audited_at": NOW,
        "coverage": tuple(map(_coverage, inventories)),
        "findings": (),
        "undetermined": (),
        "purposes": (),
        "inventories": inventories,
        **changes,
    }
    return Audit(**{"summary": _summary(inventories, fields), **fields})


def _coverage(inventory: Inventory) -> EndpointCoverage:
    machines = inventory.virtual_machines
    return EndpointCoverage(
        endpoint=inventory.endpoint,
        state=inventory.coverage.state,
        reason=inventory.coverage.reason,
        virtual_machines=len(machines),
        snapshots=sum(len(machine.snapshots) for machine in machines),
        cautions=("lab: limits may be looser there",) if inventory.lab else (),
    )


def _summary(inventories: tuple[Inventory, ...], fields: dict[str, Any]) -> Summary:
    machines = [machine for one in inventories for machine in one.virtual_machines]
    snapshots = [one for machine in machines for one in machine.snapshots]
    severities = [one.severity for one in fields["findings"]]
    return Summary(
        info=severities.count(Severity.INFO),
        warning=severities.count(Severity.WARNING),
        critical=severities.count(Severity.CRITICAL),
        undetermined=len(fields["undetermined"]),
        virtual_machines=len(machines),
        snapshots=len(snapshots),
        datastores=sum(len(one.datastores) for one in inventories),
        snapshot_bytes=sum(one.size_bytes or 0 for one in snapshots),
        unknown_sizes=sum(one.size_bytes is None for one in snapshots),
        reclaimable_bytes=_offered(snapshots, fields["findings"]),
        rules=20,
        disabled_rules=("anonymous-snapshot",),
    )


def _offered(snapshots: list[Snapshot], findings: tuple[Finding, ...]) -> ByteRange:
    offered = {one.subject.id for one in findings if one.remedy is Remedy.DELETE_SNAPSHOT}
    gains = [
        one.reclaimable_bytes for one in snapshots if one.id in offered - set(_kept(snapshots))
    ]
    highs = [gain.max for gain in gains]
    high = None if None in highs else sum(high for high in highs if high is not None)
    basis = "what each offered snapshot gives back when it is deleted alone"
    return ByteRange(min=sum(gain.min for gain in gains), max=high, basis=basis)


def _kept(snapshots: list[Snapshot]) -> list[str]:
    return [one.id for one in snapshots if one.protections]
