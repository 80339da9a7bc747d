"""Shapes: texts that differ in their digits alone are one, and are read once."""

from __future__ import annotations

import re

_DIGITS = bytes.maketrans(b"23456789", b"11111111")
_BUT_COUNTS = re.compile(r"\{[0-9,]*\}|[2-9]")


def shape(text: str) -> bytes:
    """The text with every digit but 0 as 1; as bytes, which translate several times as fast."""
    return text.encode("utf-8", "surrogatepass").translate(_DIGITS)


def text_of(shaped: bytes) -> str:
    """The shape as text."""
    return shaped.decode("utf-8", "surrogatepass")


def pattern_of_shapes(pattern: str) -> str:
    """The pattern that finds in shapes what this one finds in texts; counts as {2,9} stay."""
    return _BUT_COUNTS.sub(lambda found: found[0] if len(found[0]) > 1 else "1", pattern)
