"""Values read from a row of events: texts, and the names of the elements that end after them.

Expat makes the row without a line of Python running, and does not tell where elements start. So
only forms that are known to the element are read here and beside; all else raises Unusual, and so
may KeyError, ValueError and IndexError be raised.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any

Next = Callable[[], Any]
Known = Callable[[Any], Any]
"""Looks up one of expat's own names: an event that is the very object found is a name."""

VAL = intern("val")
_KEY, _VALUE, _CUSTOM = map(intern, ("key", "value", "CustomFieldValue"))
NAMES = (VAL, _KEY, _VALUE, _CUSTOM)


class Unusual(Exception):
    """A form that is not read here."""


def texts(take: Next, known: Known) -> tuple[str, ...]:
    """An array of texts."""
    found = []
    while (text := take()) is not VAL:
        end = take()
        if known(text) is text or known(end) is not end:
            raise Unusual
        found.append(text)
    return tuple(found)


def leaves(take: Next, known: Known) -> dict[str, str]:
    """A record of nothing but simple values, none of them empty."""
    found: dict[str, str] = {}
    while (text := take()) is not VAL:
        end = take()
        if known(text) is text or known(end) is not end:
            raise Unusual
        found[end] = text
    return found


def custom_values(take: Next, known: Known) -> tuple[tuple[int, str], ...]:
    """An array of vim.CustomFieldsManager.StringValue."""
    found = []
    while (key := take()) is not VAL:
        if take() is not _KEY:
            raise Unusual
        text = take()
        if text is _VALUE:
            text = ""
        elif known(text) is text or take() is not _VALUE:
            raise Unusual
        if take() is not _CUSTOM:
            raise Unusual
        found.append((int(key), text))
    return tuple(found)
