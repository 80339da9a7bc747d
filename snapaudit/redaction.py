"""Passwords kept out of every text that leaves a process: the last stage before stderr and files.

A value that was fetched is known here for as long as the process lives, and wherever it turns up
later, also encoded, three stars stand in for it. What is never told cannot be forgotten to be cut.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import TextIO, cast
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""Letters of a value that is looked for: stars in place of every "a" would tell what it is."""

STARS = "***"
_SHORTEST_CODE = 7
"""Letters of an encoding that is looked for: those that six letters leave whole within base64."""


class _Known:
    """The values of this process, and one expression for all their forms."""

    def __init__(self) -> None:
        self.forms: frozenset[str] = frozenset()
        self.pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        found = self.forms | frozenset(forms(value))
        if found == self.forms:
            return
        # The longest first, since one form may begin with another.
        ordered = sorted(found, key=lambda form: (-len(form), form))
        self.forms, self.pattern = found, re.compile("|".join(map(re.escape, ordered)))


_KNOWN = _Known()


def hide(value: str | None) -> None:
    """From now on this value stands in no text that goes through `redacted`."""
    if value is not None and len(value) >= SHORTEST:
        _KNOWN.add(value)


def redacted(text: str) -> str:
    """The text with stars in place of every hidden value and its encodings."""
    return text if _KNOWN.pattern is None else _KNOWN.pattern.sub(STARS, text)


def forms(value: str) -> Iterator[str]:
    """How a value may be written: as it is, escaped, in URLs, in hexadecimal and in base64."""
    yield value
    yield from (quote(value, safe=""), quote_plus(value), html.escape(value))
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    yield repr(value)[1:-1]
    for raw in (value.encode("utf-8", "surrogatepass"), value.encode("utf-16-le", "surrogatepass")):
        codes = (raw.hex(), raw.hex().upper(), *_base64(raw))
        yield from (code for code in codes if len(code) >= _SHORTEST_CODE)


def _base64(raw: bytes) -> Iterator[str]:
    """What it looks like within base64, at each of the three places where it may begin.

    Letters that depend on its neighbours too are left out, so that "user:password" is found.
    """
    for before in range(3):
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        code = base64.b64encode(b"\0" * before + raw).decode("ascii")[first:last]
        yield from {code, code.translate(_URL_SAFE)}


_URL_SAFE = str.maketrans("+/", "-_")


class _Censored:
    """A stream through which no hidden value goes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(redacted(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def censored(stream: TextIO) -> TextIO:
    """The same stream, with stars in place of hidden values; one that is censored already stays."""
    return stream if isinstance(stream, _Censored) else cast(TextIO, _Censored(stream))
