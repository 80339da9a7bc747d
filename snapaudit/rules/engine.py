"""Engine: endpoints → collect → inventories → *audit(policy, now)* → findings.

Pure: equal arguments give an equal audit, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from snapaudit.model.finding import (
    Audit,
    EndpointCoverage,
    Finding,
    Purpose,
    Subject,
    Undetermined,
)
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.policy import Policy, SubjectKind
from snapaudit.rules.environment import environment_of
from snapaudit.rules.judge import Judge, Judgement, judge_of
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.scene import (
    DatastoreScene,
    EndpointScene,
    FileScene,
    MachineScene,
    Scene,
    SnapshotScene,
)
from snapaudit.rules.staging import Stage, stage
from snapaudit.rules.summary import summarize


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


class Court:
    """The rules of a policy, compiled once for each environment they are asked in."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._judges: dict[tuple[SubjectKind, str | None], tuple[Judge, ...]] = {}

    def environment_of(self, scene: Scene) -> str | None:
        """The environment of the machine that a scene is about; None for what has no machine."""
        match scene:
            case SnapshotScene():
                return self._of_machine(scene.machine.vm, scene.machine.endpoint)
            case MachineScene():
                return self._of_machine(scene.vm, scene.endpoint)
            case FileScene(vm=VirtualMachine() as vm):
                return self._of_machine(vm, scene.endpoint)
            case FileScene() | DatastoreScene() | EndpointScene():
                return None

    def _of_machine(self, vm: VirtualMachine, endpoint: EndpointScene) -> str | None:
        return environment_of(vm, endpoint.inventory.endpoint, self._policy.environments)

    def judges(self, kind: SubjectKind, environment: str | None) -> tuple[Judge, ...]:
        """The rules about a kind of subject as they stand in an environment."""
        key = (kind, environment)
        if key not in self._judges:
            rules = (rule for rule in self._policy.rules if rule.subject is kind)
            self._judges[key] = tuple(judge_of(rule, environment) for rule in rules)
        return self._judges[key]

    def judgements(self, scenes: Stage) -> Iterator[Judgement]:
        """What every rule says about every scene of one inventory."""
        yield from self._about((scenes.endpoint,), SubjectKind.ENDPOINT)
        yield from self._about(scenes.datastores, SubjectKind.DATASTORE)
        yield from self._about(scenes.machines, SubjectKind.VIRTUAL_MACHINE)
        yield from self._about(scenes.snapshots, SubjectKind.SNAPSHOT)
        yield from self._about(scenes.files, SubjectKind.FILE)

    def _about(self, scenes: Sequence[Any], kind: SubjectKind) -> Iterator[Judgement]:
        has_environments = bool(self._policy.environments)
        judges = self.judges(kind, None)
        for scene in scenes:
            if has_environments:
                judges = self.judges(kind, self.environment_of(scene))
            subject: Subject | None = None
            for judge in judges:
                verdict = judge.verdict(scene)
                if verdict is not None:
                    subject = subject or scene.subject
                    yield from judge.judgements(scene, subject, *verdict)


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
    return (-finding.severity.rank, finding.rule, *_subject_order(finding.subject))


def _subject_order(subject: Subject) -> tuple[str, str, str, str, str]:
    return (
        subject.endpoint,
        subject.vm_name or "",
        subject.name,
        subject.vm_id or "",
        subject.id,
    )
