"""Explain: why a rule does, does not, or cannot say anything about a subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from snapaudit.model.finding import Subject
from snapaudit.model.inventory import Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import Policy, Rule, Severity
from snapaudit.rules.answers import Answer, Test, Weighed, answer_of
from snapaudit.rules.columns import Columns
from snapaudit.rules.court import Court
from snapaudit.rules.judge import Judge
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.scene import Scene
from snapaudit.rules.staging import stage


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedCondition:
    """A level or an exception with its answer and every comparison in it."""

    answer: Answer
    comparisons: tuple[Weighed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One rule and one subject: each level, worst first, the exception, and what follows.

    ``severity`` None and ``undetermined`` None: nothing to report.
    """

    rule: Rule
    subject: Subject
    environment: str | None
    levels: tuple[tuple[Severity, WeighedCondition], ...]
    unless: WeighedCondition | None
    severity: Severity | None
    undetermined: str | None


def explain(
    inventories: Iterable[Inventory],
    policy: Policy,
    now: datetime,
    wanted: Callable[[Subject], bool],
    past: Past = NOTHING_REMEMBERED,
) -> tuple[Explanation, ...]:
    """Every rule that is about a wanted subject, in the order of subjects and rule ids."""
    court = Court(policy)
    return tuple(
        _explain(judge, scene, environment)
        for inventory in sorted(inventories, key=lambda inventory: inventory.endpoint)
        for _, scenes in stage(inventory, now, classifier(), past).by_kind()
        for scene in scenes
        if wanted(scene.subject)
        for environment in (court.environment_of(scene),)
        for judge in court.judges(scene.subject.kind, environment)
    )


def _explain(judge: Judge, scene: Scene, environment: str | None) -> Explanation:
    alone = Columns((scene,))
    verdict = next(judge.verdicts(alone), None)
    unsettled = None if verdict is None else verdict.unsettled
    return Explanation(
        rule=judge.rule,
        subject=scene.subject,
        environment=environment,
        levels=tuple((grade, _weighed(test, alone)) for grade, test in judge.levels),
        unless=None if judge.unless is None else _weighed(judge.unless, alone),
        severity=None if verdict is None else verdict.severity,
        undetermined=None if unsettled is None else f"{unsettled.fact}: {unsettled.reason}",
    )


def _weighed(test: Test, alone: Columns) -> WeighedCondition:
    (reply,) = test.ask(alone)
    return WeighedCondition(answer=answer_of(reply), comparisons=test.weigh(alone, 0))
