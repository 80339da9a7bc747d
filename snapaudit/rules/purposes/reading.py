"""Reading: what the name, the description and the company of a snapshot tell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PurposeWord(StrEnum):
    """What a snapshot can be for."""

    BACKUP_PRODUCT = "backup_product"
    MAKESHIFT_BACKUP = "makeshift_backup"
    CHANGE_SAFETY = "change_safety"
    REPLICATION = "replication"
    CLONE_BASE = "clone_base"
    AUTOMATION = "automation"
    SCHEDULED = "scheduled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One snapshot, read.

    ``is_proven``: a product's own marker or the platform's own type tells the purpose. ``score``
    says from 0 to 100 how much it looks like a makeshift backup. ``product``: as in `Purpose`.
    """

    purpose: PurposeWord
    is_proven: bool
    score: int
    reasons: tuple[str, ...]
    has_ticket: bool
    product: str | None = None
