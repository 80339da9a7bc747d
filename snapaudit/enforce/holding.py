"""Holding: add a hold to the state folder or take one away, touching no other entry of the file."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snapaudit.codec.strict import pretty
from snapaudit.enforce.holds import document_of, hold_of
from snapaudit.enforce.state import State, prepare, store
from snapaudit.errors import InputError, RefusedError, UsageError
from snapaudit.model.hold import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A hold as its owner asks for it; a selector that is None stands for all."""

    endpoint: str | None
    vm: str | None
    snapshot: str | None
    owner: str
    reason: str
    expires_at: datetime | None


def add(state: State, wish: Wish, now: datetime) -> Hold:
    """Add a hold. It counts at once, also for a run that is under way.

    Raises UsageError for a wish without owner or reason, or that has ended already; RefusedError
    when the file cannot be read, since writing it anew would lose holds.
    """
    if not wish.owner.strip() or not wish.reason.strip():
        raise UsageError("a hold needs an owner and a reason")
    if wish.expires_at is not None and wish.expires_at <= now:
        raise UsageError("the hold would have ended already; name a later time")
    entry = {
        "id": f"h{secrets.token_hex(4)}",
        "endpoint": wish.endpoint,
        "vm": wish.vm,
        "snapshot": wish.snapshot,
        "owner": wish.owner,
        "reason": wish.reason,
        "created_at": now.isoformat(),
        "expires_at": wish.expires_at.isoformat() if wish.expires_at else None,
    }
    with _changed(state) as entries:
        entries.append(entry)
    return hold_of(entry, 0)


def remove(state: State, hold_id: str) -> Hold:
    """Take one hold away and return it.

    Raises UsageError when there is none of that id, RefusedError when there are several.
    """
    with _changed(state) as entries:
        holds = [hold_of(entry, number) for number, entry in enumerate(entries, 1)]
        found = [place for place, hold in enumerate(holds) if hold.id == hold_id]
        if not found:
            raise UsageError(f"there is no hold {hold_id!r}; 'snapaudit hold list' names them")
        if len(found) > 1:
            message = f"{state.holds}: several holds have the id {hold_id!r}; edit the file"
            raise RefusedError(message)
        del entries[found[0]]
    return holds[found[0]]


@contextmanager
def _changed(state: State) -> Iterator[list[Any]]:
    """The entries of the file, to be changed in place; whoever else changes them waits."""
    prepare(state)
    handle = os.open(state.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            document = document_of(state.holds)
        except InputError as error:
            message = f"{error}. Repair the file first: writing it anew would lose what is held"
            raise RefusedError(message) from error
        yield document["holds"]
        store(state.holds, pretty(document))
    finally:
        os.close(handle)
