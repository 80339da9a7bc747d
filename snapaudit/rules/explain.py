"""Explain: why a rule does, does not, or cannot say anything about a subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from snapaudit.model.explanation import KnownFact
from snapaudit.model.finding import Subject
from snapaudit.model.inventory import Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import Condition, Policy, Rule, Severity, SubjectKind
from snapaudit.rules import spelling
from snapaudit.rules.answers import Answer, Test, Weighed, answer_of, printable
from snapaudit.rules.columns import Columns
from snapaudit.rules.court import Court
from snapaudit.rules.facts import facts_of
from snapaudit.rules.judge import Judge
from snapaudit.rules.levels import levels_in
from snapaudit.rules.purposes.classifier import classifier
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.scene import Scene
from snapaudit.rules.staging import stage


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedCondition:
    """A level or an exception, as a rule file writes it, with its answer and every comparison."""

    written: str
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
        answer
        for scene in scenes_of(inventories, now, wanted, past)
        for answer in explain_scene(scene, court)
    )


def scenes_of(
    inventories: Iterable[Inventory],
    now: datetime,
    wanted: Callable[[Subject], bool],
    past: Past = NOTHING_REMEMBERED,
) -> Iterator[Scene]:
    """The scenes of the wanted subjects, by endpoint."""
    for inventory in sorted(inventories, key=lambda inventory: inventory.endpoint):
        for _, scenes in stage(inventory, now, classifier(), past).by_kind():
            yield from (scene for scene in scenes if wanted(scene.subject))


def explain_scene(scene: Scene, court: Court) -> tuple[Explanation, ...]:
    """Every rule about the subject of one scene, by its id."""
    environment = court.environment_of(scene)
    judges = court.judges(scene.subject.kind, environment)
    return tuple(_explain(judge, scene, environment) for judge in judges)


def known_facts(scene: Scene) -> Iterator[KnownFact]:
    """Every fact there is about the subject of a scene: its own, its machine's, its endpoint's."""
    facts = facts_of(scene.subject.kind).values()
    kinds: list[SubjectKind | None] = [None, *SubjectKind]
    for fact in sorted(facts, key=lambda one: (kinds.index(one.of), one.name)):
        if fact.argument is None:
            value = fact.measure(scene)
            yield KnownFact(
                name=fact.name,
                type=str(fact.bound_type),
                value=printable(value),
                reason=value.reason if isinstance(value, Unknown) else None,
                of=fact.of or scene.subject.kind,
            )


def _explain(judge: Judge, scene: Scene, environment: str | None) -> Explanation:
    alone = Columns((scene,))
    verdict = next(judge.verdicts(alone), None)
    unsettled = None if verdict is None else verdict.unsettled
    rule, standing = judge.rule, levels_in(judge.rule, environment)

    def weighed(test: Test, condition: Condition) -> WeighedCondition:
        return _weighed(test, alone, spelling.condition(condition, rule.subject))

    return Explanation(
        rule=rule,
        subject=scene.subject,
        environment=environment,
        levels=tuple((grade, weighed(test, standing[grade])) for grade, test in judge.levels),
        unless=weighed(judge.unless, rule.unless) if judge.unless and rule.unless else None,
        severity=None if verdict is None else verdict.severity,
        undetermined=None if unsettled is None else f"{unsettled.fact}: {unsettled.reason}",
    )


def _weighed(test: Test, alone: Columns, written: str) -> WeighedCondition:
    (reply,) = test.ask(alone)
    comparisons = test.weigh(alone, 0)
    return WeighedCondition(written=written, answer=answer_of(reply), comparisons=comparisons)
