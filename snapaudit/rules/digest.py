"""Digest: one number for the rules in force, so that a plan made under others is noticed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

from snapaudit.errors import Place
from snapaudit.model.policy import Policy

_MICROSECOND = timedelta(microseconds=1)


def digest(policy: Policy) -> str:
    """SHA-256 in hex over everything that the rules, environments and switched-off rules say.

    Where a rule stands, its cases, and the order in which files were read, make no difference; the
    order of the environments does, since the first match wins.
    """
    content = {
        "rules": [_canonical(rule) for rule in sorted(policy.rules, key=lambda rule: rule.id)],
        "environments": [_canonical(one) for one in policy.environments],
        "disabled": sorted(set(policy.disabled)),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: Any) -> Any:
    """A record as plain JSON. A set is sorted, and a duration is no mere number."""
    match value:
        case timedelta():
            return {"microseconds": value // _MICROSECOND}
        case tuple():
            return [_canonical(item) for item in value]
        case frozenset():
            return sorted(value)
        case dict():
            return {str(key): _canonical(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _record(value)
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a rule")


def _record(record: Any) -> dict[str, Any]:
    """The fields by name, with the name of the record: All and AnyOf differ in nothing else."""
    decides = (field.name for field in fields(record) if field.compare)
    values = ((name, getattr(record, name)) for name in decides)
    said = {name: _canonical(value) for name, value in values if not isinstance(value, Place)}
    return {"record": type(record).__name__, **said}
