"""Tags of virtual machines, which SOAP does not tell: asked for over a vCenter's REST interface.

Where they cannot be read, that is said: no tag read is not the same as no tag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from snapaudit.errors import AccessDenied, Gone, HypervisorError, Unreachable
from snapaudit.hypervisors.vsphere.rest import NotOffered, Session

AT_ONCE = 500
"""Machines in one question."""

_KIND = "VirtualMachine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """The tags of each machine by its moid, sorted; a machine without any is not in it.

    A tag stands there as its name, and once more as ``category:name``: a name may occur in several
    categories. ``gap`` says what should have been read and was not, ``blind_spot`` that this
    server has no tags to read at all; with either, an absent tag proves nothing.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gap: str | None = None
    blind_spot: str | None = None


def read_tags(
    line: HTTPConnection, username: str, password: str, machines: Iterable[str], seconds: float
) -> Tags:
    """Ask for the tags of these machines, within so many seconds, over a connection not yet open.

    Never raises for what the server does. The session is ended and the connection closed.
    """
    with closing(Session(line, seconds)) as session:
        try:
            session.log_in(username, password)
            return _read(session, tuple(machines))
        except NotOffered as error:
            return Tags(blind_spot=f"tags of machines: {error}")
        except HypervisorError as error:
            return Tags(gap=str(error))


def _read(session: Session, machines: Sequence[str]) -> Tags:
    attached = dict[str, frozenset[str]]()
    for start in range(0, len(machines), AT_ONCE):
        attached.update(_attached(session, machines[start : start + AT_ONCE]))
    wanted = sorted(frozenset().union(*attached.values()))
    found, refused = _records(session, "tag", wanted)
    homes = sorted({_text(tag, "category_id") for tag in found.values()})
    categories, closed = _records(session, "category", homes)
    refusals = [*refused, *closed]
    return Tags(
        names=dict(_named(attached, found, categories)),
        gap=f"{len(refusals)} of the tags: {refusals[0]}" if refusals else None,
    )


def _attached(session: Session, machines: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Tag ids by machine. The server leaves a machine without tags out, or says null."""
    question = {"object_ids": [{"type": _KIND, "id": moid} for moid in machines]}
    answer = session.act("tag-association", "list-attached-tags-on-objects", question)
    asked = frozenset(machines)
    for entry in _list(answer):
        about = entry.get("object_id") if isinstance(entry, dict) else None
        if not isinstance(about, dict):
            raise Unreachable("the list of tags names no object")
        if about.get("type") == _KIND and (moid := _text(about, "id")) in asked:
            yield moid, frozenset(map(_word, _list(entry.get("tag_ids"))))


def _records(
    session: Session, kind: str, wanted: Iterable[str]
) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Records by id, and the refusals. One that is gone by now is left out: so is its tag."""
    found, refused = dict[str, Mapping[str, Any]](), list[str]()
    for identity in wanted:
        try:
            found[identity] = session.one(kind, identity)
        except Gone:
            continue
        except AccessDenied as error:
            refused.append(str(error))
    return found, refused


def _named(
    attached: Mapping[str, frozenset[str]],
    tags: Mapping[str, Mapping[str, Any]],
    categories: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    spelled = defaultdict[str, list[str]](list)
    for identity, tag in tags.items():
        name = _text(tag, "name")
        category = categories.get(_text(tag, "category_id"))
        spelled[identity] += [name] if category is None else [name, _full(category, name)]
    for moid, ids in attached.items():
        names = {name for identity in ids & spelled.keys() for name in spelled[identity]}
        if names:
            yield moid, tuple(sorted(names))


def _full(category: Mapping[str, Any], name: str) -> str:
    return f"{_text(category, 'name')}:{name}"


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreachable("the answer about tags is no list")
    return value


def _text(record: Mapping[str, Any], key: str) -> str:
    return _word(record.get(key))


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise Unreachable("an answer about tags lacks a name or an id")
    return value
