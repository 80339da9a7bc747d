"""Quantities a fact can answer with, and Unknown: the third answer, with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from snapaudit.model.age import no_age

Bytes = NewType("Bytes", int)
Share = NewType("Share", float)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value nobody could tell, and why.

    ``at_least`` is a lower bound where a part of the value is known: 25 GiB that were measured are
    enough to be over 20 GiB, whatever the rest is. It is below every bound otherwise.
    """

    reason: str
    at_least: int | float | timedelta | None = None


def share_of(part: int | Unknown, whole: int | Unknown) -> Share | Unknown:
    """The part as a share of the whole; of a part known in part, the share that is known."""
    if isinstance(whole, Unknown):
        return Unknown(whole.reason)
    if whole <= 0:
        return Unknown("there is no capacity to take a share of")
    if isinstance(part, Unknown):
        known = None if part.at_least is None else part.at_least / whole
        return Unknown(part.reason, known)
    return Share(part / whole)


def known_sum(sizes: list[int | None], reason: str) -> int | Unknown:
    """The sum; with a size missing, the reason and the sum of the others as a lower bound."""
    known = [size for size in sizes if size is not None]
    missing = len(sizes) - len(known)
    if not missing:
        return sum(known)
    return Unknown(f"{reason} ({missing} of {len(sizes)})", sum(known))


def age_of(created_at: datetime | None, now: datetime) -> timedelta | Unknown:
    """How old something is, by one clock; a time in the future or before 2000 is no age at all."""
    reason = no_age(created_at, now)
    if reason is not None or created_at is None:
        return Unknown(reason or "")
    return now - created_at
