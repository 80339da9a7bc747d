"""Schema: the JSON Schema (draft 2020-12) of a rule file, made of facts and operators, for editors.

What it refuses the reader refuses too. What only the reader can see stays its own: the file's name,
patterns, how deep conditions nest, the environments of a site.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from snapaudit.model.policy import Mode, Remedy, Severity, SubjectKind
from snapaudit.model.units import DURATION_UNITS, SIZE_UNITS
from snapaudit.rules import operators
from snapaudit.rules.cases import ANSWERS, AT_LEAST, UNDETERMINED
from snapaudit.rules.cases import KEYS as CASE_KEYS
from snapaudit.rules.conditions import GROUPS, NEGATIONS
from snapaudit.rules.facts import BoundType, Fact, facts_of
from snapaudit.rules.rulefile import FITTING, ID_PATTERN, OPTIONAL, REQUIRED

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NUMBER = r"[0-9]{1,15}(\.[0-9]{1,6})?\s*"
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
_BOUNDS: dict[BoundType, Schema] = {
    BoundType.DURATION: {
        "type": "string",
        "pattern": rf"^ *([0-9]{{1,9}}(\.[0-9]{{1,6}})? *[{''.join(DURATION_UNITS)}] *)+$",
        "description": "a duration with its unit, like 3d or 1d12h",
    },
    BoundType.SIZE: {
        "type": "string",
        "pattern": rf"^\s*{_NUMBER}({'|'.join(SIZE_UNITS)})\s*$",
        "description": "a size with its unit, like 20GiB or 500MB",
    },
    BoundType.RATIO: {
        "type": "string",
        "pattern": rf"^\s*{_NUMBER}%\s*$",
        "description": "a share in percent, like 85%",
    },
    BoundType.COUNT: {"type": "integer", "minimum": 0},
    BoundType.BOOLEAN: {"type": "boolean"},
}
_SAYS = {
    "id": "its name: small letters, digits and hyphens, like the name of the file",
    "title": "what a finding says, in one line",
    "subject": "what it is about",
    "levels": "from which value on it is how bad",
    "unless": "what is no finding all the same",
    "remedy": "what enforcement could do about it",
    "mode": "report: told alone; mark: announced for the grace first; apply: offered at once",
    "grace": "how long a finding is announced before it may be acted on",
    "notice": "how long before that moment it is announced once more",
    "with_memory": "whether the remedy is meant for snapshots that hold memory too",
    "honours_expiry": "whether a last day in the snapshot's own text is waited for",
    "environments": "other levels for the machines of an environment",
    "cases": "what it has to answer; `snapaudit rules test` tries it",
    "why": "why it matters",
    "fix": "what to do about it",
}


def rule_schema() -> Schema:
    """The schema of one rule file."""
    return {
        "$schema": DIALECT,
        "title": "A rule of snapaudit",
        "type": "object",
        "required": list(REQUIRED),
        "additionalProperties": False,
        "properties": {key: _key(key) for key in (*REQUIRED, *OPTIONAL)},
        "allOf": [*_modes(), *(_about(subject) for subject in SubjectKind)],
        "$defs": {
            **_shared(),
            **{n: part for kind in SubjectKind for n, part in _definitions(kind)},
        },
    }


def _shared() -> Schema:
    """What facts of one type have in common, written once."""
    return {
        **{f"{kind}-bound": bound for kind, bound in _BOUNDS.items()},
        **{f"{kind}-comparison": _operators(kind, None, {}) for kind in BoundType},
        **{f"{kind}-value": _typed_value(kind) for kind in BoundType},
    }


def _key(key: str) -> Schema:
    return {**_KEYS.get(key, {}), "description": _SAYS[key]}


def _words(words: Iterable[str]) -> Schema:
    return {"enum": [str(word) for word in words]}


_KEYS: dict[str, Schema] = {
    "id": {"type": "string", "pattern": f"^{ID_PATTERN}$"},
    "title": _TEXT,
    "subject": _words(SubjectKind),
    "remedy": _words(Remedy),
    "mode": _words(Mode),
    "grace": _BOUNDS[BoundType.DURATION],
    "notice": _BOUNDS[BoundType.DURATION],
    "with_memory": {"type": "boolean"},
    "honours_expiry": {"type": "boolean"},
    "why": _TEXT,
    "fix": _TEXT,
}


def _modes() -> list[Schema]:
    """What goes only with something else."""
    return [
        _if({"mode": _words((Mode.MARK, Mode.APPLY))}, {"required": ["remedy"]}),
        _if({"mode": _words((Mode.MARK,))}, {"required": ["grace"]}),
        _if({"grace": True}, _has("mode", Mode.MARK)),
        _if({"notice": True}, {"required": ["grace"]}),
        _if({"with_memory": True}, _has("remedy", Remedy.DELETE_SNAPSHOT)),
        _if({"honours_expiry": True}, _has("subject", SubjectKind.SNAPSHOT)),
        *(_if({"remedy": _words((one,))}, _has("subject", kind)) for one, kind in FITTING.items()),
    ]


def _if(these: Schema, then: Schema) -> Schema:
    return {"if": {"properties": these, "required": list(these)}, "then": then}


def _has(key: str, word: StrEnum) -> Schema:
    return {"properties": {key: {"const": str(word)}}, "required": [key]}


def _about(subject: SubjectKind) -> Schema:
    """What conditions and cases may say in a rule about this kind of subject."""
    levels, condition, given = _names(subject)
    case = {
        "type": "object",
        "required": list(CASE_KEYS),
        "additionalProperties": False,
        "properties": {"given": _to(given), "expect": _EXPECT, "environment": _TEXT},
    }
    then = {
        "properties": {
            "levels": _to(levels),
            "unless": _to(condition),
            "environments": {"type": "object", "additionalProperties": _to(levels)},
            "cases": {"type": "array", "minItems": 1, "items": case},
        }
    }
    return _if({"subject": {"const": str(subject)}}, then)


_EXPECT: Schema = {
    "anyOf": [
        _words(ANSWERS),
        {
            "type": "array",
            "items": _words((*Severity, UNDETERMINED)),
            "minItems": 1,
            "maxItems": 2,
            "uniqueItems": True,
            "contains": {"const": UNDETERMINED},
        },
    ]
}


def _names(subject: SubjectKind) -> tuple[str, str, str]:
    return f"{subject}-levels", f"{subject}-condition", f"{subject}-given"


def _to(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _definitions(subject: SubjectKind) -> Iterable[tuple[str, Schema]]:
    levels, condition, given = _names(subject)
    facts = facts_of(subject).values()
    yield levels, _closed({str(severity): _to(condition) for severity in Severity})
    some = {"type": "array", "minItems": 1, "items": _to(condition)}
    words = {**dict.fromkeys(GROUPS, some), **dict.fromkeys(NEGATIONS, _to(condition))}
    yield condition, _closed({**{fact.name: _comparison(fact) for fact in facts}, **words})
    plain = {fact.name: _value(fact) for fact in facts if fact.argument is None}
    told = {rf"^{fact.name}\(.+\)$": _value(fact) for fact in facts if fact.argument is not None}
    yield given, {**_closed(plain, least=0), "patternProperties": told}


def _closed(properties: Schema, least: int = 1) -> Schema:
    """An object with these keys and no other, and at least so many of them."""
    return {
        "type": "object",
        "minProperties": least,
        "additionalProperties": False,
        "properties": properties,
    }


def _comparison(fact: Fact) -> Schema:
    """One operator with its bound, beside what the fact has to be told."""
    if fact.words is None and fact.argument is None:
        return {**_to(f"{fact.bound_type}-comparison"), "description": fact.description}
    told = {} if fact.argument is None else {fact.argument: _TEXT}
    return {**_operators(fact.bound_type, fact.words, told), "description": fact.description}


def _operators(kind: BoundType, words: tuple[str, ...] | None, told: Schema) -> Schema:
    bounds = {name: _bound(kind, words, name) for name in operators.names(kind)}
    return {
        **_closed({**told, **bounds}, least=1 + len(told)),
        "maxProperties": 1 + len(told),
        "required": list(told),
    }


def _bound(kind: BoundType, words: tuple[str, ...] | None, operator: str) -> Schema:
    if kind in _BOUNDS:
        return _to(f"{kind}-bound")
    if operator in operators.PATTERNS:
        return {**_TEXT, "description": "a pattern of RE2, without regard to case"}
    word = {"type": "string"} if words is None else _words(words)
    return {"type": "array", "minItems": 1, "items": word} if operator in operators.LISTS else word


def _value(fact: Fact) -> Schema:
    """What a case may give for a fact."""
    return _to(f"{fact.bound_type}-value") if fact.words is None else _words(fact.words)


def _typed_value(kind: BoundType) -> Schema:
    match kind:
        case BoundType.TEXTS:
            return {"type": "array", "items": {"type": "string"}}
        case BoundType.TEXT:
            return {"type": "string"}
        case BoundType.BOOLEAN:
            return _to(f"{kind}-bound")
        case quantity:
            part = {**_closed({AT_LEAST: _to(f"{quantity}-bound")}), "required": [AT_LEAST]}
            return {"anyOf": [_signed(quantity), part]}


def _signed(quantity: BoundType) -> Schema:
    """A duration that is given may lie below zero: a last day that is still to come."""
    bound = _BOUNDS[quantity]
    if quantity is not BoundType.DURATION:
        return bound
    return {**bound, "pattern": bound["pattern"].replace("^ *", "^-? *", 1)}
