"""Holds for the terminal: what is held, by whom, why and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from snapaudit.model.hold import Hold
from snapaudit.report.phrases import count, moment
from snapaudit.report.terminal import NAME_COLUMNS, draw, grid, text

_LONGEST_REASON = 200


def render_holds(holds: Sequence[Hold], now: datetime, *, width: int, colour: bool) -> bytes:
    """A table of the holds, in the order of their file, with those that have ended."""
    if not holds:
        return b"no holds\n"
    table = grid("id", "holds", "owner", "until", "reason")
    for hold in holds:
        table.add_row(
            text(hold.id, limit=NAME_COLUMNS),
            text(described(hold)),
            text(hold.owner, limit=NAME_COLUMNS),
            text(_until(hold, now)),
            text(hold.reason, limit=_LONGEST_REASON),
        )
    return draw([table, text(count(len(holds), "hold"))], width=width, colour=colour)


def described(hold: Hold) -> str:
    """What it holds, in words: ``snapshot before-upgrade of web01 on kvm1``."""
    snapshot = f"snapshot {hold.snapshot}" if hold.snapshot else "all snapshots"
    machine = f"of {hold.vm}" if hold.vm else "of every machine"
    return " ".join([snapshot, machine, *([f"on {hold.endpoint}"] if hold.endpoint else [])])


def _until(hold: Hold, now: datetime) -> str:
    if hold.expires_at is None:
        return "it is removed"
    ended = " (ended)" if hold.expires_at <= now else ""
    return f"{moment(hold.expires_at)}{ended}"
