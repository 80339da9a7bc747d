"""Expiry: the last day that a name or description declares, as in "keep until 2026-05-01"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from snapaudit.rules.purposes.folding import fold
from snapaudit.rules.purposes.lexicon import Topic, Word
from snapaudit.rules.quantity import Unknown

Expiry = datetime | Unknown | None

_DATE = re.compile(
    r"(?<![0-9])(?:(20[0-9]{2})[-./]([0-9]{1,2})[-./]([0-9]{1,2})"
    r"|([0-9]{1,2})\.([0-9]{1,2})\.(20[0-9]{2}))(?![0-9])"
)
_REMEMBERED = 65536
_NEARBY = 48
_SMALL_WORD = 3


class ExpiryReader:
    """Finds year-first dates and dotted day-first dates beside a word for "until".

    12/05/2026 is left alone: it is May to one reader and December to the next.
    """

    def __init__(self, words: Iterable[Word]) -> None:
        known = tuple(words)
        ahead = [word for word in known if word.topic is Topic.UNTIL]
        self._spaced = tuple(fold(word.text) for word in ahead if word.is_spaced)
        joined = (fold(word.text).lstrip() for word in ahead if not word.is_spaced)
        self._ahead = (*self._spaced, *joined)
        behind = (word for word in known if word.topic is Topic.UNTIL_AFTER)
        self._behind = tuple(fold(word.text).rstrip() for word in behind)
        self.expires_at = lru_cache(_REMEMBERED)(self._expires_at)

    def _expires_at(self, text: str) -> Expiry:
        """The end of the first declared day in UTC; None when no date is declared."""
        for found in _DATE.finditer(text):
            before = fold(text[max(0, found.start() - _NEARBY) : found.start()])
            after = fold(text[found.end() : found.end() + _NEARBY])
            if self._announces(before) or after.startswith(self._behind):
                return _end_of_day(found)
        return None

    def _announces(self, before: str) -> bool:
        """Whether the words before a date end in "until", or in that and one small word."""
        if before.endswith(self._ahead):
            return True
        rest, _, last = before.rstrip().rpartition(" ")
        return len(last) <= _SMALL_WORD and f"{rest} ".endswith(self._spaced)


def _end_of_day(found: re.Match[str]) -> datetime | Unknown:
    first, second, third = (int(number) for number in found.groups() if number is not None)
    year, month, day = (first, second, third) if found[1] else (third, second, first)
    try:
        return datetime(year, month, day, tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        return Unknown(f"the declared date {found[0]} is in no calendar")
