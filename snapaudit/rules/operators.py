"""Operators: the ways to hold a value against a bound, by how the bound is written."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError, Place
from snapaudit.model.policy import Bound
from snapaudit.rules.facts import BoundType, Fact
from snapaudit.rules.patterns import Search, compile_pattern, found_in

Holds = Callable[[Any, Any], bool]
Searches = Callable[[Any, Any], bool | None]

QUANTITIES = frozenset((BoundType.DURATION, BoundType.SIZE, BoundType.RATIO, BoundType.COUNT))
_FOR_QUANTITIES: dict[str, Callable[[Any, Any], bool]] = {
    "over": operator.gt,
    "at_least": operator.ge,
    "under": operator.lt,
    "at_most": operator.le,
}
_FOR_TEXT = ("is", "is_not", "in", "not_in", "matches", "not_matches")
_FOR_TEXTS = ("has", "lacks", "has_any", "has_none", "any_matches", "none_matches")
_OPPOSITES = (
    ("over", "at_most"),
    ("at_least", "under"),
    ("is", "is_not"),
    ("in", "not_in"),
    ("matches", "not_matches"),
    ("has", "lacks"),
    ("has_any", "has_none"),
    ("any_matches", "none_matches"),
)
OPPOSITE = {one: other for pair in _OPPOSITES for one, other in (pair, pair[::-1])}
LISTS = frozenset(("in", "not_in", "has_any", "has_none"))
PATTERNS = frozenset(("matches", "not_matches", "any_matches", "none_matches"))
_SETTLED_FROM_BELOW = {"over": True, "at_least": True, "under": False, "at_most": False}
_READERS: dict[BoundType, Callable[[Node], Bound]] = {
    BoundType.DURATION: expect.duration,
    BoundType.SIZE: expect.size,
    BoundType.RATIO: expect.ratio,
}
_PATTERN_PLACE = Place("the bound of matches")


def names(bound_type: BoundType) -> tuple[str, ...]:
    """The operators that fit facts of this type."""
    match bound_type:
        case BoundType.BOOLEAN:
            return ("is",)
        case BoundType.TEXT:
            return _FOR_TEXT
        case BoundType.TEXTS:
            return _FOR_TEXTS
        case _:
            return tuple(_FOR_QUANTITIES)


_FOR_WORDS: dict[str, Holds] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "in": lambda value, words: value in words,
    "not_in": lambda value, words: value not in words,
    "has": lambda values, word: word in values,
    "lacks": lambda values, word: word not in values,
    "has_any": lambda values, words: not words.isdisjoint(values),
    "has_none": lambda values, words: words.isdisjoint(values),
}


def tester(name: str, bound: Bound) -> tuple[Holds, Any]:
    """A function of a known value and a bound, with the bound in the shape it wants."""
    if name in _FOR_QUANTITIES:
        return _FOR_QUANTITIES[name], bound
    if name not in LISTS:
        return _FOR_WORDS[name], bound
    return _FOR_WORDS[name], frozenset(bound if isinstance(bound, tuple) else (bound,))


def searcher(name: str, bound: Bound) -> tuple[Searches, Any]:
    """As ``tester``, for a pattern; it answers None for a text that is too long to be searched."""
    find = compile_pattern(str(bound), _PATTERN_PLACE)
    match name:
        case "matches":
            return found_in, find
        case "not_matches":
            return lambda text, find: _not(found_in(text, find)), find
        case "any_matches":
            return _any_found, find
        case _:
            return lambda texts, find: _not(_any_found(texts, find)), find


def _any_found(texts: Iterable[str], find: Search) -> bool | None:
    return _any(found_in(text, find) for text in texts)


def _not(reply: bool | None) -> bool | None:
    return None if reply is None else not reply


def _any(replies: Iterable[bool | None]) -> bool | None:
    told = tuple(replies)
    if True in told:
        return True
    return None if None in told else False


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
        case BoundType.TEXT | BoundType.TEXTS:
            return _read_text_bound(fact, name, node)
        case _:
            return read_value(fact.bound_type, node)


def read_value(bound_type: BoundType, node: Node) -> Bound:
    """A quantity with its unit, a whole number, or true or false."""
    match bound_type:
        case BoundType.COUNT:
            return expect.integer(node)
        case BoundType.BOOLEAN:
            return expect.boolean(node)
        case _:
            return _READERS[bound_type](_with_number_as_text(node))


def _with_number_as_text(node: Node) -> Node:
    """A bare number as text, so that the message names the units that are accepted."""
    is_number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
    return Node(str(node.value), node.place, node.key_place) if is_number else node


def _read_text_bound(fact: Fact, name: str, node: Node) -> Bound:
    if name in LISTS:
        words = tuple(known_text(fact, item) for item in expect.sequence(node))
        if not words:
            raise InputError(node.place, f"{name!r} needs at least one word")
        return words
    if name in PATTERNS:
        compile_pattern(expect.text(node), node.place)
        return expect.text(node)
    return known_text(fact, node)


def known_text(fact: Fact, node: Node) -> str:
    """A text, which may be empty, and where the fact knows only some words one of these."""
    word = node.value if isinstance(node.value, str) else expect.text(node)
    if fact.words is not None and word not in fact.words:
        message = f"{fact.name} is one of {', '.join(fact.words)}; found {word!r}"
        raise InputError(node.place, message, nearest=expect.nearest(word, fact.words))
    return word
