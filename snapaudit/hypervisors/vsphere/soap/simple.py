"""Simple values: what their text means (XML Schema's types)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

Convert = Callable[[str], object]


def moment(text: str | None) -> datetime | None:
    """An ``xsd:dateTime`` in UTC; None for what is no moment, or one without a zone."""
    try:
        found = datetime.fromisoformat(text or "")
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def boolean(text: str) -> bool:
    """An ``xsd:boolean``; ValueError for what is none."""
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise ValueError(f"{text!r} is no boolean")


SIMPLE: Mapping[str, Convert] = {
    "string": str,
    "anyURI": str,
    "boolean": boolean,
    **dict.fromkeys(("byte", "short", "int", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "dateTime": moment,
}
"""What a text becomes, by the name of its type."""
