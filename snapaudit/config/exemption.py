"""One exemption, read with the place of every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.policy import DEFAULT
from snapaudit.errors import InputError
from snapaudit.model.exemption import Exemption, Selector
from snapaudit.model.policy import SubjectKind
from snapaudit.model.until import parse_since, parse_until

REQUIRED = ("id", "rules", "selector", "owner", "reason", "created", "expires")
OPTIONAL = ("ticket",)
SELECTOR_KEYS = ("endpoint", "vm", "snapshot", "datastore", "file", "tags", "environment")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_OF_MACHINES = frozenset(("endpoint", "vm", "tags", "environment"))
_SELECTABLE: dict[SubjectKind, frozenset[str]] = {
    SubjectKind.SNAPSHOT: _OF_MACHINES | {"snapshot"},
    SubjectKind.VIRTUAL_MACHINE: _OF_MACHINES,
    SubjectKind.FILE: _OF_MACHINES | {"file"},
    SubjectKind.DATASTORE: frozenset(("endpoint", "datastore")),
    SubjectKind.ENDPOINT: frozenset(("endpoint",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an exemption may name: rules with what each is about, and environments."""

    rules: Mapping[str, SubjectKind | None]
    environments: Collection[str]


def exemption_of(
    node: Node, earlier: Mapping[str, Node], known: Known, *, require_ticket: bool
) -> Exemption:
    """One entry, checked; ``earlier`` are the ids before it, each with its node.

    Raises InputError with the place and the nearest known word.
    """
    required = (*REQUIRED, *(OPTIONAL if require_ticket else ()))
    found = expect.mapping(node, OPTIONAL, required=required)
    rules = _rules(found["rules"], known)
    created_at = _moment(found["created"], parse_since)
    return Exemption(
        id=_id(found["id"], earlier),
        rules=rules,
        selector=_selector(found["selector"], rules, known),
        owner=_owner(found["owner"]),
        reason=expect.text(found["reason"]).strip(),
        ticket=expect.optional(found, "ticket", _ticket, None),
        created_at=created_at,
        expires=str(found["expires"].value).strip(),
        expires_at=_end(found, created_at),
        place=node.place,
    )


def _id(node: Node, earlier: Mapping[str, Node]) -> str:
    name = str(node.value) if type(node.value) is int else expect.text(node)
    if _ID.fullmatch(name) is None:
        raise expect.wrong(node, "an id of letters, digits, '.', '_' and '-', like EX-17")
    if name in earlier:
        line = earlier[name].place.line
        raise InputError(node.place, f"the id {name!r} stands twice, first in line {line}")
    return name


def _owner(node: Node) -> str:
    """An owner that is left empty is told as a finding: the exemption still says what it keeps."""
    if node.value is None or node.value == "":
        return ""
    return expect.text(node).strip()


def _ticket(node: Node) -> str:
    return str(node.value) if type(node.value) is int else expect.text(node).strip()


def _end(found: Mapping[str, Node], created_at: datetime) -> datetime:
    end = _moment(found["expires"], parse_until)
    if end <= created_at:
        raise InputError(found["expires"].place, "ends before it was created")
    return end


def _moment(node: Node, parse: Callable[[str | None], datetime | None]) -> datetime:
    moment = parse(node.value if isinstance(node.value, str) else None)
    if moment is None:
        raise expect.wrong(node, "a day like 2026-12-31, or a moment like 2026-12-31T18:00:00Z")
    return moment


def _rules(node: Node, known: Known) -> tuple[str, ...]:
    items = expect.sequence(node)
    if not items:
        raise InputError(node.place, "is empty; name the rules whose findings are accepted")
    return tuple(dict.fromkeys(_rule(item, known) for item in items))


def _rule(node: Node, known: Known) -> str:
    name = expect.text(node)
    if name not in known.rules:
        near = expect.nearest(name, known.rules)
        raise InputError(node.place, f"there is no rule {name!r}", nearest=near)
    if known.rules[name] is SubjectKind.EXEMPTION:
        message = f"{name} watches over exemptions, so no exemption can accept its findings"
        raise InputError(node.place, message)
    return name


def _selector(node: Node, rules: tuple[str, ...], known: Known) -> Selector:
    found = expect.mapping(node, SELECTOR_KEYS)
    if not found:
        raise InputError(node.place, f"is empty; write one of {', '.join(SELECTOR_KEYS)}")
    for key, value in found.items():
        _refuse_what_selects_nothing(key, value, rules, known)
    texts = {key: expect.optional(found, key, expect.text, None) for key in SELECTOR_KEYS[:5]}
    return Selector(
        endpoint=texts["endpoint"],
        vm=texts["vm"],
        snapshot=texts["snapshot"],
        datastore=texts["datastore"],
        file=texts["file"],
        tags=expect.optional(found, "tags", _tags, ()),
        environment=expect.optional(found, "environment", lambda at: _environment(at, known), None),
    )


def _refuse_what_selects_nothing(
    key: str, value: Node, rules: tuple[str, ...], known: Known
) -> None:
    """A key that says nothing about the subjects of a rule would never let it match."""
    for name in rules:
        kind = known.rules[name]
        if kind is not None and key not in _SELECTABLE[kind]:
            fitting = ", ".join(one for one in SELECTOR_KEYS if one in _SELECTABLE[kind])
            message = f"{name} is about a {kind}, which {key!r} cannot select; fitting: {fitting}"
            raise InputError(value.key_place, message)


def _tags(node: Node) -> tuple[str, ...]:
    tags = expect.texts(node)
    if not tags:
        raise InputError(node.place, "is empty; write at least one tag or leave the key out")
    return tags


def _environment(node: Node, known: Known) -> str:
    name = expect.text(node)
    allowed = {DEFAULT, *known.environments}
    if name not in allowed:
        message = f"there is no environment {name!r}; known: {', '.join(sorted(allowed))}"
        raise InputError(node.place, message, nearest=expect.nearest(name, allowed))
    return name
