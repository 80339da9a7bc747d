"""YAML a person wrote, as nodes that know their line and column.

Only what a configuration needs is accepted: one document, no duplicate keys, no anchors, aliases or
tags (each can make a file mean something other than it shows), and the scalars of YAML 1.2, so that
``no`` and ``12:30:45`` stay text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from snapaudit.errors import InputError, Place

# The parser reads about 64 KiB a second, and the largest estate has a configuration of half that.
MAX_BYTES = 128 * 1024
MAX_DEPTH = 24

# libyaml's parser is ten times as fast. What it does not understand is read once more by the other,
# which knows where nothing stands, and whose messages people can read.
_CAREFUL: Any = yaml.BaseLoader
_FAST: Any = getattr(yaml, "CBaseLoader", _CAREFUL)

_NO_TAGS = "tags (!name) are not accepted; plain values only"

Scalar = str | int | float | bool | None

_INT = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Node:
    """One value with its place; ``key_place`` is where its key stands, in a mapping."""

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    place: Place
    key_place: Place


def read_yaml(path: Path) -> Node:
    """The one document of a file. Raises InputError with line and column."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise InputError(str(path), "is larger than 128 KiB, which no file of this kind needs")
    try:
        return parse_yaml(raw.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"is not UTF-8 (byte {error.start})") from error


def parse_yaml(text: str, source: str) -> Node:
    """As ``read_yaml``, from a string; ``source`` is what messages call it."""
    try:
        return _parsed(text, source, _FAST)
    except (yaml.YAMLError, ValueError, OverflowError):
        return _carefully(text, source)


def _carefully(text: str, source: str) -> Node:
    try:
        return _parsed(text, source, _CAREFUL)
    except ReaderError as error:
        message = f"holds a character YAML does not allow: {error.reason}"
        raise InputError(source, message) from None
    except yaml.MarkedYAMLError as error:
        # Without its cause: PyYAML's own text shows the line, which may hold a secret.
        raise InputError(_place(error.problem_mark, source), _problem(error)) from None
    except (ValueError, OverflowError):
        message = "holds a number or an escape (\\U...) that is out of range"
        raise InputError(source, message) from None


def _parsed(text: str, source: str, loader: Any) -> Node:
    _refuse_the_unneeded(text, source, loader)
    root = yaml.compose(text, Loader=loader)
    if root is None:
        raise InputError(source, "is empty")
    return _node(root, source, _place(root.start_mark, source))


def _problem(error: yaml.MarkedYAMLError) -> str:
    """What PyYAML says, but for the one message that repeats what is written."""
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return _NO_TAGS if "tag handle" in said else said


def _refuse_the_unneeded(text: str, source: str, loader: Any) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        place = _place(event.start_mark, source)
        if isinstance(event, yaml.AliasEvent):
            raise InputError(place, "aliases (*name) are not accepted; write the value out")
        if getattr(event, "anchor", None) is not None:
            raise InputError(place, "anchors (&name) are not accepted; write the value out")
        if getattr(event, "tag", None) is not None:
            raise InputError(place, _NO_TAGS)
        if loader is not _CAREFUL and _is_nothing(event):
            raise ValueError("the two parsers do not agree where nothing stands")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InputError(place, f"is nested deeper than {MAX_DEPTH} levels")


def _is_nothing(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and not event.value and not event.style


def _place(mark: Any, source: str) -> Place:
    return Place(source) if mark is None else Place(source, mark.line + 1, mark.column + 1)


def _node(node: yaml.Node, source: str, key_place: Place) -> Node:
    place = _place(node.start_mark, source)
    match node:
        case yaml.MappingNode():
            return Node(_mapping(node, source), place, key_place)
        case yaml.SequenceNode():
            items = tuple(_node(item, source, place) for item in node.value)
            return Node(items, place, key_place)
        case _:
            return Node(_scalar(node), place, key_place)


def _mapping(node: yaml.MappingNode, source: str) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for key, value in node.value:
        place = _place(key.start_mark, source)
        if not isinstance(key, yaml.ScalarNode):
            raise InputError(place, "a key must be a word")
        if key.value in found:
            first = found[key.value].key_place
            raise InputError(
                place, f"the key {key.value!r} stands twice, first in line {first.line}"
            )
        found[key.value] = _node(value, source, place)
    return found


def _scalar(node: Any) -> Scalar:
    text: str = node.value
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
