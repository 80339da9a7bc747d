"""JSON that can be read in one way only, for files whose digest is compared.

Texts, whole numbers, null, lists and objects: no fractions, whose digits depend on who writes them,
no doubled keys, of which readers take one or the other, and no depth that nobody needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from snapaudit.errors import InputError

MAX_DEPTH = 16
_LONGEST_NUMBER = 20


class _Forbidden(ValueError):
    """The text is JSON and holds what these files never hold; the message says what."""


def canonical(record: Mapping[str, Any]) -> bytes:
    """The one way to write a record down, for hashing. Raises ValueError for NaN and infinity."""
    text = json.dumps(
        record, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return text.encode("ascii")


def pretty(record: Mapping[str, Any]) -> bytes:
    """A record for people, ending in a newline; what cannot be seen is written as its code."""
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if not text.isascii():
        text = "".join(char if char.isprintable() or char == "\n" else _code(char) for char in text)
    return text.encode()


def parse(raw: bytes, source: str) -> dict[str, Any]:
    """The object that the text holds. Raises InputError saying what is wrong with it."""
    return _checked(lambda: _strict(raw), source)


def parse_by_hand(raw: bytes, source: str) -> dict[str, Any]:
    """As `parse`, for a file that people write too: any values, but no doubled key.

    What the values may be, and what a wrong one means, is for the reader of the file.
    """
    return _checked(lambda: _lenient(raw), source)


def _lenient(raw: bytes) -> object:
    text = raw.decode("utf-8-sig")
    return json.loads(text, object_pairs_hook=_object, parse_constant=_forbid)


def _strict(raw: bytes) -> object:
    document = json.loads(
        raw.decode("utf-8"),
        object_pairs_hook=_object,
        parse_int=_integer,
        parse_float=_forbid,
        parse_constant=_forbid,
    )
    _check_values(document)
    return document


def _checked(load: Callable[[], object], source: str) -> dict[str, Any]:
    try:
        document = load()
    except _Forbidden as error:
        raise InputError(source, str(error)) from None
    except UnicodeDecodeError as error:
        raise InputError(source, f"is not UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise InputError(source, f"is nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise InputError(source, f"is not complete JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(source, "holds no JSON object")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise _Forbidden(f"holds the key {doubled!r} twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _Forbidden("holds a number of more than 20 digits")
    return int(text)


def _forbid(text: str) -> NoReturn:
    raise _Forbidden(f"holds {text[:30]}, which is no whole number")


def _check_values(document: object) -> None:
    level = [document]
    for _ in range(MAX_DEPTH + 1):
        if any(isinstance(value, bool) for value in level):
            raise _Forbidden("holds true or false, which no field of it is")
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise _Forbidden(f"is nested deeper than {MAX_DEPTH} levels")


def _inside(value: object) -> list[object]:
    match value:
        case dict():
            return list(value.values())
        case list():
            return value
        case _:
            return []


def _code(char: str) -> str:
    return json.dumps(char)[1:-1]
