"""XAPI's little language for ``get_all_records_where``: fields, and, or, not, parentheses, true."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Holds = Callable[[dict[str, Any]], bool]
_TOKEN = re.compile(r'\s*(?:(field)\b|(and|or|not|true|false)\b|("(?:[^"\\]|\\.)*")|([()=]))')


class BadQuery(Exception):
    """It is none."""


def parse(text: str) -> Holds:
    parser = _Parser(_tokens(text))
    holds = parser.either()
    if parser.tokens:
        raise BadQuery(text)
    return holds


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text.rstrip()):
        matched = _TOKEN.match(text, at)
        if matched is None:
            raise BadQuery(text[at:])
        found.append(matched[0].strip())
        at = matched.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def _take(self, wanted: str | None = None) -> str:
        if not self.tokens or (wanted is not None and self.tokens[0] != wanted):
            raise BadQuery(wanted or "more")
        return self.tokens.pop(0)

    def _next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def either(self) -> Holds:
        left = self.both()
        while self._next() == "or":
            self._take()
            left = _or(left, self.both())
        return left

    def both(self) -> Holds:
        left = self.one()
        while self._next() == "and":
            self._take()
            left = _and(left, self.one())
        return left

    def one(self) -> Holds:
        match self._take():
            case "true":
                return lambda _: True
            case "false":
                return lambda _: False
            case "not":
                inner = self.one()
                return lambda record: not inner(record)
            case "(":
                inside = self.either()
                self._take(")")
                return inside
            case "field":
                return self._field()
            case other:
                raise BadQuery(other)

    def _field(self) -> Holds:
        name = _unquoted(self._take())
        self._take("=")
        wanted = _unquoted(self._take())
        return lambda record: _written(record.get(name)) == wanted


def _or(left: Holds, right: Holds) -> Holds:
    return lambda record: left(record) or right(record)


def _and(left: Holds, right: Holds) -> Holds:
    return lambda record: left(record) and right(record)


def _unquoted(token: str) -> str:
    if not token.startswith('"'):
        raise BadQuery(token)
    return token[1:-1].replace('\\"', '"')


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
