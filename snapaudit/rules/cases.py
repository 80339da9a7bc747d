"""Cases: what a rule file says its rule has to answer, so that it can be tried without a fleet."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError
from snapaudit.model.policy import AtLeast, Case, Given, Severity, SubjectKind
from snapaudit.rules import operators
from snapaudit.rules.environment import refuse_unknown
from snapaudit.rules.facts import BoundType, Fact, facts_of

NOTHING, UNDETERMINED = "none", "undetermined"
AT_LEAST = "at_least"
ANSWERS = (*(str(severity) for severity in Severity), UNDETERMINED, NOTHING)
KEYS = ("given", "expect")


def read_cases(node: Node, subject: SubjectKind, environments: Collection[str]) -> tuple[Case, ...]:
    """The cases of a rule about this kind of subject. Raises InputError with the place."""
    items = expect.sequence(node)
    if not items:
        raise InputError(node.place, "is empty; write at least one case or leave the key out")
    return tuple(_case(item, subject, environments) for item in items)


def _case(node: Node, subject: SubjectKind, environments: Collection[str]) -> Case:
    keys = expect.mapping(node, ("environment",), required=KEYS)
    severity, is_undetermined = _expected(keys["expect"])
    named = keys.get("environment")
    return Case(
        given=tuple(_given(keys["given"], subject)),
        severity=severity,
        is_undetermined=is_undetermined,
        environment=None if named is None else _environment(named, environments),
        source=node.place,
    )


def _expected(node: Node) -> tuple[Severity | None, bool]:
    """A severity, ``undetermined``, ``none``, or a list of a severity and ``undetermined``."""
    items = node.value if isinstance(node.value, tuple) else (node,)
    words = [_answer(item) for item in items]
    is_list = isinstance(node.value, tuple)
    if is_list and NOTHING in words:
        raise InputError(node.place, f"{NOTHING!r} stands alone: it says that nothing comes out")
    grades = [word for word in words if word in tuple(Severity)]
    if len(grades) > 1 or len(set(words)) < len(words) or (is_list and UNDETERMINED not in words):
        raise expect.wrong(node, f"one of {', '.join(ANSWERS)}, or a level and {UNDETERMINED}")
    return Severity(grades[0]) if grades else None, UNDETERMINED in words


def _answer(node: Node) -> str:
    word = node.value if isinstance(node.value, str) else ""
    if word not in ANSWERS:
        message = f"expected one of {', '.join(ANSWERS)}, found {expect.describe(node)}"
        raise InputError(node.place, message, nearest=expect.nearest(word, ANSWERS))
    return word


def _environment(node: Node, known: Collection[str]) -> str:
    name = expect.text(node)
    refuse_unknown(name, node.place, known)
    return name


def _given(node: Node, subject: SubjectKind) -> Iterator[tuple[str, Given]]:
    known = facts_of(subject)
    for key, child in expect.mapping(node).items():
        name, parenthesis, rest = key.partition("(")
        fact = known.get(name)
        if fact is None or bool(parenthesis) != bool(fact.argument) or (rest and rest[-1] != ")"):
            near = expect.nearest(name, known)
            message = f"there is no fact {key!r} about a {subject}"
            if fact is not None and fact.argument:
                message = f"{name!r} needs its {fact.argument}, as in '{name}(owner)'"
            raise InputError(child.key_place, message, nearest=None if near == key else near)
        yield key, _value(fact, child)


def _value(fact: Fact, node: Node) -> Given:
    match fact.bound_type:
        case BoundType.TEXTS:
            return tuple(operators.known_text(fact, item) for item in expect.sequence(node))
        case BoundType.TEXT:
            return operators.known_text(fact, node)
        case BoundType.BOOLEAN:
            return expect.boolean(node)
        case _:
            return _quantity(fact.bound_type, node)


def _quantity(bound_type: BoundType, node: Node) -> Given:
    """With its unit; below zero with a minus; known in part as ``{at_least: 25GB}``."""
    if isinstance(node.value, dict):
        (part,) = expect.mapping(node, required=(AT_LEAST,)).values()
        return AtLeast(value=operators.read_value(bound_type, part))
    if bound_type is BoundType.DURATION and isinstance(node.value, str) and node.value[:1] == "-":
        span = expect.duration(Node(node.value[1:], node.place, node.key_place))
        return timedelta() - span
    return operators.read_value(bound_type, node)
