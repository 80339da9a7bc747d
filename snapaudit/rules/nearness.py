"""Nearness: which exemptions have to do with a subject, and what keeps the others from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from snapaudit.model.exemption import Exemption, ExemptionStanding, ExemptionState
from snapaudit.model.explanation import NearExemption, Relation
from snapaudit.model.finding import Audit, Subject
from snapaudit.model.policy import Policy, SubjectKind
from snapaudit.rules.acceptance import Acceptance

_NAMES_ONE = frozenset(("vm", "snapshot", "datastore", "file"))


def near_exemptions(
    audit: Audit, policy: Policy, now: datetime, subject: Subject
) -> Iterator[NearExemption]:
    """The exemptions that fit a subject, in force or ended, and those that all but one key fit.

    One that fits by endpoint, tags or environment alone is not near: it fits half the site.
    """
    if subject.kind is SubjectKind.EXEMPTION:
        yield from (_itself(one) for one in audit.exemptions if one.id == subject.id)
        return
    acceptance = Acceptance(policy, audit.inventories, now, {})
    found = {finding.rule for finding in audit.findings if finding.subject == subject}
    standings = {one.id: one for one in audit.exemptions}
    others = {rule.id for rule in policy.rules if rule.subject is not subject.kind}
    for one in policy.exemptions:
        if others.issuperset(one.rules):
            continue
        misfits = acceptance.misfits(one.selector, subject)
        fits = one.selector.written().keys() - set(misfits)
        if not misfits:
            yield _fitting(
                one, standings[one.id], found, is_over=not _is_in_force(one, policy, now)
            )
        elif len(misfits) == 1 and fits & _NAMES_ONE:
            written = one.selector.written()[misfits[0]]
            text = written if isinstance(written, str) else ", ".join(written)
            sentence = f"does not fit: its {misfits[0]} is {text!r}"
            yield NearExemption(
                exemption=standings[one.id], relation=Relation.MISSES, sentence=sentence
            )


def _itself(one: ExemptionStanding) -> NearExemption:
    rules = ", ".join(one.rules)
    if one.state is ExemptionState.EXPIRED:
        return NearExemption(
            exemption=one, relation=Relation.ENDED, sentence=f"has ended ({one.until}): {rules}"
        )
    relation = Relation.ACCEPTS if one.findings else Relation.IDLE
    sentence = f"accepts {rules} until {one.until}; findings now: {one.findings or 0}"
    return NearExemption(exemption=one, relation=relation, sentence=sentence)


def _is_in_force(one: Exemption, policy: Policy, now: datetime) -> bool:
    return one.is_in_force(now, policy.longest_exemption)


def _fitting(
    one: Exemption, standing: ExemptionStanding, found: set[str], *, is_over: bool
) -> NearExemption:
    accepted = ", ".join(rule for rule in one.rules if rule in found)
    if is_over:
        relation = Relation.ENDED
        sentence = f"has ended ({standing.until})" + (f"; accepted {accepted}" if accepted else "")
    elif accepted:
        relation, sentence = Relation.ACCEPTS, f"accepts {accepted} until {standing.until}"
    else:
        relation = Relation.IDLE
        sentence = f"accepts {', '.join(one.rules)}, of which nothing was found here"
    return NearExemption(exemption=standing, relation=relation, sentence=sentence)
