"""Spelling: the ways in which a word of a data file may be written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import read_yaml
from snapaudit.rules.purposes.folding import tokens

_FILE = Path(__file__).parent / "letters.yaml"
_WITHOUT_UMLAUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "ae", "Ö": "oe", "Ü": "ue"})
_WITHOUT_STROKE = str.maketrans({"ø": "o", "Ø": "O"})
_FEWEST_LETTERS = 5
# Entries that are their own tokens, as most are: small Latin letters, and numbers by themselves.
_PLAIN = re.compile(r"(?:\*?[a-z]+\*?|0)(?: (?:\*?[a-z]+\*?|0))*")


@cache
def _latin() -> dict[int, str]:
    """How people without a Cyrillic keyboard write each Cyrillic letter."""
    letters = expect.mapping(read_yaml(_FILE))
    return {ord(letter): str(node.value or "") for letter, node in letters.items()}


def spellings(text: str) -> Iterator[tuple[str, ...]]:
    """The tokens of an entry in each of its spellings, stars still on the tokens they stand at.

    Umlauts come with and without their e, Cyrillic in Latin letters too where the word is long
    enough to be told from words of other languages.
    """
    if _PLAIN.fullmatch(text):
        yield tuple(text.split())
        return
    ways = [text, text.translate(_WITHOUT_UMLAUT)]
    if len(text.replace("*", "")) >= _FEWEST_LETTERS:
        ways += [text.translate(_WITHOUT_STROKE), text.lower().translate(_latin())]
    yield from dict.fromkeys(tuple(_starred(way)) for way in dict.fromkeys(ways))


def _starred(text: str) -> Iterator[str]:
    for part in text.split():
        words = tokens(part)
        for number, word in enumerate(words):
            start = "*" if number == 0 and part.startswith("*") else ""
            end = "*" if number == len(words) - 1 and part.endswith("*") else ""
            yield f"{start}{word}{end}"
