"""Baseline: the findings of one moment, written down so that a check fails on new ones alone."""

from __future__ import annotations

from dataclasses import dataclass

from snapaudit.model.policy import Severity

BASELINE_SCHEMA = "snapaudit/baseline@1"


# Below this, growth is the daily noise of what was known before.
LEAST_GROWTH = 2**30


def is_worse(
    before: Severity, now: Severity, size_before: int | None, size_now: int | None, tolerance: float
) -> bool:
    """Whether a known finding rose in severity, or grew by more than the tolerance and 1 GiB."""
    if now.rank > before.rank:
        return True
    if size_before is None or size_now is None:
        return False
    grown = size_now - size_before
    return grown >= LEAST_GROWTH and grown > size_before * tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFinding:
    """One finding that was there. ``name`` is for people; ``size_bytes`` None: not known."""

    fingerprint: str
    rule: str
    endpoint: str
    severity: Severity
    name: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEndpoint:
    """An endpoint that was seen; ``manager_id`` tells estates of equal names apart."""

    endpoint: str
    manager_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What was found, where and under which rules.

    ``selection`` are the rules and datastores that were asked for. ``digest`` is over all the rest.
    """

    schema: str = BASELINE_SCHEMA
    created_at: str
    tool_version: str
    rules_digest: str
    endpoints: tuple[KnownEndpoint, ...]
    selection: tuple[str, ...]
    findings: tuple[KnownFinding, ...]
    digest: str = ""
