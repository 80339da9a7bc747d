"""Fields of a row as a host sent them: each of the type it has to be, or the answer is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, TypeVar

_GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.ASCII | re.IGNORECASE)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?Z", re.ASCII)
_LARGEST = 2**63
Value = TypeVar("Value")


class Malformed(ValueError):
    """A field that is not what it has to be. The text names it and never repeats its value."""


class Fields:
    """One row. Absent and null are the same; neither is ever 0, empty or false."""

    def __init__(self, row: dict[str, Any]) -> None:
        self._row = row

    def text(self, key: str) -> str | None:
        """Text; halves of characters, which no file here could hold, as replacement characters."""
        value = self._row.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise Malformed(f"{key}: text is expected")
        return whole(value)

    def words(self, key: str) -> str:
        """Text, empty when there is none."""
        return self.text(key) or ""

    def needed(self, key: str) -> str:
        """Text that has to be there."""
        return _there(key, self.text(key) or None)

    def number(self, key: str) -> int | None:
        """A whole number of 64 bits."""
        value = self._row.get(key)
        if value is None:
            return None
        if type(value) is not int or not -_LARGEST <= value < _LARGEST:
            raise Malformed(f"{key}: a whole number is expected")
        return value

    def needed_number(self, key: str) -> int:
        """A number that has to be there."""
        return _there(key, self.number(key))

    def size(self, key: str) -> int | None:
        """Bytes, never fewer than none."""
        value = self.number(key)
        if value is not None and value < 0:
            raise Malformed(f"{key}: a size is expected")
        return value

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self._row.get(key)
        if value is not None and not isinstance(value, bool):
            raise Malformed(f"{key}: true or false is expected")
        return value

    def guid(self, key: str) -> str | None:
        """A GUID in lower case without braces."""
        value = self.text(key)
        if value is None:
            return None
        found = _GUID.fullmatch(value)
        if found is None:
            raise Malformed(f"{key}: a GUID is expected")
        return found[1].lower()

    def needed_guid(self, key: str) -> str:
        """A GUID that has to be there."""
        return _there(key, self.guid(key))

    def time(self, key: str) -> datetime | None:
        """A moment in UTC, to the microsecond."""
        value = self.text(key)
        if value is None:
            return None
        found = _TIME.fullmatch(value)
        try:
            if found is None:
                raise ValueError
            at = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
        except ValueError:
            raise Malformed(f"{key}: a time in UTC is expected") from None
        return at.replace(microsecond=int((found[2] or "").ljust(6, "0")[:6]))

    def items(self, key: str) -> list[Any]:
        """A list, empty when there is none."""
        value = self._row.get(key)
        if value is not None and not isinstance(value, list):
            raise Malformed(f"{key}: a list is expected")
        return value or []

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        return tuple(Fields({key: item}).needed_number(key) for item in self.items(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; null among them is empty."""
        return tuple(Fields({key: item}).words(key) for item in self.items(key))

    def rows(self, key: str) -> tuple[Fields, ...]:
        """A list of rows within the row."""
        found = self.items(key)
        if not all(isinstance(item, dict) for item in found):
            raise Malformed(f"{key}: a list of objects is expected")
        return tuple(Fields(item) for item in found)


def whole(text: str) -> str:
    """Text without halves of characters: NTFS allows them in names, and UTF-8 has no form for them.

    The replacement is the same wherever the same name stands.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _there(key: str, value: Value | None) -> Value:
    if value is None:
        raise Malformed(f"{key}: it is missing")
    return value
