"""The journal's lines: an entry as bytes and back, each line holding the hash of the one before.

A line is the canonical JSON of its entry, so there is one way to write it down and every changed
byte is noticed. A chain proves edits; it cannot prove that its end was cut off between two lines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from snapaudit.codec.strict import canonical
from snapaudit.errors import JournalError
from snapaudit.model.inventory import PowerState
from snapaudit.model.journal import Draft, Entry, Event

BEGINNING = "0" * 64
_FIRST_BYTES = b'{"action_id":'
_TEXTS = ("at", "run_id", "plan_id", "event", "action_id", "previous", "hash")
_FIELDS = frozenset((*_TEXTS, "seq", "task_id", "detail"))


class Resolution(StrEnum):
    """What a ``resolved`` entry says in its detail ``outcome``.

    ``done``: it had happened. ``no-effect``: it had not, and may be meant again. ``continue``: our
    own unfinished work goes on. ``abandoned``: a person closes it as it stands.
    """

    DONE = "done"
    NO_EFFECT = "no-effect"
    CONTINUE = "continue"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Chain:
    """The entries of a journal, the bytes they take, and what is torn off after them, if any."""

    entries: list[Entry]
    length: int
    torn: str | None


class _Unreadable(ValueError):
    """A line is no entry; the text says why."""


def next_line(draft: Draft, at: datetime, last: Entry | None) -> tuple[Entry, bytes]:
    """The draft as the entry that follows ``last``, and its line.

    Raises JournalError where reading the line would not give the entry back: such a line would
    make the journal unreadable, or change what it says.
    """
    try:
        entry = _following(draft, at, last)
        line = _line(entry)
        if _entry(line) == entry:
            return entry, line + b"\n"
        reason = "it would read back differently"
    except (TypeError, ValueError) as error:
        reason = str(error)
    raise JournalError(f"action {draft.action_id}: {draft.event} was not written: {reason}")


def _following(draft: Draft, at: datetime, last: Entry | None) -> Entry:
    if at.utcoffset() is None:
        raise _Unreadable("its time has no zone")
    entry = Entry(
        seq=last.seq + 1 if last else 1,
        at=at.astimezone(UTC),
        run_id=draft.run_id,
        plan_id=draft.plan_id,
        event=draft.event,
        action_id=draft.action_id,
        task_id=draft.task_id,
        detail=dict(draft.detail),
        previous=last.hash if last else BEGINNING,
        hash="",
    )
    return replace(entry, hash=_hash(json.loads(_line(entry))))


def _line(entry: Entry) -> bytes:
    record = {name: getattr(entry, name) for name in _FIELDS}
    return canonical({**record, "at": _moment(entry.at)})


def read_chain(raw: bytes, source: str) -> Chain:
    """Every line, verified. Raises JournalError naming the line that is damaged, and the repair."""
    *lines, tail = raw.split(b"\n")
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        try:
            entry = _entry(line)
            _check_place(entry, number, entries[-1] if entries else None)
        except _Unreadable as error:
            raise _damaged(source, number, str(error)) from None
        entries.append(entry)
    if tail and not _begins_an_entry(tail):
        raise _damaged(source, len(lines) + 1, "is no journal entry, nor the beginning of one")
    torn = f"line {len(lines) + 1} of {source} was cut short while it was written" if tail else None
    return Chain(entries, len(raw) - len(tail), torn)


def _begins_an_entry(tail: bytes) -> bool:
    # Only the beginning of an entry of ours is ever cut off: anything else may be somebody's data.
    begins = tail.startswith(_FIRST_BYTES) or _FIRST_BYTES.startswith(tail)
    return begins and b"\0" not in tail


def _damaged(source: str, number: int, what: str) -> JournalError:
    return JournalError(
        f"{source}: line {number} {what}. Nothing will be changed while the journal is damaged."
        " Keep a copy of the file, look at it with 'snapaudit journal verify', and put back the"
        " undamaged file from a backup"
    )


def _check_place(entry: Entry, number: int, last: Entry | None) -> None:
    if entry.seq != number:
        raise _Unreadable(f"is entry {entry.seq}: a line is missing, doubled or out of order")
    if entry.previous != (last.hash if last else BEGINNING):
        raise _Unreadable("does not follow from the line before it")


def _entry(line: bytes) -> Entry:
    record = _record(line)
    if not all(type(record[name]) is str for name in _TEXTS) or type(record["seq"]) is not int:
        raise _Unreadable("holds a field of the wrong kind")
    if record["task_id"] is not None and type(record["task_id"]) is not str:
        raise _Unreadable("holds a task id that is no text")
    if record["hash"] != _hash(record):
        raise _Unreadable("was changed after it was written")
    event, at = _event(record), _time(record["at"])
    return Entry(**{**record, "event": event, "at": at, "detail": _detail(record["detail"], event)})


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
        is_ours = isinstance(record, dict) and record.keys() == _FIELDS
        is_ours = is_ours and canonical(record) == line
    except (ValueError, RecursionError) as error:
        raise _Unreadable("is not complete JSON") from error
    if not is_ours:
        raise _Unreadable("is not written as the journal writes its entries")
    return dict(record)


def _event(record: Mapping[str, Any]) -> Event:
    try:
        return Event(record["event"])
    except ValueError as error:
        raise _Unreadable(f"has an event this version does not know: {record['event']!r}") from (
            error
        )


def _detail(detail: object, event: Event) -> Mapping[str, str | int | None]:
    if not isinstance(detail, dict):
        raise _Unreadable("has a detail that is no JSON object")
    if not all(value is None or type(value) in (str, int) for value in detail.values()):
        raise _Unreadable("has a detail that is neither a text nor a whole number")
    if event is Event.INTENT and not _tells_the_call(detail):
        raise _Unreadable("means a call and does not say which, or how the machine stood before")
    if event is Event.RESOLVED and detail.get("outcome") not in set(Resolution):
        raise _Unreadable("resolves an action without a known outcome")
    return detail


def _tells_the_call(detail: Mapping[str, object]) -> bool:
    """Whether a later run, which settles what became of the call, has what it needs for that."""
    state, siblings = detail.get("power_state"), detail.get("siblings")
    return (
        type(detail.get("call")) is str
        and (state is None or state in set(PowerState))
        and (siblings is None or _is_object(siblings))
    )


def _is_object(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Unreadable("has a time that cannot be read") from error
    if _moment(at) != text or not text.endswith("Z"):
        raise _Unreadable("has a time that is not written in UTC")
    return at


def _hash(record: Mapping[str, Any]) -> str:
    body = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(canonical(body)).hexdigest()
