"""Wording: what the text of a snapshot tells, read once for all texts of one shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from snapaudit.rules.purposes.folding import fold
from snapaudit.rules.purposes.lexicon import Lexicon, Topic, Word
from snapaudit.rules.purposes.markers import Marker, Markers

_REMEMBERED = 65536
_DIGITS = bytes.maketrans(b"23456789", b"11111111")
_DATE_OR_COUNTER = re.compile(r"[0-9]{4}|[0-9][./-][0-9]|[0-9]$")


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """What a text tells. Texts that tell the same share one object."""

    marker: Marker | None
    topics: Mapping[Topic, Word]
    has_ticket: bool
    has_number: bool
    may_declare_expiry: bool


class WordingReader:
    """Reads names and descriptions with markers and lexicon.

    Names that differ in their digits alone are read once: every digit but 0 counts as 1. A large
    estate holds far fewer shapes than names.
    """

    def __init__(self, markers: Markers, lexicon: Lexicon) -> None:
        self._markers = markers
        self._lexicon = lexicon
        self._read_shape = lru_cache(_REMEMBERED)(self._read)
        self._shared = lru_cache(_REMEMBERED)(self._wording)

    def read(self, name: str, description: str) -> Wording:
        """What a name and a description tell."""
        return self._read_shape(_shape(name), _shape(description))

    def _read(self, name_shape: bytes, description_shape: bytes) -> Wording:
        name = name_shape.decode("utf-8", "surrogatepass")
        description = description_shape.decode("utf-8", "surrogatepass")
        text = f"{name}\n{description}" if description else name
        marker, has_ticket = self._markers.in_text(text)
        words = self._lexicon.numbers(fold(text))
        return self._shared(marker, words, has_ticket, _DATE_OR_COUNTER.search(name) is not None)

    def _wording(
        self, marker: Marker | None, words: tuple[int, ...], has_ticket: bool, has_number: bool
    ) -> Wording:
        topics = self._lexicon.topics(words)
        return Wording(
            marker=marker,
            topics=topics,
            has_ticket=has_ticket,
            has_number=has_number,
            may_declare_expiry=Topic.UNTIL in topics or Topic.UNTIL_AFTER in topics,
        )


def _shape(text: str) -> bytes:
    """The text with its digits made alike; as bytes, which translate several times as fast."""
    return text.encode("utf-8", "surrogatepass").translate(_DIGITS)
