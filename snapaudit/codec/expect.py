"""What a reader of YAML expects of a node: each function returns it or names the fault."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError
from snapaudit.model.units import UnitError, parse_duration, parse_ratio, parse_size

Word = TypeVar("Word", bound=StrEnum)
Quantity = TypeVar("Quantity")
Read = TypeVar("Read")
Default = TypeVar("Default")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like this one, if any looks like it."""
    close = difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.5)
    return str(close[0]) if close else None


def describe(node: Node) -> str:
    """The node in a few words, for a message."""
    match node.value:
        case dict():
            return "a mapping"
        case tuple():
            return "a list"
        case None:
            return "nothing"
        case bool():
            return str(node.value).lower()
        case _:
            return repr(node.value)[:60]


def wrong(node: Node, expected: str) -> InputError:
    """The error for a node that is not what was expected."""
    return InputError(node.place, f"expected {expected}, found {describe(node)}")


def mapping(
    node: Node,
    known: Iterable[str] | None = None,
    *,
    required: Iterable[str] = (),
    may_hold_secrets: bool = False,
) -> dict[str, Node]:
    """A mapping with no key beside the known ones and none of the required missing.

    Where it may hold secrets, no message repeats an unknown key: a comma in a password that is
    written without quotes makes a key of the rest.
    """
    if not isinstance(node.value, dict):
        raise wrong(node, "a mapping")
    if known is not None:
        allowed = set(known) | set(required)
        for key, child in node.value.items():
            if key not in allowed:
                what = "unknown key" if may_hold_secrets else f"unknown key {key!r}"
                message = f"{what}; known here: {', '.join(sorted(allowed))}"
                raise InputError(child.key_place, message, nearest=nearest(key, allowed))
    for key in required:
        if key not in node.value:
            raise InputError(node.place, f"the key {key!r} is missing")
    return node.value


def optional(
    found: Mapping[str, Node], key: str, read: Callable[[Node], Read], default: Default
) -> Read | Default:
    """What ``read`` makes of the key's value, the default where the key is not written."""
    node = found.get(key)
    return default if node is None else read(node)


def sequence(node: Node) -> tuple[Node, ...]:
    """A list."""
    if not isinstance(node.value, tuple):
        raise wrong(node, "a list")
    return node.value


def text(node: Node) -> str:
    """Text that is not empty."""
    if not isinstance(node.value, str) or not node.value.strip():
        raise wrong(node, "text")
    return node.value


def line(node: Node) -> str:
    """Text on one line that reads as it is. No message repeats it: it may hold a secret."""
    written = text(node)
    if not written.isprintable() or written != written.strip():
        message = "expected one line of text, without invisible characters or spaces around it"
        raise InputError(node.place, message)
    return written


def path(node: Node, folder: Path) -> Path:
    """A path; a relative one is taken from the folder."""
    return folder / line(node)


def texts(node: Node) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(item) for item in sequence(node))


def boolean(node: Node) -> bool:
    """``true`` or ``false``."""
    if not isinstance(node.value, bool):
        raise wrong(node, "true or false")
    return node.value


def integer(node: Node) -> int:
    """A whole number, not negative."""
    if isinstance(node.value, bool) or not isinstance(node.value, int) or node.value < 0:
        raise wrong(node, "a whole number, 0 or more")
    return node.value


def word(node: Node, words: type[Word]) -> Word:
    """One of the words of an enumeration."""
    known = [str(item) for item in words]
    if node.value in known:
        return words(node.value)
    near = nearest(node.value, known) if isinstance(node.value, str) else None
    message = f"expected one of {', '.join(known)}, found {describe(node)}"
    raise InputError(node.place, message, nearest=near)


def _quantity(node: Node, parse: Callable[[str], Quantity], example: str) -> Quantity:
    if not isinstance(node.value, str):
        raise wrong(node, f"a quantity with its unit, like {example}")
    try:
        return parse(node.value)
    except UnitError as error:
        raise InputError(node.place, str(error)) from error


def duration(node: Node) -> timedelta:
    """A duration with its unit: ``3d``."""
    return _quantity(node, parse_duration, "3d or 12h")


def size(node: Node) -> int:
    """A size with its unit: ``20GiB``."""
    return _quantity(node, parse_size, "20GiB or 500MB")


def ratio(node: Node) -> float:
    """A share in percent: ``85%``."""
    return _quantity(node, parse_ratio, "85%")
