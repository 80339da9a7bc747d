"""Holds that stand on the platform: the word ``snapaudit:hold`` in a name, a note or a tag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from snapaudit.enforce.likeness import fold
from snapaudit.model.inventory import Snapshot, VirtualMachine

_MARK = re.compile(r"snapaudit[\W_]{0,3}hold(?:[\W_]{0,3}until[\W_]{0,3}([\d:.+tz-]*))?")
# A day ends last in the zone twelve hours behind UTC; until then it is still that day somewhere.
_LAST_MIDNIGHT = timedelta(days=1, hours=12)


def marked(vm: VirtualMachine, snapshot: Snapshot | None, now: datetime) -> str | None:
    """Where a mark holds the snapshot, in words; without a snapshot, the machine's chains."""
    return next((place for place, text in _texts(vm, snapshot) if _holds(text, now)), None)


def _texts(vm: VirtualMachine, snapshot: Snapshot | None) -> Iterator[tuple[str, str]]:
    # What is merged without a snapshot changes the images that all snapshots stand on.
    for shot in vm.snapshots if snapshot is None else (snapshot,):
        yield f"the name of snapshot {shot.name}", shot.name
        yield f"the description of snapshot {shot.name}", shot.description
    yield f"the name of machine {vm.name}", vm.name
    yield f"the notes of machine {vm.name}", vm.notes
    for tag in vm.tags:
        yield f"the tag {tag}", tag


def _holds(text: str, now: datetime) -> bool:
    found = (parse_until(mark[1]) for mark in _MARK.finditer(fold(text)))
    return any(until is None or now < until for until in found)


def parse_until(text: str | None) -> datetime | None:
    """The moment from which a hold until then no longer holds; None: none that can be read.

    A day counts to its end, wherever on Earth it ends last. A time without a zone is none.
    """
    written = (text or "").strip(" .,;").upper()
    try:
        moment = datetime.fromisoformat(written)
        if len(written) <= len("2026-12-31"):
            return datetime.combine(moment.date(), time(), UTC) + _LAST_MIDNIGHT
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None
