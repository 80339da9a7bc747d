"""Holds: what must never be deleted, from the state folder and from marks on the platform.

Whatever cannot be read protects (docs/safety.md, GRD-26): an unreadable file holds everything, an
unreadable selector all it could mean, an unreadable end never comes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from snapaudit.codec.strict import parse_by_hand
from snapaudit.enforce.inband import marked
from snapaudit.enforce.likeness import fold, means
from snapaudit.enforce.state import State, distrust, opened, read_all
from snapaudit.errors import InputError
from snapaudit.model.hold import Hold
from snapaudit.model.inventory import Snapshot, VirtualMachine
from snapaudit.model.until import parse_until

HOLDS_SCHEMA = "snapaudit/holds@1"
MAX_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """All holds of a state folder. ``unreadable`` says why they are unknown: all is held then."""

    entries: tuple[Hold, ...] = ()
    unreadable: str | None = None

    def why_held(
        self, endpoint: str, vm: VirtualMachine, snapshot: Snapshot | None, now: datetime
    ) -> str | None:
        """Why the snapshot must stay, in a sentence; without one, why the chains must stay."""
        return next(self.reasons(endpoint, vm, snapshot, now), None)

    def reasons(
        self, endpoint: str, vm: VirtualMachine, snapshot: Snapshot | None, now: datetime
    ) -> Iterator[str]:
        """Every reason, each in a sentence."""
        if self.unreadable is not None:
            yield f"nobody can tell what is held: {self.unreadable}"
            return
        for hold in self.entries:
            if is_in_force(hold, now) and _covers(hold, endpoint, vm, snapshot):
                yield _sentence(hold)
        place = marked(vm, snapshot, now)
        if place is not None:
            yield f"'snapaudit:hold' stands in {place}"


def is_in_force(hold: Hold, now: datetime) -> bool:
    """Whether it has not ended yet."""
    return hold.expires_at is None or now < hold.expires_at


def read_holds(state: State) -> Holds:
    """The holds of a state folder. Never raises: what cannot be read holds everything."""
    try:
        document = document_of(state.holds)
    except InputError as error:
        return Holds(unreadable=f"{error}. Repair the file")
    entries = enumerate(document["holds"], 1)
    return Holds(entries=tuple(hold_of(entry, number) for number, entry in entries))


def document_of(path: Path) -> dict[str, Any]:
    """The file as it is written, with a list under ``holds``. Raises InputError."""
    try:
        with opened(path) as handle:
            complaint = distrust(os.fstat(handle))
            raw = read_all(handle, MAX_BYTES)
    except FileNotFoundError:
        return {"schema": HOLDS_SCHEMA, "holds": []}
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    if complaint is not None or len(raw) > MAX_BYTES:
        raise InputError(str(path), complaint or "is larger than 16 MiB")
    document = parse_by_hand(raw, str(path))
    if document.get("schema") != HOLDS_SCHEMA or not isinstance(document.get("holds"), list):
        message = f"expected schema {HOLDS_SCHEMA!r} and a list under 'holds'"
        raise InputError(str(path), message)
    return document


def hold_of(entry: object, number: int) -> Hold:
    """An entry of the file as a hold; what is no entry at all holds everything."""
    found: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
    return Hold(
        id=_text(found, "id") or f"entry-{number}",
        endpoint=_text(found, "endpoint"),
        vm=_text(found, "vm"),
        snapshot=_text(found, "snapshot"),
        owner=_text(found, "owner") or "nobody named",
        reason=_text(found, "reason") or "no reason given",
        created_at=_moment(found, "created_at"),
        expires_at=_moment(found, "expires_at"),
    )


def _text(found: Mapping[str, Any], key: str) -> str | None:
    value = found.get(key)
    return value if isinstance(value, str) and fold(value) else None


def _moment(found: Mapping[str, Any], key: str) -> datetime | None:
    return parse_until(_text(found, key))


def _covers(hold: Hold, endpoint: str, vm: VirtualMachine, snapshot: Snapshot | None) -> bool:
    if hold.endpoint is not None and not means(hold.endpoint, endpoint):
        return False
    if hold.vm is not None and not means(hold.vm, vm.id, vm.name):
        return False
    if hold.snapshot is None:
        return True
    if snapshot is None and hold.vm is not None:
        return True  # a delta that no snapshot explains may be what is left of the one that is held
    shots = vm.snapshots if snapshot is None else (snapshot,)
    return any(means(hold.snapshot, shot.id, shot.name) for shot in shots)


def _sentence(hold: Hold) -> str:
    until = f" until {hold.expires_at:%Y-%m-%d %H:%M} UTC" if hold.expires_at else ""
    return f"hold {hold.id} of {hold.owner}{until}: {hold.reason}"
