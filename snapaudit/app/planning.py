"""Make a plan, sign it off, and find the one to apply."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from snapaudit import __version__, registry
from snapaudit.config.settings import Settings
from snapaudit.enforce.course import Use
from snapaudit.enforce.holds import read_holds
from snapaudit.enforce.journal import Record, read_journal
from snapaudit.enforce.limits import census_of, excess
from snapaudit.enforce.outlook import renewed
from snapaudit.enforce.planner import Circumstances, plan
from snapaudit.enforce.sealing import known_plans, read_plan, reseal
from snapaudit.enforce.state import State
from snapaudit.errors import InputError, RefusedError, SnapauditError
from snapaudit.model.acting import Abilities
from snapaudit.model.finding import Audit
from snapaudit.model.plan import Decision, Plan
from snapaudit.model.policy import Policy
from snapaudit.rules.digest import digest
from snapaudit.rules.exemptions import accept_again

LONGEST_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asks of a plan: who they are, the endpoints they named, how many at most."""

    author: str
    named: frozenset[str] = frozenset()
    worst: int | None = None


def make_plan(
    audit: Audit, policy: Policy, settings: Settings, wanted: Wanted, now: datetime
) -> Plan:
    """The plan that follows from an audit. Nothing is written."""
    state = State(settings.state)
    around = Circumstances(
        id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
        author=wanted.author,
        tool_version=__version__,
        config_digest=config_digest(settings),
        rules_digest=digest(policy),
        limits=settings.limits,
        abilities=_abilities(),
        holds=read_holds(state),
        unsettled=dict(_unsettled(read_journal(state))),
        named=wanted.named,
        worst=wanted.worst,
    )
    return plan(replace(audit, findings=accept_again(audit, policy, now)), policy, around, now)


def _abilities() -> dict[str, Abilities]:
    return {kind: platform.abilities for kind, platform in registry.usable().items()}


def _unsettled(journal: Record) -> Iterator[tuple[tuple[str, str], str]]:
    for course in journal.open_actions():
        if course.machine is not None:
            endpoint, vm_id = course.machine
            yield (endpoint, vm_id), f"action {course.action_id} of an earlier run is not settled"


def config_digest(settings: Settings) -> str:
    """The SHA-256 of the configuration file; of nothing, where there is none."""
    try:
        raw = settings.source.read_bytes() if settings.source is not None else b""
    except OSError as error:
        raise InputError(str(settings.source), f"cannot be read: {error.strerror}") from error
    return hashlib.sha256(raw).hexdigest()


def unconfigured(chosen: Plan, settings: Settings) -> list[str]:
    """The endpoints that a plan acts on and that are none of ours."""
    acted_on = {action.endpoint for action in chosen.actions}
    return sorted(acted_on - {endpoint.name for endpoint in settings.endpoints})


def obstacle(made: Plan, settings: Settings, now: datetime) -> str | None:
    """Why this plan cannot be applied, whatever the world is like; None: nothing stands against it.

    A saved view may be of endpoints that are configured elsewhere, or be judged as of another day.
    """
    strangers = unconfigured(made, settings)
    if strangers:
        return f"{strangers[0]} is not configured here"
    try:
        refuse_if_over(made, read_journal(State(settings.state)), now)
    except SnapauditError as error:  # a journal that is damaged, too
        return str(error)
    return None


def sign_off(settings: Settings, path: Path, reviewer: str, now: datetime) -> Plan:
    """Seal the decisions and notes that a reviewer made. Raises RefusedError."""
    state = State(settings.state)

    def decided(edited: Plan) -> Plan:
        refuse_if_over(edited, read_journal(state), now)
        seen = census_of(edited)
        return replace(
            edited,
            excess=excess(edited.actions, settings.limits, seen),
            datastores=tuple(renewed(one, edited.actions) for one in edited.datastores),
        )

    return reseal(state, path, reviewer, now, decided)


def refuse_if_over(chosen: Plan, journal: Record, now: datetime) -> None:
    """Raise RefusedError for a plan that has expired, or that was carried out already."""
    if chosen.planned_at > now:
        raise RefusedError(f"plan {chosen.id} was made {chosen.planned_at - now} in the future")
    if chosen.expires_at <= now or chosen.expires_at - chosen.planned_at > LONGEST_LIFE:
        raise RefusedError(
            f"plan {chosen.id} expired on {chosen.expires_at:%Y-%m-%d %H:%M} UTC; "
            "make a new one with `snapaudit enforce`"
        )
    if _use(chosen, journal) is Use.USED:
        raise RefusedError(
            f"plan {chosen.id} was carried out already, and a plan is carried out once; "
            "make a new one with `snapaudit enforce`"
        )


def _use(chosen: Plan, journal: Record) -> Use:
    meant = [one.id for one in chosen.actions if one.decision is Decision.APPLY]
    return journal.plan_use(chosen.id, meant)


def refuse_if_unfit(chosen: Plan, settings: Settings, policy: Policy) -> None:
    """Raise RefusedError for a plan made under another configuration, or over a limit (INV-10)."""
    again = "make a new plan with `snapaudit enforce`"
    if chosen.config_digest != config_digest(settings):
        raise RefusedError(f"the configuration changed since plan {chosen.id} was made; {again}")
    if chosen.rules_digest != digest(policy):
        raise RefusedError(f"the rules changed since plan {chosen.id} was made; {again}")
    over = excess(chosen.actions, settings.limits, census_of(chosen))
    if over:
        raise RefusedError(
            f"within-limits: plan {chosen.id} is over {over[0].limit}: {over[0].reason}. Set "
            '"decision": "skip" at some actions and sign it off with --reseal, or make a smaller '
            "plan with `snapaudit enforce --worst N`"
        )
    if not any(one.decision is Decision.APPLY for one in chosen.actions):
        raise RefusedError(f"plan {chosen.id} has no action to apply")


def newest_plan(settings: Settings, now: datetime, *, must_be_signed: bool) -> tuple[Path, Plan]:
    """The newest plan that may be applied: neither expired, used nor edited.

    ``must_be_signed``: a person has to have signed it off, since nobody will be asked. Raises
    RefusedError naming why the others are not taken.
    """
    state = State(settings.state)
    journal = read_journal(state)
    reasons: list[str] = []
    for path in known_plans(state):
        try:
            chosen, _ = read_plan(state, path)
            refuse_if_over(chosen, journal, now)
        except SnapauditError as error:
            reasons.append(str(error))
            continue
        if must_be_signed and chosen.reviewer is None:
            reasons.append(f"nobody signed off plan {chosen.id}: name it with --plan, or --reseal")
            continue
        return path, chosen
    why = f": {reasons[0]}" if reasons else "; make one with `snapaudit enforce`"
    raise RefusedError(f"there is no plan to apply{why}")
