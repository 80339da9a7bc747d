"""Wording: what the text of a snapshot tells, read once for all texts of one shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from snapaudit.errors import Place
from snapaudit.rules.patterns import as_utf8, compile_pattern
from snapaudit.rules.purposes.catalogue import Field, Marker
from snapaudit.rules.purposes.folding import fold
from snapaudit.rules.purposes.lexicon import Lexicon, Topic, Word
from snapaudit.rules.purposes.markers import Markers
from snapaudit.rules.purposes.shape import shape, text_of

_REMEMBERED = 65536
_TICKET = (
    r"(?-i:\b[A-Z]{2,9}-[1-9][0-9]{1,6}\b)"
    r"|\b(?:chg|inc|req|rfc|ritm|task|prb|ticket|case|issue)[-_ :#]{0,2}[0-9]{3,}"
    r"|#[0-9]{3,}"
)
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
        self._has_ticket = compile_pattern(_TICKET, Place("the look of a ticket number"))
        self._read_shape = lru_cache(_REMEMBERED)(self._read)
        self._shared = lru_cache(_REMEMBERED)(self._wording)

    def read(self, name: str, description: str) -> Wording:
        """What a name and a description tell."""
        return self._read_shape(shape(name), shape(description))

    def _read(self, name_shape: bytes, description_shape: bytes) -> Wording:
        name, description = text_of(name_shape), text_of(description_shape)
        text = f"{name}\n{description}" if description else name
        found = (
            self._markers.in_text(name, Field.NAME),
            self._markers.in_text(description, Field.DESCRIPTION),
        )
        first = min((number for number in found if number is not None), default=None)
        marker = None if first is None else self._markers.markers[first]
        has_ticket = self._has_ticket(as_utf8(text)) is not None
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
