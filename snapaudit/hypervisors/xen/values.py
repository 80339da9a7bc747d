"""Values of the protocol: texts that stand for references, numbers and moments.

Integers come as decimal texts in XML-RPC and as either in JSON; an empty reference is written in
two ways; a date of 1970 says that none was set. What cannot be read is None, never nought.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

NULL = "OpaqueRef:NULL"
_NUMBER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d):?(\d\d)(?:[.,](\d{1,6})\d*)?"
    r"(Z|[+-]\d\d:?(?:\d\d)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING: Mapping[str, str] = {}


def reference(value: object) -> str | None:
    """A reference to something, None for one to nothing."""
    return value if isinstance(value, str) and value and value != NULL else None


def references(value: object) -> tuple[str, ...]:
    """The references of a list."""
    found = (reference(each) for each in value) if isinstance(value, list) else ()
    return tuple(each for each in found if each is not None)


def number(value: object) -> int | None:
    """An integer, whichever way it is written."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def size(value: object) -> int | None:
    """A number of bytes; XAPI writes -1 or 0 for one that it does not know."""
    found = number(value)
    return found if found is not None and found > 0 else None


def text(value: object) -> str:
    """A text; empty for anything else."""
    return value if isinstance(value, str) else ""


def mapping(value: object) -> Mapping[str, str]:
    """A mapping of texts; empty for anything else."""
    if not isinstance(value, dict) or not value:
        return _NOTHING
    return {str(key): text(each) for key, each in value.items()}


def words(value: object) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(map(str, value)) if isinstance(value, list) and value else ()


def keys(value: object) -> tuple[str, ...]:
    """The keys of a mapping."""
    return tuple(map(str, value)) if isinstance(value, dict) and value else ()


def moment(value: Any) -> datetime | None:
    """A moment in UTC, from a text or from the DateTime of XML-RPC; None when it is not set."""
    return _moment(str(getattr(value, "value", value)))


@lru_cache(4096)
def _moment(written: str) -> datetime | None:
    parts = _MOMENT.fullmatch(written.strip())
    if parts is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = parts.groups()
    date, clock = (int(year), int(month), int(day)), (int(hour), int(minute), int(second))
    micros = int((fraction or "0").ljust(6, "0"))
    try:
        found = datetime(*date, *clock, micros, tzinfo=_zone(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if found == _EPOCH else found


def _zone(written: str | None) -> timezone:
    if written in (None, "Z"):
        return UTC
    digits = (written or "")[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if (written or "").startswith("-") else offset)
