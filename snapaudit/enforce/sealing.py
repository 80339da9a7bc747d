"""Plan files: sealed under a digest, so that what is applied is what was planned and reviewed.

A plan lies in the state folder twice: one copy for the reviewer, and one that says which plans were
made here and what they said when they were last sealed. A digest alone proves nothing: whoever
edits a file can reckon it anew.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from snapaudit.codec.documents import from_document, to_document
from snapaudit.codec.strict import canonical, parse, pretty
from snapaudit.enforce.state import State, distrust, opened, read_all, store
from snapaudit.errors import InputError, RefusedError, SnapauditError
from snapaudit.model.plan import PLAN_SCHEMA, Plan

MAX_BYTES = 64 * 2**20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
_SIGNATURE = ("digest", "reviewer", "reviewed_at")
_REVIEWED = re.compile(r"actions\[\d+\]\.(decision|note)", re.ASCII)


def digest_of(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a plan's document, without its digest, in hexadecimal."""
    body = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.sha256(canonical(body)).hexdigest()


def seal(plan: Plan) -> bytes:
    """The plan's file, with its digest filled in. Raises SnapauditError if none could read it."""
    document = to_document(plan)
    body = pretty({**document, "digest": digest_of(document)})
    if len(body) > MAX_BYTES:
        count = len(plan.actions) + len(plan.refusals)
        raise RefusedError(
            f"the plan of {count:,} snapshots is larger than 64 MiB, which nobody could review;"
            " plan one endpoint at a time with --endpoint NAME"
        )
    try:
        from_document(Plan, parse(body, "plan"), "plan")
    except InputError as error:
        message = f"the plan could not be read back, so it was not written: {error}"
        raise SnapauditError(message) from error
    return body


def write_plan(state: State, plan: Plan) -> Path:
    """Write both copies and return the reviewer's. The state folder has been prepared."""
    reviewed, registered = _places(state, plan.id)
    body = seal(plan)
    # A copy nobody finds is harmless; one that is not registered yet would look tampered with.
    store(registered, body)
    store(reviewed, body)
    return reviewed


def read_plan(state: State, path: Path) -> tuple[Plan, dict[str, Any]]:
    """A sealed plan that was made here, with its document.

    Raises RefusedError when somebody else could have written it, when it was edited since it was
    sealed, or when it was not sealed here; InputError when it is no plan file at all.
    """
    document = _document(path)
    if document.get("digest") != digest_of(document):
        raise RefusedError(
            f"{path}: the plan was edited after it was sealed: look at it, then sign it off with"
            f" 'snapaudit enforce --plan {path} --reseal'"
        )
    plan = _plan(document, path)
    if _registered(state, plan.id, path).get("digest") != document["digest"]:
        raise RefusedError(
            f"{path}: is not the plan {plan.id} that was sealed here: it was made or sealed"
            " elsewhere, or tampered with. Make a new plan with 'snapaudit enforce'"
        )
    return plan, document


def reseal(
    state: State,
    path: Path,
    reviewer: str,
    now: datetime,
    renew: Callable[[Plan], Plan] = lambda plan: plan,
) -> Plan:
    """Sign off the decisions and notes of an edited plan under a new digest.

    ``renew`` reckons anew what follows from the decisions.

    Raises RefusedError naming the first other field that was edited. Whether the plan has expired
    or was used already is for the caller to say.
    """
    edited = _document(path)
    plan = _plan(edited, path)
    sealed = _registered(state, plan.id, path)
    for field in _differences(_unsigned(sealed), _unsigned(edited), ""):
        if not _REVIEWED.fullmatch(field):
            raise RefusedError(
                f"{path}: {field} was edited; a reviewer may change only decision and note of an"
                " action. Put it back, or make a new plan with 'snapaudit enforce'"
            )
    body = seal(replace(renew(plan), reviewer=reviewer, reviewed_at=now))
    reviewed, registered = _places(state, plan.id)
    for copy in dict.fromkeys((registered, reviewed, path.absolute())):
        store(copy, body)
    return _plan(parse(body, str(path)), path)


def known_plans(state: State) -> tuple[Path, ...]:
    """The reviewers' copies of the plans that were made here, newest plan first."""
    found = []
    for registered in sorted(state.sealed.glob("*.json")):
        reviewed = state.plans / registered.name
        if reviewed.exists():
            found.append((_planned_at(registered), reviewed))
    return tuple(path for _, path in sorted(found, reverse=True))


def _planned_at(path: Path) -> str:
    try:
        return str(_document(path).get("planned_at"))
    except SnapauditError:
        return ""


def _places(state: State, plan_id: str) -> tuple[Path, Path]:
    # An id becomes a file name, and it stands in a file that somebody may have edited.
    if not _ID.fullmatch(plan_id):
        raise RefusedError("the plan's id was edited: it holds more than letters, digits and '-'")
    name = f"{plan_id}.json"
    return (state.plans / name).absolute(), (state.sealed / name).absolute()


def _registered(state: State, plan_id: str, path: Path) -> dict[str, Any]:
    _, registered = _places(state, plan_id)
    if not os.path.lexists(registered):
        raise RefusedError(
            f"{path}: no plan {plan_id} was made in {state.folder}: apply it where it was made, or"
            " make a new plan with 'snapaudit enforce'"
        )
    document = _document(registered)
    if document.get("digest") != digest_of(document):
        raise RefusedError(
            f"{registered}: was edited; it says what was sealed and is never edited by hand."
            " Make a new plan with 'snapaudit enforce'"
        )
    return document


def _document(path: Path) -> dict[str, Any]:
    try:
        with opened(path) as handle:
            complaint = distrust(os.fstat(handle))
            if complaint is not None:
                raise RefusedError(f"{path}: {complaint}")
            raw = read_all(handle, MAX_BYTES)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RefusedError(f"{path}: is a symbolic link; name the file itself") from error
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise InputError(str(path), "is larger than 64 MiB, which no plan is")
    return parse(raw, str(path))


def _plan(document: Mapping[str, Any], path: Path) -> Plan:
    if document.get("schema") != PLAN_SCHEMA:
        message = f"expected schema {PLAN_SCHEMA!r}, found {document.get('schema')!r}"
        raise InputError(str(path), message)
    return from_document(Plan, document, str(path))


def _unsigned(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _SIGNATURE}


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    """The paths of all fields that differ, like ``actions[2].note``."""
    match old, new:
        case dict(), dict():
            for key in sorted(old.keys() | new.keys()):
                inner = f"{path}.{key}" if path else key
                if key in old and key in new:
                    yield from _differences(old[key], new[key], inner)
                else:
                    yield inner
        case list(), list() if len(old) == len(new):
            for number, pair in enumerate(zip(old, new, strict=True)):
                yield from _differences(*pair, f"{path}[{number}]")
        case _:
            if old != new:
                yield path
