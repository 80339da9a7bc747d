"""Engine: endpoints → collect → inventories → *audit(policy, now)* → findings.

Pure: equal arguments give an equal audit, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from snapaudit.model.finding import (
    Audit,
    EndpointCoverage,
    Finding,
    Purpose,
    Subject,
    Undetermined,
)
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Policy, Severity
from snapaudit.rules.court import Court
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.scene import SnapshotScene
from snapaudit.rules.staging import stage
from snapaudit.rules.summary import summarize

_ORDER = {severity: -severity.rank for severity in Severity}


def audit(inventories: Iterable[Inventory], policy: Policy, now: datetime) -> Audit:
    """Everything the policy says about the inventories at a moment.

    Findings come worst first, then by rule, endpoint, machine, subject and ids; inventories and
    coverage by endpoint.
    """
    seen = tuple(sorted(inventories, key=lambda item: (item.endpoint, item.collected_at)))
    court = Court(policy)
    findings: list[Finding] = []
    undetermined: list[Undetermined] = []
    purposes: list[Purpose] = []
    for inventory in seen:
        scenes = stage(inventory, now, classifier())
        purposes.extend(_purpose(scene) for scene in scenes.snapshots)
        for judgement in court.judgements(scenes):
            if isinstance(judgement, Finding):
                findings.append(judgement)
            else:
                undetermined.append(judgement)
    findings.sort(key=_finding_order)
    undetermined.sort(key=lambda item: (item.rule, *_subject_order(item.subject)))
    return Audit(
        audited_at=now,
        coverage=tuple(_coverage(inventory) for inventory in seen),
        summary=summarize(seen, policy, findings, undetermined),
        findings=tuple(findings),
        undetermined=tuple(undetermined),
        purposes=tuple(sorted(purposes, key=lambda p: (p.endpoint, p.vm_id, p.snapshot_id))),
        inventories=seen,
    )


def _purpose(scene: SnapshotScene) -> Purpose:
    return Purpose(
        endpoint=scene.machine.endpoint.inventory.endpoint,
        vm_id=scene.machine.vm.id,
        snapshot_id=scene.snapshot.id,
        purpose=scene.reading.purpose.value,
        score=scene.reading.score,
        reasons=scene.reading.reasons,
    )


def _coverage(inventory: Inventory) -> EndpointCoverage:
    return EndpointCoverage(
        endpoint=inventory.endpoint,
        state=inventory.coverage.state,
        reason=inventory.coverage.reason,
        virtual_machines=len(inventory.virtual_machines),
        snapshots=sum(len(vm.snapshots) for vm in inventory.virtual_machines),
    )


def _finding_order(finding: Finding) -> tuple[int, str, str, str, str, str, str]:
    return (_ORDER[finding.severity], finding.rule, *_subject_order(finding.subject))


def _subject_order(subject: Subject) -> tuple[str, str, str, str, str]:
    return (
        subject.endpoint,
        subject.vm_name or "",
        subject.name,
        subject.vm_id or "",
        subject.id,
    )
