"""Judge what was gathered: policy from the configuration, findings from the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from snapaudit.config.settings import Settings
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Policy
from snapaudit.rules import engine, loader


def policy_of(settings: Settings, folders: Sequence[Path] = ()) -> Policy:
    """The rules in force: the built-in pack, the configured folders, and those named here."""
    return loader.load_policy(
        (*settings.rules.folders, *folders),
        disable=settings.rules.disable,
        levels=settings.rules.levels,
        environments=settings.environments,
    )


def audit(inventories: Iterable[Inventory], policy: Policy, now: datetime) -> Audit:
    """Findings, purposes and what could not be decided, as of a moment."""
    return engine.audit(inventories, policy, now)
