"""Court: the rules of a policy, compiled once for each environment they are asked in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from snapaudit.model.inventory import VirtualMachine
from snapaudit.model.policy import Policy, SubjectKind
from snapaudit.rules.columns import Columns
from snapaudit.rules.environment import environment_of
from snapaudit.rules.judge import Judge, Judgement, judge_of
from snapaudit.rules.scene import (
    DatastoreScene,
    EndpointScene,
    ExemptionScene,
    FileScene,
    MachineScene,
    Scene,
    SnapshotScene,
)
from snapaudit.rules.staging import Stage

_AT_ONCE = 10_000


class Court:
    """Every rule of a policy, ready to be asked about the scenes of an inventory."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._judges: dict[tuple[SubjectKind, str | None], tuple[Judge, ...]] = {}
        self._environments: dict[tuple[str, str], str | None] = {}

    def environment_of(self, scene: Scene) -> str | None:
        """The environment of the machine that a scene is about; None for what has no machine."""
        match scene:
            case SnapshotScene():
                return self._of_machine(scene.machine.vm, scene.machine.endpoint)
            case MachineScene():
                return self._of_machine(scene.vm, scene.endpoint)
            case FileScene(vm=VirtualMachine() as vm):
                return self._of_machine(vm, scene.endpoint)
            case FileScene() | DatastoreScene() | EndpointScene() | ExemptionScene():
                return None

    def _of_machine(self, vm: VirtualMachine, endpoint: EndpointScene) -> str | None:
        """Asked once for a machine: its snapshots belong where it does."""
        key = (endpoint.inventory.endpoint, vm.id)
        if key not in self._environments:
            found = environment_of(vm, endpoint.inventory.endpoint, self._policy.environments)
            self._environments[key] = found
        return self._environments[key]

    def judges(self, kind: SubjectKind, environment: str | None) -> tuple[Judge, ...]:
        """The rules about a kind of subject as they stand in an environment."""
        key = (kind, environment)
        if key not in self._judges:
            rules = (rule for rule in self._policy.rules if rule.subject is kind)
            self._judges[key] = tuple(judge_of(rule, environment) for rule in rules)
        return self._judges[key]

    def judgements(self, scenes: Stage) -> Iterator[Judgement]:
        """What every rule says about every scene of one inventory."""
        for kind, some in scenes.by_kind():
            yield from self.about(kind, some)

    def about(self, kind: SubjectKind, scenes: Sequence[Scene]) -> Iterator[Judgement]:
        """What every rule about a kind of subject says about scenes of that kind."""
        for environment, alike in self._by_environment(scenes):
            for columns in _portions(alike):
                for judge in self.judges(kind, environment):
                    yield from judge.judgements(columns)

    def _by_environment(
        self, scenes: Sequence[Scene]
    ) -> Iterator[tuple[str | None, Sequence[Scene]]]:
        if not self._policy.environments:
            yield None, scenes
            return
        groups: defaultdict[str | None, list[Scene]] = defaultdict(list)
        for scene in scenes:
            groups[self.environment_of(scene)].append(scene)
        yield from groups.items()


def _portions(scenes: Sequence[Scene]) -> Iterator[Columns]:
    """The scenes in portions, so that the columns of a large estate need little memory."""
    for start in range(0, len(scenes), _AT_ONCE):
        yield Columns(scenes[start : start + _AT_ONCE])
