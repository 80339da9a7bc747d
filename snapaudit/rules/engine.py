"""Engine: endpoints → collect → inventories → *audit(policy, now)* → findings.

Pure: equal arguments give an equal audit, in the same order.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
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
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import Policy, Severity
from snapaudit.rules.acceptance import SnapshotPlace
from snapaudit.rules.court import Court
from snapaudit.rules.declared import declared_keeps
from snapaudit.rules.exemptions import Accepted, accept
from snapaudit.rules.judge import Judgement
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.scene import SnapshotScene
from snapaudit.rules.staging import stage
from snapaudit.rules.summary import summarize

# A nightly collection that failed once is a day late; a file that is older was left behind.
_OLD_DAYS = 2
_WORST_FIRST = tuple(sorted(Severity, key=lambda severity: -severity.rank))


def audit(
    inventories: Iterable[Inventory],
    policy: Policy,
    now: datetime,
    past: Past = NOTHING_REMEMBERED,
) -> Audit:
    """Everything the policy says about the inventories at a moment, with what is remembered.

    Findings come worst first, then by rule, endpoint, machine, subject and ids; inventories and
    coverage by endpoint.
    """
    seen = tuple(sorted(inventories, key=lambda item: (item.endpoint, item.collected_at)))
    with _collector_at_rest():
        accepted, purposes = _judge(seen, policy, now, past)
        judgements = accepted.judgements
        findings = [item for item in judgements if isinstance(item, Finding)]
        undetermined = [item for item in judgements if isinstance(item, Undetermined)]
        findings.sort(key=lambda item: (item.rule, *_subject_order(item.subject)))
        findings = [item for grade in _WORST_FIRST for item in findings if item.severity is grade]
        undetermined.sort(key=lambda item: (item.rule, *_subject_order(item.subject)))
        purposes.sort(key=lambda item: (item.endpoint, item.vm_id, item.snapshot_id))
        return Audit(
            audited_at=now,
            coverage=tuple(_coverage(inventory, now) for inventory in seen),
            summary=summarize(seen, policy, findings, undetermined),
            findings=tuple(findings),
            undetermined=tuple(undetermined),
            purposes=tuple(purposes),
            inventories=seen,
            exemptions=accepted.exemptions,
        )


def _judge(
    inventories: Sequence[Inventory], policy: Policy, now: datetime, past: Past
) -> tuple[Accepted, list[Purpose]]:
    court = Court(policy)
    judgements: list[Judgement] = []
    purposes: list[Purpose] = []
    declared: dict[SnapshotPlace, str] = {}
    for inventory in inventories:
        scenes = stage(inventory, now, classifier(), past)
        purposes.extend(_purpose(scene) for scene in scenes.snapshots)
        judgements.extend(court.judgements(scenes))
        declared.update(declared_keeps(scenes.snapshots, policy.honour_expiry))
    return accept(judgements, court, policy, inventories, now, declared), purposes


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Python's cycle collector paused.

    The records hold no cycles, and walking all of them again and again while they are being made
    takes as long as the work itself.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _purpose(scene: SnapshotScene) -> Purpose:
    return Purpose(
        endpoint=scene.machine.endpoint.inventory.endpoint,
        vm_id=scene.machine.vm.id,
        snapshot_id=scene.snapshot.id,
        purpose=scene.reading.purpose,
        score=scene.reading.score,
        reasons=scene.reading.reasons,
        product=scene.reading.product,
    )


def _coverage(inventory: Inventory, now: datetime) -> EndpointCoverage:
    return EndpointCoverage(
        endpoint=inventory.endpoint,
        state=inventory.coverage.state,
        reason=inventory.coverage.reason,
        virtual_machines=len(inventory.virtual_machines),
        snapshots=sum(len(vm.snapshots) for vm in inventory.virtual_machines),
        cautions=tuple(_cautions(inventory, now)),
    )


def _cautions(inventory: Inventory, now: datetime) -> Iterator[str]:
    old = (now - inventory.collected_at).days
    if old >= _OLD_DAYS:
        yield f"old: it was read {old:,} days ago; what has come since is not known"
    if inventory.lab:
        yield "lab: limits may be looser there"
    if inventory.connection_verified is False:
        yield "unverified: its connection is not encrypted or not verified; it may never be changed"


def _subject_order(subject: Subject) -> tuple[str, str, str, str, str]:
    return (
        subject.endpoint,
        subject.vm_name or "",
        subject.name,
        subject.vm_id or "",
        subject.id,
    )
