"""Judge what was gathered: policy from the configuration, findings from the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from snapaudit.config.exemption import Known
from snapaudit.config.exemptions import read_exemptions
from snapaudit.config.settings import Settings
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import Policy
from snapaudit.rules import engine, loader


def policy_of(settings: Settings, folders: Sequence[Path] = ()) -> Policy:
    """The rules in force and the findings that are accepted. Raises InputError for either."""
    return with_exemptions(rules_of(settings, folders), settings)


def rules_of(settings: Settings, folders: Sequence[Path] = ()) -> Policy:
    """The rules in force: the built-in pack, the configured folders, and those named here."""
    return loader.load_policy(
        (*settings.rules.folders, *folders),
        disable=settings.rules.disable,
        levels=settings.rules.levels,
        environments=settings.environments,
    )


def with_exemptions(policy: Policy, settings: Settings) -> Policy:
    """The policy with the exemptions of their file, as they are at this moment."""
    read = read_exemptions(settings.exemptions, known_to(policy))
    return replace(with_site(policy, settings), exemptions=read)


def with_site(policy: Policy, settings: Settings) -> Policy:
    """The policy with what the site says of exemptions, and of where there is something to see."""
    return replace(
        policy,
        longest_exemption=settings.exemptions.max_life,
        honour_expiry=settings.exemptions.honour_expiry,
        endpoints=tuple(endpoint.name for endpoint in settings.endpoints),
    )


def known_to(policy: Policy) -> Known:
    """What an exemption may name under these rules, those that are switched off included."""
    return Known(
        rules={**dict.fromkeys(policy.disabled), **{r.id: r.subject for r in policy.rules}},
        environments=[one.name for one in policy.environments],
    )


def audit(
    inventories: Iterable[Inventory],
    policy: Policy,
    now: datetime,
    past: Past = NOTHING_REMEMBERED,
) -> Audit:
    """Findings, purposes and what could not be decided, as of a moment, with what is remembered."""
    return engine.audit(inventories, policy, now, past)
