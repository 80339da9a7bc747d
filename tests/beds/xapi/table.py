"""The table of the public data model: fields with their defaults, methods with their roles."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

Record = dict[str, Any]
NULL = "OpaqueRef:NULL"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_FILE = Path(__file__).with_name("model.json")


@cache
def table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


def roles() -> list[str]:
    """The roles, each with all rights of those before it."""
    return list(table()["roles"])


def fresh(name: str) -> Record:
    """A record with the defaults of its class."""
    return {key: _default(value) for key, value in table()["fields"][name].items()}


def _default(written: Any) -> Any:
    match written:
        case "ref":
            return NULL
        case "never":
            return NEVER
        case _:
            return copy.deepcopy(written)


def role_needed(method: str) -> str | None:
    """The least role that may call a method; None for a method that does not exist."""
    methods = table()["methods"]
    name, _, call = method.removeprefix("Async.").partition(".")
    if method.removeprefix("Async.") in methods:
        return str(methods[method.removeprefix("Async.")])
    return str(methods[call]) if name in table()["fields"] and call in methods else None


def is_allowed(role: str, method: str) -> bool:
    """Whether an account of that role may call it."""
    needed = role_needed(method)
    return needed is not None and roles().index(role) >= roles().index(needed)
