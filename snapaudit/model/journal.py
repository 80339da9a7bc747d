"""Journal: what was meant, sent and seen, one entry after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Detail = Mapping[str, str | int | None]


class Event(StrEnum):
    """What an entry says of its action.

    ``intent``: a mutating call is about to be made. ``submitted``: it was made. ``done``,
    ``failed``, ``refused`` and ``already_gone`` end an action. ``unknown``: the answer never came,
    or cannot be believed. ``resolved``: a later look, or a person, said what had become of it.
    """

    INTENT = "intent"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    ALREADY_GONE = "already_gone"
    UNKNOWN = "unknown"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry as its author knows it; the journal adds its number, its time and its hashes."""

    run_id: str
    plan_id: str
    event: Event
    action_id: str
    task_id: str | None = None
    detail: Detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal. ``hash`` covers all the rest, and ``previous`` the line before."""

    seq: int
    at: datetime
    run_id: str
    plan_id: str
    event: Event
    action_id: str
    task_id: str | None
    detail: Detail
    previous: str
    hash: str
