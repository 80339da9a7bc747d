"""Exemptions with sensible defaults, and audits under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from snapaudit.errors import Place
from snapaudit.model.exemption import Exemption, Selector
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Inventory
from snapaudit.model.until import parse_since, parse_until
from snapaudit.rules.engine import audit
from tests.builders import NOW
from tests.rules.verdicts import policy


def exemption(
    identity: str = "EX-1",
    *,
    rules: Sequence[str] = ("stale-snapshot",),
    created: str = "2026-05-01",
    expires: str = "2026-07-01",
    owner: str = "dba",
    reason: str = "the vendor asked for it",
    ticket: str | None = "CHG-1",
    **selector: Any,
) -> Exemption:
    since, until = parse_since(created), parse_until(expires)
    assert since is not None
    assert until is not None
    return Exemption(
        id=identity,
        rules=tuple(rules),
        selector=Selector(**selector),
        owner=owner,
        reason=reason,
        ticket=ticket,
        created_at=since,
        expires=expires,
        expires_at=until,
        place=Place("exemptions.yaml", 3, 5),
    )


def under(
    *exemptions: Exemption, seen: Sequence[Inventory], now: datetime = NOW, **changes: Any
) -> Audit:
    """The built-in pack's audit with these exemptions."""
    return audit(seen, replace(policy(), exemptions=exemptions, **changes), now)


def accepted(found: Audit) -> set[tuple[str, str]]:
    """Rule and subject of every finding that is accepted."""
    return {(one.rule, one.subject.name) for one in found.findings if one.exemption is not None}


def told(found: Audit, kind: str = "exemption") -> set[tuple[str, str]]:
    """Rule and severity of every finding about an exemption."""
    about = (one for one in found.findings if one.subject.kind == kind)
    return {(one.rule, str(one.severity)) for one in about}
