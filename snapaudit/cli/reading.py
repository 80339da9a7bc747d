"""From the shared options to inventories and audits: what several commands begin with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime

from snapaudit.app.audit import audit, policy_of
from snapaudit.app.gather import gather, settings_of
from snapaudit.cli.options import Common, clock
from snapaudit.cli.progress import shown
from snapaudit.config.secrets import fetch
from snapaudit.config.settings import Settings
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An audit, the policy it was made by and the moment it was made for."""

    audit: Audit
    policy: Policy
    now: datetime


def read(common: Common, settings: Settings) -> tuple[Inventory, ...]:
    """Everything the options name, with progress on stderr."""
    with shown(common) as progress:
        return gather(common.request(), settings, now=clock(), secret_of=_secret, progress=progress)


def judge(common: Common) -> Judged:
    """Rules are read first: a mistake in them is told before any endpoint is asked."""
    now = common.judged_at(clock())
    settings = settings_of(common.request())
    policy = policy_of(settings, tuple(common.rules or ()))
    inventories = read(common, settings)
    return Judged(audit=audit(inventories, policy, now), policy=policy, now=now)


def _secret(endpoint: Endpoint) -> str | None:
    reference = endpoint.account.password
    return fetch(reference, os.environ).reveal() if reference is not None else None
