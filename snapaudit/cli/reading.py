"""From the shared options to inventories and audits: what several commands begin with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from snapaudit.app.audit import audit, policy_of
from snapaudit.app.gather import gather, settings_of
from snapaudit.app.remembering import announced, held_against_memory, remember
from snapaudit.cli.options import Common, clock
from snapaudit.cli.progress import shown
from snapaudit.config.secrets import fetch
from snapaudit.config.settings import Settings
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An audit, the policy it was made by, the moment it was made for and the settings."""

    audit: Audit
    policy: Policy
    now: datetime
    settings: Settings


def read(common: Common, settings: Settings) -> tuple[Inventory, ...]:
    """Everything the options name, with progress on stderr."""
    with shown(common) as progress:
        return gather(common.request(), settings, now=clock(), secret_of=secret, progress=progress)


def judge(common: Common) -> Judged:
    """Rules are read first: a mistake in them is told before any endpoint is asked."""
    now = common.judged_at(clock())
    settings = settings_of(common.request())
    policy = policy_of(settings, tuple(common.rules or ()))
    inventories = read(common, settings)
    if not common.reads_saved:
        inventories = held_against_memory(inventories, settings)
    found = audit(inventories, policy, now)
    if not common.demo:
        found = announced(found, policy, settings, now)
    return Judged(audit=found, policy=policy, now=now, settings=settings)


def note(common: Common, judged: Judged) -> None:
    """Let the state folder remember what was seen live, and what is announced from now on."""
    if not common.reads_saved:
        named = frozenset(common.endpoint or ())
        remember(judged.audit, judged.policy, judged.settings, judged.now, named)


def secret_of_account(account: Account) -> str | None:
    """The password of an account, fetched where the configuration says that it is."""
    reference = account.password
    return fetch(reference, os.environ).reveal() if reference is not None else None


def secret(endpoint: Endpoint) -> str | None:
    """The password of the account that reads an endpoint."""
    return secret_of_account(endpoint.account)
