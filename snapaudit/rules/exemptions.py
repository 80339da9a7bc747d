"""Exemptions at work: findings → *accept(...)* → findings accepted or not, and what is told of it.

An exemption that has ended, or that accepts nothing, is a finding of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from snapaudit.model.exemption import Exemption, ExemptionStanding, standing
from snapaudit.model.finding import Audit, Finding, Undetermined
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.policy import Policy, SubjectKind
from snapaudit.rules.acceptance import Acceptance, SnapshotPlace
from snapaudit.rules.court import Court
from snapaudit.rules.judge import Judgement
from snapaudit.rules.quantity import Unknown
from snapaudit.rules.scene import ExemptionScene


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """All judgements, the findings with what accepts them, and how every exemption stands."""

    judgements: tuple[Judgement, ...]
    exemptions: tuple[ExemptionStanding, ...]


def accept(
    judgements: Sequence[Judgement],
    court: Court,
    policy: Policy,
    inventories: Sequence[Inventory],
    now: datetime,
    declared: Mapping[SnapshotPlace, str],
) -> Accepted:
    """The judgements as exemptions leave them, with those about the exemptions themselves.

    ``declared``: the sentences of snapshots whose own text keeps them.
    """
    if not policy.exemptions and not declared:
        return Accepted(judgements=tuple(judgements), exemptions=())
    acceptance = Acceptance(policy, inventories, now, declared)
    judged = tuple(_judged(judgements, acceptance))
    scenes = tuple(exemption_scenes(policy, inventories, now, acceptance))
    return Accepted(
        judgements=(*judged, *court.about(SubjectKind.EXEMPTION, scenes)),
        exemptions=tuple(
            standing(one, now, policy.longest_exemption, acceptance.accepted[one.id])
            for one in policy.exemptions
        ),
    )


def _judged(judgements: Iterable[Judgement], acceptance: Acceptance) -> Iterator[Judgement]:
    for one in judgements:
        match one:
            case Finding():
                yield acceptance.judged(one)
            case Undetermined():
                acceptance.note(one)
                yield one


def accept_again(audit: Audit, policy: Policy, now: datetime) -> tuple[Finding, ...]:
    """The findings of an audit as acting has to take them; what was accepted stays so.

    Exemptions that came since count, and so does one of which nobody can tell whether it fits.
    """
    if not policy.exemptions:
        return audit.findings
    acceptance = Acceptance(policy, audit.inventories, now, {})
    return tuple(
        one if one.exemption is not None else acceptance.kept(one) for one in audit.findings
    )


def shared(audit: Audit, policy: Policy, now: datetime) -> dict[str, Counter[str]]:
    """By exemption in force: how many of its findings which others accept too."""
    acceptance = Acceptance(policy, audit.inventories, now, {})
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for finding in audit.findings:
        names = [one.id for one in acceptance.covering(finding.rule, finding.subject)]
        for name in names:
            found[name].update(other for other in names if other != name)
    return found


def scenes_again(audit: Audit, policy: Policy, now: datetime) -> Iterator[ExemptionScene]:
    """The scenes of a policy's exemptions, counted from an audit that was made under it."""
    acceptance = Acceptance(policy, audit.inventories, now, {})
    for finding in audit.findings:
        acceptance.judged(finding)
    for undetermined in audit.undetermined:
        acceptance.note(undetermined)
    yield from exemption_scenes(policy, audit.inventories, now, acceptance)


def exemption_scenes(
    policy: Policy, inventories: Sequence[Inventory], now: datetime, acceptance: Acceptance
) -> Iterator[ExemptionScene]:
    """Every exemption, with the number of findings that it accepted."""
    for one in policy.exemptions:
        number, reason = acceptance.accepted[one.id], _unseen(one, policy, inventories, acceptance)
        found = number if reason is None else Unknown(reason, number)
        yield ExemptionScene(one, now, policy.longest_exemption, found)


def _unseen(
    exemption: Exemption, policy: Policy, inventories: Sequence[Inventory], acceptance: Acceptance
) -> str | None:
    """Why it may accept more than was seen; None: everything that it selects was seen whole."""
    states = {one.endpoint: one.coverage.state for one in inventories}
    wanted = exemption.selector.endpoint or "*"
    meant = sorted(name for name in {*states, *policy.endpoints} if fnmatchcase(name, wanted))
    if not meant:
        return f"no endpoint that was looked at is called {wanted}"
    for name in meant:
        state = states.get(name)
        if state is not CoverageState.COMPLETE:
            return f"{name} is {state}" if state else f"{name} was not looked at"
        if acceptance.goes_by_unread_tags(exemption, name):
            return f"the tags of machines of {name} could not be read"
    undecided = acceptance.open_for.get(exemption.id)
    if undecided is not None:
        return f"{undecided.rule} is open on {undecided.subject.name}: {undecided.reason}"
    return None
