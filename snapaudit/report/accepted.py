"""Accepted: what all formats say of an exemption, in words."""

from __future__ import annotations

from datetime import datetime

from snapaudit.model.exemption import ExemptionStanding, ExemptionState, Selector
from snapaudit.report.phrases import count, duration, words

_SUBJECTS = ("snapshot", "vm", "datastore", "file")


def selected(selector: Selector) -> str:
    """``snapshot before *, vm erp-db01, on kvm1``: what a selector is about."""
    said = selector.written()
    parts = [f"{words(key)} {said[key]}" for key in _SUBJECTS if key in said]
    parts += [f"with tag {' or '.join(selector.tags)}"] if selector.tags else []
    parts += [f"in {selector.environment}"] if selector.environment else []
    parts += [f"on {selector.endpoint}"] if selector.endpoint else []
    return ", ".join(parts)


def owner(one: ExemptionStanding) -> str:
    """Who answers for it, or ``nobody``."""
    return one.owner or "nobody"


def left(one: ExemptionStanding, now: datetime) -> str:
    """``29 days left``, or ``ended``."""
    if one.state is ExemptionState.EXPIRED:
        return "ended"
    return f"{duration(one.ends_at - now)} left"


def accepts(one: ExemptionStanding) -> str:
    """``3 findings``, ``nothing``; empty where no audit was made."""
    if one.findings is None:
        return ""
    return count(one.findings, "finding") if one.findings else "nothing"


def why(one: ExemptionStanding) -> str:
    """The reason, with the ticket behind it."""
    return f"{one.reason} ({one.ticket})" if one.ticket else one.reason
