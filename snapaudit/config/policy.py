"""What the site says about the rules and about which machine belongs where."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path
from typing import TypeVar

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.config.settings import RuleSettings
from snapaudit.errors import InputError, Place
from snapaudit.model.policy import Environment, Severity

RULE_KEYS = ("folders", "disable", "levels")
WHERE_KEYS = ("tags", "names", "ids", "endpoints")
DEFAULT = "default"

Content = TypeVar("Content", bound=Sized)


def environments(node: Node) -> tuple[Environment, ...]:
    """The environments in the order of the file, which decides: the first match wins.

    A name may stand twice; its machines are those that either entry matches.
    """
    return tuple(_environment(item) for item in expect.sequence(node))


def _environment(node: Node) -> Environment:
    found = expect.mapping(node, required=("name", "where"))
    name = expect.line(found["name"])
    if name == DEFAULT:
        message = f"{DEFAULT!r} already names the machines that are in no environment"
        raise InputError(found["name"].place, message)
    where = _not_empty(found["where"], expect.mapping(found["where"], WHERE_KEYS))
    chosen = {key: _not_empty(item, expect.texts(item)) for key, item in where.items()}
    return Environment(
        name=name,
        tags=frozenset(chosen.get("tags", ())),
        names=chosen.get("names", ()),
        ids=frozenset(chosen.get("ids", ())),
        endpoints=frozenset(chosen.get("endpoints", ())),
    )


def rules(node: Node, folder: Path) -> RuleSettings:
    """Folders, disabled rules and levels. Whether such rules exist is not looked at here."""
    found = expect.mapping(node, RULE_KEYS)
    return RuleSettings(
        folders=expect.optional(found, "folders", lambda at: _folders(at, folder), ()),
        disable=expect.optional(found, "disable", _disabled, {}),
        levels=expect.optional(found, "levels", _levels, {}),
    )


def _folders(node: Node, folder: Path) -> tuple[Path, ...]:
    return tuple(expect.path(item, folder) for item in expect.sequence(node))


def _disabled(node: Node) -> dict[str, Place]:
    return {expect.line(item): item.place for item in expect.sequence(node)}


def _levels(node: Node) -> dict[str, dict[str, dict[str, Node]]]:
    return {
        rule: {
            environment: _not_empty(grades, expect.mapping(grades, tuple(Severity)))
            for environment, grades in _not_empty(places, expect.mapping(places)).items()
        }
        for rule, places in expect.mapping(node).items()
    }


def _not_empty(node: Node, read: Content) -> Content:
    """The content, which has to say something: an empty list would match everything or nothing."""
    if not read:
        raise InputError(node.place, "is empty; write at least one entry or leave the key out")
    return read
