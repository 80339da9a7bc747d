"""Spelling: conditions and facts as a rule file writes them, so that what is shown can be used."""

from __future__ import annotations

import re
from datetime import timedelta

from snapaudit.model.policy import All, AnyOf, AtLeast, Case, Comparison, Condition, SubjectKind
from snapaudit.model.units import write_duration, write_ratio, write_size
from snapaudit.rules.facts import BoundType, Fact, facts_of

_PLAIN = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*", re.ASCII)
# The last six are no texts to the older readers of YAML that some editors use.
_WORDS = frozenset(("true", "false", "null", "on", "off", "yes", "no", "y", "n"))


def condition(one: Condition, subject: SubjectKind) -> str:
    """The condition as one line of YAML; read again it is the same condition."""
    return f"{{{_entries(one, subject)}}}"


def value(fact: Fact, measured: object) -> str:
    """A bound or a value with its unit, quoted where YAML wants it."""
    match measured:
        case tuple():
            return f"[{', '.join(value(fact, item) for item in measured)}]"
        case AtLeast():
            return f"{{at_least: {value(fact, measured.value)}}}"
        case bool():
            return str(measured).lower()
        case timedelta():
            sign = "-" if measured < timedelta() else ""
            return f"{sign}{write_duration(abs(measured))}"
        case int() if fact.bound_type is BoundType.SIZE:
            return write_size(measured)
        case int() | float() if fact.bound_type is BoundType.RATIO:
            return write_ratio(measured)
        case int():
            return str(measured)
        case _:
            return quoted(str(measured))


def quoted(text: str) -> str:
    """The text as it is where it can only be text, else in quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def given(case: Case, subject: SubjectKind) -> str:
    """What a case gives, as one line of YAML."""
    known = facts_of(subject)
    parts = (
        f"{quoted(name)}: {value(known[name.partition('(')[0]], one)}" for name, one in case.given
    )
    return f"{{{', '.join(parts)}}}"


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _entries(one: Condition, subject: SubjectKind) -> str:
    match one:
        case Comparison():
            return _comparison(one, facts_of(subject)[one.fact])
        case AnyOf(parts=parts):
            return f"any: [{', '.join(condition(part, subject) for part in parts)}]"
        case All(parts=parts) if _can_stand_side_by_side(parts):
            return ", ".join(_entries(part, subject) for part in parts)
        case All(parts=parts):
            return f"all: [{', '.join(condition(part, subject) for part in parts)}]"


def _can_stand_side_by_side(parts: tuple[Condition, ...]) -> bool:
    """No key may stand twice in a mapping; and one part alone would be no group."""
    keys = [part.fact if isinstance(part, Comparison) else type(part).__name__ for part in parts]
    return len(parts) > 1 and len(set(keys)) == len(keys) and All.__name__ not in keys


def _comparison(one: Comparison, fact: Fact) -> str:
    told = f"{fact.argument}: {quoted(one.argument)}, " if one.argument is not None else ""
    return f"{one.fact}: {{{told}{one.operator}: {value(fact, one.bound)}}}"
