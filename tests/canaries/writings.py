"""The writings in which a credential may stand in a file, each as the bytes to look for.

A function gives them for any text, and those of a text that begins like another one begin alike:
so what was found by the mark is then told apart by the whole credential.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

Writing = Callable[[str], Iterator[bytes]]


def _plain(text: str) -> Iterator[bytes]:
    yield text.encode()


def _wide(text: str) -> bytes:
    """UTF-16 without its last byte: so it stands in either order of bytes."""
    return text.encode("utf-16-le")[:-1]


def _utf_16(text: str) -> Iterator[bytes]:
    yield _wide(text)


def _base64(text: str) -> Iterator[bytes]:
    yield from _within_base64(text.encode())


def _base64_of_utf_16(text: str) -> Iterator[bytes]:
    yield from _within_base64(_wide(text))


def _within_base64(raw: bytes) -> Iterator[bytes]:
    """At each of the three places where it may begin, without the letters shared with others."""
    for before in range(3):
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        code = base64.b64encode(b"\0" * before + raw)[first:last]
        yield from dict.fromkeys((code, code.translate(_URL_SAFE)))


def _hex(text: str) -> Iterator[bytes]:
    yield from _both_cases(text.encode().hex())


def _hex_of_utf_16(text: str) -> Iterator[bytes]:
    yield from _both_cases(_wide(text).hex())


def _percent(text: str) -> Iterator[bytes]:
    yield from _both_cases("".join(f"%{byte:02x}" for byte in text.encode()))


def _escapes(text: str) -> Iterator[bytes]:
    units = text.encode("utf-16-be").hex()
    codes = [units[at : at + 4] for at in range(0, len(units), 4)]
    for form in (codes, [code.upper() for code in codes]):
        yield "".join(f"\\u{code}" for code in form).encode()


def _both_cases(text: str) -> Iterator[bytes]:
    yield from (text.encode(), text.upper().encode())


_URL_SAFE = bytes.maketrans(b"+/", b"-_")

WRITINGS: dict[str, Writing] = {
    # The mark stands as it is in URLs, JSON, pages and quoted-printable too: it needs no escape.
    "plain, or escaped as its format does": _plain,
    "UTF-16": _utf_16,
    "base64": _base64,
    "base64 of UTF-16": _base64_of_utf_16,
    "hexadecimal": _hex,
    "hexadecimal of UTF-16": _hex_of_utf_16,
    "percent signs for every byte": _percent,
    r"\u escapes for every letter": _escapes,
}
