"""From the shared options to inventories and audits: what several commands begin with."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from snapaudit.app.audit import audit, policy_of
from snapaudit.app.gather import chosen_endpoints, gather, settings_of
from snapaudit.app.history import Remembered, record, remember_back
from snapaudit.app.remembering import announced, held_against_memory, remember
from snapaudit.cli.options import Common, clock
from snapaudit.cli.progress import shown
from snapaudit.config.secrets import fetch
from snapaudit.config.settings import Settings
from snapaudit.errors import SnapauditError
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import Policy
from snapaudit.report.escape import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An audit, the policy it was made by, the moment it was made for and the settings.

    ``past`` is what earlier runs added to it, ``at`` the date under which it is remembered itself.
    """

    audit: Audit
    policy: Policy
    now: datetime
    settings: Settings
    past: Past = NOTHING_REMEMBERED
    at: datetime


def read(
    common: Common, settings: Settings, stop: threading.Event | None = None
) -> tuple[Inventory, ...]:
    """Everything the options name, with progress on stderr, until ``stop`` is set."""
    if not (common.inventory or common.demo):
        type_in(chosen_endpoints(common.request(), settings))
    with shown(common) as progress:
        return gather(
            common.request(),
            settings,
            now=clock(),
            secret_of=secret,
            progress=progress,
            stop=stop,
        )


def judge(common: Common, stop: threading.Event | None = None) -> Judged:
    """Rules are read first: a mistake in them is told before any endpoint is asked."""
    now = common.judged_at(clock())
    settings = settings_of(common.request())
    policy = policy_of(settings, tuple(common.rules or ()))
    inventories = read(common, settings, stop)
    if not common.reads_saved:
        inventories = held_against_memory(inventories, settings)
    at = _date(common, inventories, now)
    remembered = _remembered(common, inventories, settings, at)
    found = audit(remembered.inventories, policy, now, remembered.past)
    if not common.demo:
        found = announced(found, policy, settings, now)
    return Judged(
        audit=found, policy=policy, now=now, settings=settings, past=remembered.past, at=at
    )


def _date(common: Common, inventories: Iterable[Inventory], now: datetime) -> datetime:
    """When the world was as it is read: saved inventories tell, unless ``--now`` does."""
    if common.now or not common.inventory:
        return now
    return max(inventory.collected_at for inventory in inventories)


def _remembered(
    common: Common, inventories: tuple[Inventory, ...], settings: Settings, at: datetime
) -> Remembered:
    if common.demo:
        return Remembered(inventories=inventories, past=NOTHING_REMEMBERED)
    remembered = remember_back(inventories, settings, os.environ, at)
    if remembered.past.fault is not None:
        tell(f"earlier runs cannot be read: {remembered.past.fault}")
    return remembered


def add_to_history(common: Common, judged: Judged) -> bool:
    """Remember the audit; False where that failed, which is told on stderr and costs it nothing."""
    if common.demo:
        return True
    try:
        past, policy, settings = judged.past, judged.policy, judged.settings
        record(judged.audit, past, policy, settings, os.environ, judged.at, clock())
    except SnapauditError as error:
        tell(f"this run is not recorded, its result is complete: {error}")
        return False
    return True


def tell(message: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"snapaudit: {plain(message)}\n")


def note(common: Common, judged: Judged) -> None:
    """Let the state folder remember what was seen live, and what is announced from now on."""
    if not common.reads_saved:
        named = frozenset(common.endpoint or ())
        remember(judged.audit, judged.policy, judged.settings, judged.now, named)


def noted(common: Common, judged: Judged) -> bool:
    """As `note`; False where that failed, which is told on stderr and costs the result nothing."""
    try:
        note(common, judged)
    except SnapauditError as error:
        tell(f"what was seen is not remembered, the result is complete: {error}")
        return False
    return True


def type_in(endpoints: Iterable[Endpoint], *, acting: bool = False) -> None:
    """Ask for the passwords that are typed, before any work begins and anything is drawn.

    ``acting``: also for those of the accounts that may delete. One that cannot be had says so when
    it is needed, of its endpoint alone.
    """
    for endpoint in endpoints:
        accounts = (endpoint.account, endpoint.enforce_as if acting else None)
        for account in accounts:
            is_typed = account and account.password and account.password.is_typed
            if account is not None and is_typed:
                with suppress(SnapauditError):
                    secret_of_account(account)


def secret_of_account(account: Account) -> str | None:
    """The password of an account, fetched where the configuration says that it is."""
    reference = account.password
    return fetch(reference, os.environ).reveal() if reference is not None else None


def secret(endpoint: Endpoint) -> str | None:
    """The password of the account that reads an endpoint."""
    return secret_of_account(endpoint.account)
