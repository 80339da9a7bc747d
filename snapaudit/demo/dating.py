"""Puts the demo fleet's ages on the calendar: every date in a name or note follows from now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from snapaudit.demo.blueprint import Machine, Snap


def dated(machine: Machine, now: datetime) -> Machine:
    """The machine with final names and notes, and a creation time on each snapshot."""
    at = now.astimezone(UTC)
    return replace(machine, snaps=tuple(_dated(snap, at) for snap in machine.snaps))


def _dated(snap: Snap, now: datetime) -> Snap:
    taken = now - snap.age
    seconds = int(taken.timestamp())
    words = {"taken": taken, "seconds": seconds, "keep": now + snap.keep}
    return replace(
        snap,
        name=snap.name.format_map(words),
        note=snap.note.format_map(words),
        unix_seconds=seconds if snap.unix_seconds is None else snap.unix_seconds,
    )
