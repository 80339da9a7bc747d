"""Explain what the rules say about one subject, and what one rule means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from snapaudit.app.naming import the_one
from snapaudit.app.rulebook import resolve
from snapaudit.model.exemption import standing
from snapaudit.model.explanation import (
    Explanation,
    LevelAnswer,
    RuleAnswer,
    RuleExplanation,
    WeighedFact,
)
from snapaudit.model.finding import Audit, Finding, Purpose, Subject
from snapaudit.model.inventory import CoverageState, Inventory, Snapshot, VirtualMachine
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import Policy, Rule, SubjectKind
from snapaudit.rules import explain as rules_explain
from snapaudit.rules.court import Court
from snapaudit.rules.exemptions import scenes_again
from snapaudit.rules.nearness import near_exemptions
from snapaudit.rules.scene import Scene
from snapaudit.rules.trial import try_rules


def explain(
    audit: Audit, policy: Policy, now: datetime, word: str, past: Past = NOTHING_REMEMBERED
) -> Explanation:
    """What the rules say about the one subject that the word means, and all that is known of it.

    Raises UsageError when it means nothing, with the nearest name, or several things, with all.
    """
    subject = the_one(audit, (rule.id for rule in policy.rules), word)
    scene = _scene(audit, policy, now, subject, past)
    findings = {one.rule: one for one in audit.findings if one.subject == subject}
    said = rules_explain.explain_scene(scene, Court(policy))
    return Explanation(
        subject=subject,
        protections=_protections(audit, subject),
        purpose=_purpose(audit, subject),
        answers=tuple(_answer(one, findings.get(one.rule.id)) for one in said),
        facts=tuple(rules_explain.known_facts(scene)),
        exemptions=tuple(near_exemptions(audit, policy, now, subject)),
        unseen=_unseen(audit, subject),
    )


def _scene(audit: Audit, policy: Policy, now: datetime, subject: Subject, past: Past) -> Scene:
    if subject.kind is SubjectKind.EXEMPTION:
        scenes: Iterator[Scene] = scenes_again(audit, policy, now)
    else:
        there = [one for one in audit.inventories if one.endpoint == subject.endpoint]
        scenes = rules_explain.scenes_of(there, now, lambda other: other == subject, past)
    return next(scene for scene in scenes if scene.subject == subject)


def _unseen(audit: Audit, subject: Subject) -> str | None:
    """Why not all of the subject's endpoint was seen."""
    blind = [
        one
        for one in audit.coverage
        if one.endpoint == subject.endpoint and one.state is not CoverageState.COMPLETE
    ]
    return next((f"{one.state}: {one.reason or 'no reason was given'}" for one in blind), None)


def machine_of(audit: Audit, subject: Subject) -> tuple[VirtualMachine, Inventory] | None:
    """The machine a subject belongs to, with the inventory it was seen in."""
    for inventory in audit.inventories:
        for vm in inventory.virtual_machines:
            if (inventory.endpoint, vm.id) == (subject.endpoint, subject.vm_id):
                return vm, inventory
    return None


def snapshot_of(audit: Audit, subject: Subject) -> Snapshot | None:
    """The snapshot a subject is."""
    if subject.kind is not SubjectKind.SNAPSHOT:
        return None
    seen = machine_of(audit, subject)
    return next((s for s in seen[0].snapshots if s.id == subject.id), None) if seen else None


def _protections(audit: Audit, subject: Subject) -> tuple[str, ...]:
    """Its own, and those of the machine it belongs to: either forbids to delete it."""
    snapshot, seen = snapshot_of(audit, subject), machine_of(audit, subject)
    own = snapshot.protections if snapshot is not None else ()
    of_machine = seen[0].protections if seen is not None else ()
    return tuple(dict.fromkeys((*own, *of_machine)))


def _purpose(audit: Audit, subject: Subject) -> Purpose | None:
    wanted = (subject.endpoint, subject.vm_id, subject.id)
    if subject.kind is not SubjectKind.SNAPSHOT:
        return None
    found = (p for p in audit.purposes if (p.endpoint, p.vm_id, p.snapshot_id) == wanted)
    return next(found, None)


def _answer(said: rules_explain.Explanation, finding: Finding | None) -> RuleAnswer:
    parts = [(str(severity), level) for severity, level in said.levels]
    parts += [("unless", said.unless)] if said.unless is not None else []
    return RuleAnswer(
        rule=said.rule.id,
        title=said.rule.title,
        environment=said.environment,
        severity=said.severity,
        undetermined=said.undetermined,
        exemption=None if finding is None else finding.exemption,
        due_at=None if finding is None else finding.due_at,
        notice_at=None if finding is None else finding.notice_at,
        levels=tuple(
            LevelAnswer(level=level, condition=one.written, answer=str(one.answer))
            for level, one in parts
        ),
        weighed=tuple(
            WeighedFact(
                level=level,
                fact=one.fact,
                value=one.value,
                operator=one.operator,
                bound=one.bound,
                answer=str(one.answer),
                reason=one.reason,
            )
            for level, condition in parts
            for one in condition.comparisons
        ),
    )


def explain_rule(rule: Rule, policy: Policy, now: datetime) -> RuleExplanation:
    """What a rule means and asks in each environment, its cases, and the exemptions that name it.

    A rule that is switched off is explained all the same, and is said to be off.
    """
    longest = policy.longest_exemption
    return RuleExplanation(
        rule=rule.id,
        title=rule.title,
        why=rule.why,
        fix=rule.fix,
        remedy=rule.remedy,
        mode=rule.mode,
        grace=rule.grace,
        notice=rule.notice,
        with_memory=rule.with_memory,
        honours_expiry=rule.honours_expiry,
        is_disabled=rule.id in policy.disabled,
        resolved=resolve(rule, policy),
        cases=try_rules((rule,)).results,
        exemptions=tuple(
            standing(one, now, longest) for one in policy.exemptions if rule.id in one.rules
        ),
    )
