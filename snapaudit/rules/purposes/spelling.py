"""Spelling: the ways in which a word of a data file may be written, and slips of the finger."""

from __future__ import annotations

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
    ways = [text, text.translate(_WITHOUT_UMLAUT)]
    if len(text.replace("*", "")) >= _FEWEST_LETTERS:
        ways += [text.translate(_WITHOUT_STROKE), text.lower().translate(_latin())]
    yield from dict.fromkeys(tuple(_starred(way)) for way in ways)


def _starred(text: str) -> Iterator[str]:
    for part in text.split():
        words = tokens(part)
        for number, word in enumerate(words):
            start = "*" if number == 0 and part.startswith("*") else ""
            end = "*" if number == len(words) - 1 and part.endswith("*") else ""
            yield f"{start}{word}{end}"


def one_slip(left: str, right: str) -> bool:
    """Whether one letter too many, too few, wrong, or swapped with the next parts two words."""
    if left == right:
        return True
    if len(left) > len(right):
        left, right = right, left
    if len(right) - len(left) > 1:
        return False
    start = next((i for i, sign in enumerate(left) if sign != right[i]), len(left))
    if len(left) < len(right):
        return left[start:] == right[start + 1 :]
    swapped = left[start : start + 2] == right[start : start + 2][::-1]
    return left[start + 1 :] == right[start + 1 :] or (
        swapped and left[start + 2 :] == right[start + 2 :]
    )


def shortened(word: str) -> Iterator[str]:
    """The word, and the word with each of its letters left out."""
    yield word
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
