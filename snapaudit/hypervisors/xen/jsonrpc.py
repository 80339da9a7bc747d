"""JSON-RPC: large answers, record by record, so that no answer is ever held as a whole.

XAPI serves it at ``/jsonrpc`` beside XML-RPC, for the same sessions.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from snapaudit.hypervisors.xen.address import Address
from snapaudit.hypervisors.xen.transport import MOST_BYTES, PIECE, TooMuch
from snapaudit.trust import Connection, Trust

PATH = "/jsonrpc"
_MOST_CHARACTERS = 64 * 2**20
_SPACE = " \t\r\n"
_OK = 200


class NoJson(Exception):
    """The server does not speak JSON-RPC here: ask in XML."""


class Failed(Exception):
    """The error that stands in the place of a result: its code, and texts about it."""

    def __init__(self, details: Sequence[object]) -> None:
        self.details = tuple(details)
        super().__init__(*self.details)


class JsonLine:
    """One connection that is kept for the next question. A question is sent once."""

    def __init__(self, address: Address, trust: Trust, seconds: float) -> None:
        self._address, self._trust, self._seconds = address, trust, seconds
        self._connection: Connection | None = None

    def rows(self, method: str, params: Sequence[object]) -> Iterator[tuple[str, Any]]:
        """The members of a result that is an object. Raises Failed, NoJson, and the network's own.

        When the caller stops early, or anything goes wrong, the connection is given up.
        """
        question = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": 1}
        connection, self._connection = self._connection or self._made(), None
        is_whole = False
        try:
            head = {"Content-Type": "application/json"}
            connection.request("POST", PATH, json.dumps(question), head)
            answer = connection.getresponse()
            if answer.status != _OK:
                raise NoJson(f"HTTP {answer.status} {answer.reason}")
            yield from result(lambda: answer.read(PIECE))
            is_whole = not answer.read(1)
        finally:
            if is_whole:
                self._connection = connection
            else:
                connection.close()

    def _made(self) -> Connection:
        return Connection(
            self._address.host, self._address.port, trust=self._trust, seconds=self._seconds
        )

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def result(read: Callable[[], bytes]) -> Iterator[tuple[str, Any]]:
    """The members of ``result`` in a response, as they come in."""
    text = _Text(read)
    if text.next() != "{":
        raise NoJson("the answer is no JSON object")
    text.take("{")
    has_result = False
    while True:
        key = text.key()
        if key == "result" and text.next() == "{":
            has_result = True
            yield from _members(text)
        elif (value := text.value()) is not None and key == "error":
            raise Failed(_details(value))
        if not text.goes_on():
            break
    if not has_result:
        raise ValueError("the answer has no result")


def _members(text: _Text) -> Iterator[tuple[str, Any]]:
    text.take("{")
    if text.next() == "}":
        text.take("}")
        return
    while True:
        key = text.key()
        yield key, text.value()
        if not text.goes_on():
            return


def _details(error: Any) -> Sequence[object]:
    """Version 2.0 has an object with message and data, version 1.0 the list itself."""
    match error:
        case {"message": str(code), "data": [*texts]}:
            return (code, *texts)
        case {"message": str(code)}:
            return (code,)
        case [code, *texts]:
            return (code, *texts)
        case _:
            return ("INTERNAL_ERROR", str(error))


class _Text:
    """Characters that come in pieces, of which values are taken from the front."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read, self._total = read, 0
        self._text, self._at, self._is_over = "", 0, False
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._scan = json.JSONDecoder(strict=False).raw_decode

    def _fill(self) -> bool:
        """Fetch more; whether there was any."""
        if self._is_over:
            return False
        piece = self._read()
        self._total += len(piece)
        if self._total > MOST_BYTES or len(self._text) - self._at > _MOST_CHARACTERS:
            raise TooMuch(f"more than {MOST_BYTES:,} bytes, or a record without an end")
        self._is_over = not piece
        self._text = self._text[self._at :] + self._decode(piece, final=self._is_over)
        self._at = 0
        return True

    def next(self) -> str:
        """The next character that is no space, without taking it; empty at the end."""
        while True:
            mark = self._text[self._at : self._at + 1]
            if mark and mark not in _SPACE:
                return mark
            if mark:
                self._at += 1
            elif not self._fill():
                return ""

    def take(self, wanted: str) -> None:
        """Take this character. Raises ValueError when another one stands there."""
        if self.next() != wanted or not wanted:
            raise ValueError(f"expected {wanted!r}")
        self._at += 1

    def key(self) -> str:
        """Take the name of a member, with the colon after it."""
        if self.next() != '"':
            raise ValueError("expected a name")
        name = str(self.value())
        self.take(":")
        return name

    def goes_on(self) -> bool:
        """Take the comma after a member, or the brace after the last; whether it was a comma."""
        mark = self.next()
        self.take(mark if mark == "," else "}")
        return mark == ","

    def value(self) -> Any:
        """Take one whole value. Raises ValueError when there is none, or only a part of one."""
        self.next()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except json.JSONDecodeError:
                if not self._fill():
                    raise
                continue
            # A number that ends where the text ends may go on in the next piece.
            if end < len(self._text) or not self._fill():
                self._at = end
                return value
