"""Allowances: exemptions and holds in one list, with how each of them stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from snapaudit.model.exemption import ExemptionStanding, ExemptionState
from snapaudit.model.hold import Hold
from snapaudit.model.weekly import Allowance, Standing

SOON = timedelta(days=14)


def exemption(one: ExemptionStanding, now: datetime) -> Allowance:
    """An exemption as the audit found it."""
    said = (
        f"{key} {', '.join(value) if isinstance(value, tuple) else value}"
        for key, value in one.selector.written().items()
    )
    covers = f"{', '.join(one.rules)}: {', '.join(said) or 'everything'}"
    is_over = one.state is ExemptionState.EXPIRED
    return Allowance(
        kind="exemption",
        id=one.id,
        covers=covers,
        owner=one.owner,
        reason=f"{one.reason} ({one.ticket})" if one.ticket else one.reason,
        expires_at=one.ends_at,
        standing=_standing(one.ends_at, now, is_over=is_over, is_used=one.findings != 0),
        uses=one.findings,
    )


def holds(many: Iterable[Hold], now: datetime) -> tuple[Allowance, ...]:
    """The holds of the state folder. How often one is used nobody counts."""
    return tuple(_hold(one, now) for one in many)


def _hold(one: Hold, now: datetime) -> Allowance:
    named = (("endpoint", one.endpoint), ("vm", one.vm), ("snapshot", one.snapshot))
    said = ", ".join(f"{key} {value}" for key, value in named if value is not None)
    is_over = one.expires_at is not None and one.expires_at <= now
    return Allowance(
        kind="hold",
        id=one.id,
        covers=said or "everything",
        owner=one.owner,
        reason=one.reason,
        expires_at=one.expires_at,
        standing=_standing(one.expires_at, now, is_over=is_over, is_used=True),
        uses=None,
    )


def _standing(ends_at: datetime | None, now: datetime, *, is_over: bool, is_used: bool) -> Standing:
    if is_over:
        return Standing.EXPIRED
    if not is_used:
        return Standing.UNUSED
    return Standing.ENDING if ends_at is not None and ends_at <= now + SOON else Standing.ACTIVE
