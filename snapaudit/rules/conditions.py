"""Conditions: from the nodes of a rule file to comparisons whose words are all known."""

from __future__ import annotations

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError
from snapaudit.model.policy import All, AnyOf, Comparison, Condition, SubjectKind
from snapaudit.rules import operators
from snapaudit.rules.facts import Fact, all_facts, facts_of

MAX_DEPTH = 6
_GROUPS: dict[str, type[All | AnyOf]] = {"any": AnyOf, "all": All}


def read_condition(node: Node, subject: SubjectKind, *, depth: int = 0) -> Condition:
    """Facts with one operator each, or the words ``any`` and ``all`` with lists of conditions.

    What stands side by side must all hold. Raises InputError with place and nearest known word.
    """
    if depth >= MAX_DEPTH:
        raise InputError(node.place, f"conditions nest deeper than {MAX_DEPTH} levels")
    entries = expect.mapping(node)
    if not entries:
        raise InputError(node.place, "an empty condition would hold for everything")
    parts = tuple(_entry(key, child, subject, depth) for key, child in entries.items())
    return parts[0] if len(parts) == 1 else All(parts=parts)


def _entry(key: str, node: Node, subject: SubjectKind, depth: int) -> Condition:
    if key in _GROUPS:
        return _group(key, node, subject, depth)
    fact = _fact(key, node, subject)
    name, bound = _one_operator(fact, node)
    return Comparison(fact=fact.name, operator=name, bound=operators.read_bound(fact, name, bound))


def _group(key: str, node: Node, subject: SubjectKind, depth: int) -> Condition:
    items = expect.sequence(node)
    if not items:
        raise InputError(node.place, f"{key!r} needs at least one condition")
    parts = tuple(read_condition(item, subject, depth=depth + 1) for item in items)
    return _GROUPS[key](parts=parts)


def _fact(key: str, node: Node, subject: SubjectKind) -> Fact:
    known = facts_of(subject)
    if key in known:
        return known[key]
    elsewhere = [str(fact.subject) for fact in all_facts() if fact.name == key]
    if elsewhere:
        message = f"{key!r} is a fact about a {' or a '.join(elsewhere)}, not about a {subject}"
        raise InputError(node.key_place, message)
    near = expect.nearest(key, (*known, *_GROUPS))
    message = f"unknown fact {key!r} about a {subject}; known: {', '.join(known)}"
    raise InputError(node.key_place, message, nearest=near)


def _one_operator(fact: Fact, node: Node) -> tuple[str, Node]:
    fitting = operators.names(fact.bound_type)
    if not isinstance(node.value, dict) or len(node.value) != 1:
        expected = (
            f"one operator ({', '.join(fitting)}) with its bound, as in {{{fitting[0]}: ...}}"
        )
        raise expect.wrong(node, expected)
    ((name, bound),) = node.value.items()
    if name not in fitting:
        message = (
            f"the operator {name!r} does not fit {fact.name}, which is a {fact.bound_type}; "
            f"fitting: {', '.join(fitting)}"
        )
        raise InputError(bound.key_place, message, nearest=expect.nearest(name, fitting))
    return name, bound
