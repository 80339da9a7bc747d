"""Operators: the ways to hold a value against a bound, by how the bound is written."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError, Place
from snapaudit.model.policy import Bound
from snapaudit.rules.facts import BoundType, Fact
from snapaudit.rules.patterns import as_utf8, compile_pattern

QUANTITIES = frozenset((BoundType.DURATION, BoundType.SIZE, BoundType.RATIO, BoundType.COUNT))
_FOR_QUANTITIES: dict[str, Callable[[Any, Any], bool]] = {
    "over": operator.gt,
    "at_least": operator.ge,
    "under": operator.lt,
    "at_most": operator.le,
}
_SETTLED_FROM_BELOW = {"over": True, "at_least": True, "under": False, "at_most": False}
_READERS: dict[BoundType, Callable[[Node], Bound]] = {
    BoundType.DURATION: expect.duration,
    BoundType.SIZE: expect.size,
    BoundType.RATIO: expect.ratio,
}
_PATTERN_PLACE = Place("the bound of matches")


def names(bound_type: BoundType) -> tuple[str, ...]:
    """The operators that fit facts of this type."""
    if bound_type in QUANTITIES:
        return tuple(_FOR_QUANTITIES)
    return ("is",) if bound_type is BoundType.BOOLEAN else ("is", "in", "matches")


def tester(name: str, bound: Bound) -> tuple[Callable[[Any, Any], bool], Any]:
    """A function of a known value and a bound, with the bound in the shape it wants."""
    match name:
        case "is":
            return operator.eq, bound
        case "in":
            words = frozenset(bound) if isinstance(bound, tuple) else frozenset((bound,))
            return (lambda value, known: value in known), words
        case "matches":
            search = compile_pattern(str(bound), _PATTERN_PLACE)
            return (lambda value, find: find(as_utf8(value)) is not None), search
        case _:
            return _FOR_QUANTITIES[name], bound


def settled_from_below(name: str, at_least: Any, bound: Any) -> bool | None:
    """The answer when only a lower bound of the value is known, None when that is not enough.

    At least 25 GiB is over 20 GiB and is not under 20 GiB; at least 5 GiB tells neither.
    """
    answer = _SETTLED_FROM_BELOW[name]
    reached = _FOR_QUANTITIES[name](at_least, bound) is answer
    return answer if reached else None


def read_bound(fact: Fact, name: str, node: Node) -> Bound:
    """The bound as this operator of this fact wants it. Raises InputError with the place."""
    match fact.bound_type:
        case BoundType.COUNT:
            return expect.integer(node)
        case BoundType.BOOLEAN:
            return expect.boolean(node)
        case BoundType.TEXT:
            return _read_text_bound(fact, name, node)
        case _:
            return _READERS[fact.bound_type](_with_number_as_text(node))


def _with_number_as_text(node: Node) -> Node:
    """A bare number as text, so that the message names the units that are accepted."""
    is_number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return Node(str(node.value), node.place, node.key_place) if is_number else node


def _read_text_bound(fact: Fact, name: str, node: Node) -> Bound:
    match name:
        case "in":
            return tuple(_known_text(fact, item) for item in expect.sequence(node))
        case "matches":
            compile_pattern(expect.text(node), node.place)
            return expect.text(node)
        case _:
            return _known_text(fact, node)


def _known_text(fact: Fact, node: Node) -> str:
    word = expect.text(node)
    if fact.words is not None and word not in fact.words:
        message = f"{fact.name} is one of {', '.join(fact.words)}; found {word!r}"
        raise InputError(node.place, message, nearest=expect.nearest(word, fact.words))
    return word
