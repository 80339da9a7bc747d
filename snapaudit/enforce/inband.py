"""Holds that stand on the platform: the word ``snapaudit:hold`` in a name, a note or a tag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from snapaudit.enforce.likeness import fold
from snapaudit.model.inventory import Snapshot, VirtualMachine
from snapaudit.model.until import parse_until

_MARK = re.compile(r"snapaudit[\W_]{0,3}hold(?:[\W_]{0,3}until[\W_]{0,3}([\d:.+tz-]*))?")


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
