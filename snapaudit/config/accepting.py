"""Accepting: add an exemption to its file or take one away, touching nothing else in it."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from snapaudit.codec.entries import flow, scalar, with_entry, without_entry
from snapaudit.codec.files import replace_file
from snapaudit.codec.yaml import MAX_BYTES, parse_yaml
from snapaudit.config.exemption import Known, exemption_of
from snapaudit.config.exemptions import entries_of, is_there, read_exemptions
from snapaudit.config.settings import ExemptionSettings
from snapaudit.errors import InputError, RefusedError, SnapauditError, UsageError
from snapaudit.model.exemption import NOBODY, Exemption, Selector, latest_end
from snapaudit.model.until import parse_until

_BOM = "\ufeff"
_KEY = "exemptions"
_NEW_FILE = """\
# Findings that somebody accepts for a while: `snapaudit exempt add`, or by hand.
version: 1
exemptions:
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An exemption as its owner asks for it; ``id`` None: one is made up. ``until`` as written."""

    id: str | None
    rules: tuple[str, ...]
    selector: Selector
    owner: str
    reason: str
    ticket: str | None
    until: str


def add(settings: ExemptionSettings, wish: Wish, known: Known, now: datetime) -> Exemption:
    """Add an exemption at the end of the file, which is made where there is none.

    Raises UsageError for a wish that the site does not allow or that says too little; InputError
    with the place when the file as it stands cannot be read.
    """
    _refuse_unfit(settings, wish, now)
    fields = _fields(wish, now)
    made = _proven(fields, known, settings)
    file = _file(settings)
    with _locked(file):
        there = read_exemptions(settings, known) if is_there(file) else ()
        if any(one.id == made.id for one in there):
            raise UsageError(f"there is an exemption {made.id!r} already; name another --id")
        mark, text = _text(file) if is_there(file) else ("", _NEW_FILE)
        _write(file, mark + with_entry(text, str(file), _KEY, fields))
    return made


def remove(settings: ExemptionSettings, identity: str) -> int:
    """Cut the lines of one exemption out of the file; the line where it stood.

    Other entries may be wrong. Raises UsageError when there is none of that id, and RefusedError
    when there are several.
    """
    file = _file(settings)
    if not is_there(file):
        raise UsageError(f"there is no exemption {identity!r}: {file} does not exist")
    with _locked(file):
        mark, text = _text(file)
        ids = [_id_of(one.value) for one in entries_of(parse_yaml(text, str(file)))]
        if identity not in ids:
            raise UsageError(
                f"there is no exemption {identity!r} in {file}; 'snapaudit exempt list' names them"
            )
        if ids.count(identity) > 1:
            message = f"{file}: several exemptions have the id {identity!r}; edit the file"
            raise RefusedError(message)
        number = ids.index(identity)
        place = entries_of(parse_yaml(text, str(file)))[number].place
        _write(file, mark + without_entry(text, str(file), _KEY, number))
    return place.line or 1


def _id_of(entry: object) -> str | None:
    node = entry.get("id") if isinstance(entry, dict) else None
    return None if node is None else str(node.value)


def _refuse_unfit(settings: ExemptionSettings, wish: Wish, now: datetime) -> None:
    if wish.owner.strip().casefold() in NOBODY:
        raise UsageError("an exemption needs an owner, who answers for it")
    if not wish.reason.strip():
        raise UsageError("an exemption needs a reason")
    if settings.require_ticket and not (wish.ticket or "").strip():
        raise UsageError("--ticket is missing: the configuration demands one")
    end = parse_until(wish.until)
    if end is None:
        message = f"--until: {wish.until!r} is no date; write 2026-12-31 or 2026-12-31T18:00:00Z"
        raise UsageError(message)
    if end <= now:
        raise UsageError("the exemption would have ended already; name a later time")
    if end > latest_end(now, settings.max_life):
        last = (now + settings.max_life).date()
        raise UsageError(
            f"--until: no exemption may last longer than {settings.max_life.days} days here; "
            f"the last day is {last}"
        )


def _fields(wish: Wish, now: datetime) -> dict[str, str]:
    """The entry's keys with their values as YAML, in the order in which people read them."""
    ticket = {"ticket": scalar(wish.ticket)} if wish.ticket else {}
    return {
        "id": scalar(wish.id or f"e{secrets.token_hex(4)}"),
        "rules": flow(wish.rules),
        "selector": flow(wish.selector.written()),
        "owner": scalar(wish.owner),
        "reason": scalar(wish.reason),
        **ticket,
        "created": f"{now:%Y-%m-%d}",
        "expires": scalar(wish.until.strip()),
    }


def _proven(fields: dict[str, str], known: Known, settings: ExemptionSettings) -> Exemption:
    """The entry as it will be read. Raises UsageError: nothing is in any file yet."""
    text = "".join(f"{key}: {value}\n" for key, value in fields.items())
    try:
        node = parse_yaml(text, "exempt add")
        return exemption_of(node, {}, known, require_ticket=settings.require_ticket)
    except InputError as error:
        hint = f" (did you mean {error.nearest!r}?)" if error.nearest else ""
        raise UsageError(f"{error.message}{hint}") from error


def _file(settings: ExemptionSettings) -> Path:
    """The file itself, where a link leads to it."""
    if settings.file is None:
        raise UsageError("no file of exemptions is configured")
    return settings.file.resolve()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """The folder of the file, locked: whoever else changes the file waits."""
    try:
        handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(str(file.parent), f"cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _text(file: Path) -> tuple[str, str]:
    """The byte order mark, if there is one, and the text behind it."""
    try:
        text = file.read_bytes().decode("utf-8")
        return text[: text.startswith(_BOM)], text.removeprefix(_BOM)
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(str(file), f"is not UTF-8 (byte {error.start})") from error


def _write(file: Path, text: str) -> None:
    body = text.encode("utf-8")
    if len(body) > MAX_BYTES:
        raise RefusedError(f"{file}: would be larger than 128 KiB; select more with fewer entries")
    try:
        mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else 0o600
        replace_file(file, body, mode=mode)
    except OSError as error:
        raise SnapauditError(f"{file}: cannot be written: {error.strerror}") from error
