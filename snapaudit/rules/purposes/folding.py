"""Folding: one spelling for all the ways in which people write the same words."""

from __future__ import annotations

import re
import unicodedata

_TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W\d_A-Za-z]+")
_WITHOUT_FORM = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "æ": "ae", "œ": "oe"}
)
_NUMBER = re.compile(r"[0-9]+")


def without_accents(text: str) -> str:
    """The text in compatibility form, without marks on its letters; case and signs stay."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return bare.translate(_WITHOUT_FORM)


def fold(text: str) -> str:
    """The words of a text in small letters, each between single spaces.

    ``DailySnap_2024-01`` becomes `` daily snap 0 0 ``: words joined by capitals, digits or signs
    come apart, and every number is 0, since names that differ by a number read alike.
    """
    words = " ".join(_TOKEN.findall(without_accents(text)))
    return f" {_NUMBER.sub('0', words.casefold())} "
