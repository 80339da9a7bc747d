"""Budgets a site sets for its checks, before anything was counted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from snapaudit.model.check import Status
from snapaudit.model.policy import Severity


class BudgetKind(StrEnum):
    """What a budget counts."""

    FINDINGS = "max_findings"
    STALE = "max_stale"
    BYTES = "max_bytes"
    NEW = "max_new"
    DAYS_TO_FULL = "min_days_to_full"
    COVERAGE = "min_coverage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One limit, and what the check says beyond it.

    ``limit`` is a number of findings or snapshots, bytes, days, or a share from 0 to 1, as the kind
    says. ``of`` is the severity that a budget for findings speaks for.
    """

    kind: BudgetKind
    limit: float
    beyond: Status
    of: Severity | None = None


# Growth that is no news: writes go on under every snapshot that is kept.
GROWTH_TOLERANCE = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """What ``check:`` in the configuration says; the command line stands above it.

    ``fail_on`` None: not said. ``tolerance`` is the share by which a known finding may grow.
    """

    allowances: tuple[Allowance, ...] = ()
    fail_on: Severity | None = None
    baseline: Path | None = None
    fail_on_new: bool = False
    tolerance: float = GROWTH_TOLERANCE


def overridden(
    standing: tuple[Allowance, ...], above: tuple[Allowance, ...]
) -> tuple[Allowance, ...]:
    """The allowances, where those above replace all of the same kind (and severity) below."""
    named = {(one.kind, one.of) for one in above}
    return (*(one for one in standing if (one.kind, one.of) not in named), *above)
