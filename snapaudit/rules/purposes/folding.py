"""Folding: one spelling for all the ways in which people write the same words."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

MACHINE = "\ue000"  # stands for the machine's own name in a text; no writing uses it
_TOKEN = re.compile(
    rf"\bv[A-Z]{{2,5}}(?![a-z])|[A-Z]{{2,}}s(?![a-z])|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W\d_A-Za-z]+|{MACHINE}"
)
_WITHOUT_FORM = str.maketrans(
    {
        "ß": "ss", "ł": "l", "Ł": "L", "ø": "oe", "Ø": "Oe", "đ": "d", "Đ": "D", "æ": "ae",
        "Æ": "Ae", "œ": "oe", "Œ": "Oe", "\u0131": "i",
    }
)  # fmt: skip
_DRAWN = re.compile(r"(?i)(?<![^\W_])(?=[a-f]{0,9}[0-9])[0-9a-f]{8,}(?:-[0-9a-f]{4,12})*(?![^\W_])")
_NUMBER = re.compile(r"[0-9]+")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
# Small and capital letters, Cyrillic and Greek.
_HUMP = re.compile(r"([\u0430-\u045f\u03b1-\u03c9])(?=[\u0400-\u042f\u0391-\u03a9])")


def decoded(text: str) -> str:
    """The text without the armour that a URL or a page put it in: ``%2f``, ``&#252;``."""
    if "&" in text:
        text = html.unescape(text)
    if "%" in text and _ENCODED.search(text):
        text = unquote(text, errors="ignore").replace("+", " ")
    return text


def without_accents(text: str) -> str:
    """The text in compatibility form, without marks on its letters; case and signs stay."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return unicodedata.normalize("NFC", bare.translate(_WITHOUT_FORM))


def tokens(text: str) -> list[str]:
    """The words of a text in small letters, every number as 0.

    ``DailySnap_2024-01`` gives ``daily snap 0 0``: words joined by capitals, digits or signs come
    apart, and names that differ by a number read alike. What a program drew in hexadecimal digits
    is a number too, so that no word is read out of it.
    """
    plain = without_accents(text)
    has_number = _NUMBER.search(plain) is not None
    if has_number:
        plain = _DRAWN.sub("0", plain)
    if not plain.isascii():
        plain = _HUMP.sub(r"\1 ", plain)
    words = " ".join(_TOKEN.findall(plain)).casefold()
    return (_NUMBER.sub("0", words) if has_number else words).split()


def fold(text: str) -> str:
    """The words of a text, each between single spaces."""
    return f" {' '.join(tokens(text))} "
