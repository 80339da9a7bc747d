"""Conditions: from the nodes of a rule file to comparisons whose words are all known."""

from __future__ import annotations

from dataclasses import replace

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError
from snapaudit.model.policy import All, AnyOf, Comparison, Condition, SubjectKind
from snapaudit.rules import operators
from snapaudit.rules.facts import BoundType, Fact, all_facts, facts_of

MAX_DEPTH = 6
GROUPS: dict[str, type[All | AnyOf]] = {"any": AnyOf, "all": All}
NEGATIONS = ("not", "unless")


def read_condition(node: Node, subject: SubjectKind, *, depth: int = 0) -> Condition:
    """Facts with one operator each, and ``any``, ``all``, ``not``, ``unless`` with more of them.

    What stands side by side must all hold. Raises InputError with place and nearest known word.
    """
    if depth >= MAX_DEPTH:
        raise InputError(node.place, f"conditions nest deeper than {MAX_DEPTH} levels")
    entries = expect.mapping(node)
    if not entries:
        raise InputError(node.place, "an empty condition would hold for everything")
    parts = tuple(_entry(key, child, subject, depth) for key, child in entries.items())
    return parts[0] if len(parts) == 1 else All(parts=parts)


def negation(condition: Condition) -> Condition:
    """What holds where the condition does not, and is unknown where it is (De Morgan).

    Each comparison turns into its opposite, so that evidence names what was found to be so.
    """
    match condition:
        case All(parts=parts):
            return AnyOf(parts=tuple(map(negation, parts)))
        case AnyOf(parts=parts):
            return All(parts=tuple(map(negation, parts)))
        case Comparison(bound=bool() as bound):
            return replace(condition, bound=not bound)
        case Comparison(operator=name):
            return replace(condition, operator=operators.OPPOSITE[name])


def _entry(key: str, node: Node, subject: SubjectKind, depth: int) -> Condition:
    if key in GROUPS:
        return _group(key, node, subject, depth)
    if key in NEGATIONS:
        return negation(read_condition(node, subject, depth=depth + 1))
    fact = _fact(key, node, subject)
    argument, told = _argument(fact, node)
    name, bound = _one_operator(fact, told)
    return Comparison(
        fact=fact.name,
        operator=name,
        bound=operators.read_bound(fact, name, bound),
        argument=argument,
        source=bound.place,
    )


def _group(key: str, node: Node, subject: SubjectKind, depth: int) -> Condition:
    items = expect.sequence(node)
    if not items:
        raise InputError(node.place, f"{key!r} needs at least one condition")
    parts = tuple(read_condition(item, subject, depth=depth + 1) for item in items)
    return GROUPS[key](parts=parts)


def _fact(key: str, node: Node, subject: SubjectKind) -> Fact:
    known = facts_of(subject)
    if key in known:
        return known[key]
    elsewhere = [str(fact.subject) for fact in all_facts() if fact.name == key]
    if elsewhere:
        message = f"{key!r} is a fact about a {' or a '.join(elsewhere)}, not about a {subject}"
        raise InputError(node.key_place, message)
    near = expect.nearest(key, (*known, *GROUPS, *NEGATIONS))
    own = [name for name, fact in known.items() if fact.of is None]
    lent = {f"{name.partition('_')[0]}_..." for name, fact in known.items() if fact.of is not None}
    message = f"unknown fact {key!r} about a {subject}; known: {', '.join((*own, *sorted(lent)))}"
    raise InputError(node.key_place, message, nearest=near)


def _argument(fact: Fact, node: Node) -> tuple[str | None, Node]:
    """What the fact is told, and the node without it."""
    if fact.argument is None:
        return None, node
    entries = expect.mapping(node)
    if fact.argument not in entries:
        operator = operators.names(fact.bound_type)[0]
        expected = f"{fact.argument!r} beside the operator, as in "
        raise expect.wrong(node, f"{expected}{{{fact.argument}: ..., {operator}: ...}}")
    rest = {key: child for key, child in entries.items() if key != fact.argument}
    return expect.line(entries[fact.argument]), replace(node, value=rest)


def _one_operator(fact: Fact, node: Node) -> tuple[str, Node]:
    fitting = operators.names(fact.bound_type)
    if not isinstance(node.value, dict) or len(node.value) != 1:
        example = f"{{{fitting[0]}: ...}}"
        raise expect.wrong(
            node, f"one operator ({', '.join(fitting)}) with its bound, as in {example}"
        )
    ((name, bound),) = node.value.items()
    if name not in fitting:
        message = (
            f"the operator {name!r} does not fit {fact.name}, which is {_kind(fact)}; "
            f"fitting: {', '.join(fitting)}"
        )
        raise InputError(bound.key_place, message, nearest=expect.nearest(name, fitting))
    return name, bound


def _kind(fact: Fact) -> str:
    return "a list of texts" if fact.bound_type is BoundType.TEXTS else f"a {fact.bound_type}"
