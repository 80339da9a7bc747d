"""Holds: what must never be deleted, whoever asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold. A selector that is None or unreadable holds everything it could mean.

    ``vm`` and ``snapshot`` are ids or names. ``expires_at`` None: until somebody removes it.
    """

    id: str
    endpoint: str | None
    vm: str | None
    snapshot: str | None
    owner: str
    reason: str
    created_at: datetime | None
    expires_at: datetime | None
