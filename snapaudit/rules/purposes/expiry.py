"""Expiry: the last day that a name or description declares, as in "keep until 2026-05-01"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from snapaudit.errors import Place
from snapaudit.rules.patterns import as_utf8, compile_pattern
from snapaudit.rules.purposes.folding import without_accents
from snapaudit.rules.purposes.lexicon import Topic, Word
from snapaudit.rules.quantity import Unknown

_DATE = r"(?:20[0-9]{2}[-./][0-9]{1,2}[-./][0-9]{1,2}|[0-9]{1,2}\.[0-9]{1,2}\.20[0-9]{2})"
_GAP = r"[^\pL\pN]{0,3}"
_SMALL_WORD = r"(?:\pL{1,3}[^\pL\pN]{1,2})?"


class ExpiryReader:
    """Finds year-first dates and dotted day-first dates beside a word for "until".

    12/05/2026 is left alone: it is May to one reader and December to the next.
    """

    def __init__(self, words: Iterable[Word]) -> None:
        self._search = compile_pattern(_expression(tuple(words)), Place("words for until"))

    def expires_at(self, text: str) -> datetime | Unknown | None:
        """The end of the declared day in UTC; None when no date is declared."""
        found = self._search(as_utf8(without_accents(text).casefold()))
        if found is None:
            return None
        return _end_of_day((found.group(1) or found.group(2)).decode())


def _expression(words: tuple[Word, ...]) -> str:
    spaced = _phrases(word for word in words if word.topic is Topic.UNTIL and word.is_spaced)
    joined = _phrases(word for word in words if word.topic is Topic.UNTIL and not word.is_spaced)
    behind = _phrases(word for word in words if word.topic is Topic.UNTIL_AFTER)
    ahead = rf"(?:(?:^|[^\pL])(?:{spaced})|(?:{joined})){_GAP}{_SMALL_WORD}({_DATE})(?:[^\pN]|$)"
    return rf"{ahead}|(?:^|[^\pN])({_DATE}){_GAP}(?:{behind})"


def _phrases(words: Iterable[Word]) -> str:
    """The phrases as alternatives, longest first; any sign may stand between two words."""
    texts = {without_accents(word.text).casefold() for word in words}
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
    return "|".join(r"[^\pL\pN]{1,2}".join(text.split()) for text in longest_first)


def _end_of_day(date: str) -> datetime | Unknown:
    first, second, third = (int(number) for number in re.split(r"[-./]", date))
    year, month, day = (first, second, third) if first > 31 else (third, second, first)
    try:
        return datetime(year, month, day, tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        return Unknown(f"the declared date {date} is in no calendar")
