"""Bulk requests over the stub's connections and session, answers read while they arrive.

One request may be sent ahead: the server then works on the next answer while this one is read.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, Protocol

from snapaudit.hypervisors.vsphere.faults import NETWORK
from snapaudit.hypervisors.vsphere.soap.fault import Cut, Malformed
from snapaudit.hypervisors.vsphere.stub import Stub

_CHUNK = 2**17
_FAULT = 500
_GZIP = zlib.MAX_WBITS + 16


@dataclass(frozen=True, slots=True)
class Request:
    """A method that only reads, with the body of its call."""

    method: str
    body: bytes


class Reader(Protocol):
    """What reads an answer while it arrives."""

    def feed(self, data: bytes) -> None:
        """The next piece."""
        ...

    def close(self) -> None:
        """The end. Raises Malformed if the answer was cut, SoapFault if it was a fault."""
        ...


class Exchange:
    """Asks one thing after the other. What was sent ahead has to be asked next, or is lost."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._ahead: tuple[Request, Any] | None = None

    @property
    def is_ahead(self) -> bool:
        """Whether something was sent that has not been asked yet."""
        return self._ahead is not None

    def send_ahead(self, request: Request) -> None:
        """Send what will be asked next; never raises.

        It is sent once: a page can be asked for only once, so a failure is kept until it is asked.
        """
        try:
            self._ahead = request, self._sent(request)
        except NETWORK as error:
            self._ahead = request, error

    def ask(self, request: Request, reader: Reader) -> Iterator[None]:
        """Send it, unless that is done, and feed its answer to a reader, pausing in between.

        Raises SoapFault, Malformed, or what the connection raises. A connection that was not read
        to its end is closed: what is left on it answers nothing else.
        """
        connection = self._connection(request)
        is_whole = False
        try:
            for piece in _answer(connection, self._stub.seconds):
                reader.feed(piece)
                yield
            is_whole = True
            reader.close()
        finally:
            (self._stub.ReturnConnection if is_whole else _close)(connection)

    def _connection(self, request: Request) -> Any:
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return self._sent(request)
        sent, connection = ahead
        if isinstance(connection, Exception):
            raise connection
        if sent != request:
            connection.close()
            return self._sent(request)
        return connection

    def drop(self) -> None:
        """Let go what was sent ahead."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and not isinstance(ahead[1], Exception):
            ahead[1].close()

    def _sent(self, request: Request) -> Any:
        stub = self._stub
        stub.permit(request.method)
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": stub.versionId,
            "Cookie": stub.cookie,
            "Accept-Encoding": "gzip",
        }
        connection = stub.GetConnection()
        try:
            connection.request("POST", stub.path, request.body, headers)
        except NETWORK:
            connection.close()
            raise
        return connection


def _close(connection: Any) -> None:
    connection.close()


def _answer(connection: Any, seconds: float) -> Iterator[bytes]:
    until = time.monotonic() + seconds
    response = connection.getresponse()
    if response.status not in (200, _FAULT):
        raise Malformed(f"HTTP {response.status} {response.reason} instead of an answer")
    for piece in _unpacked(response):
        if time.monotonic() > until:
            raise TimeoutError
        yield piece


def _unpacked(response: HTTPResponse) -> Iterator[bytes]:
    """The body in pieces of bounded size, also when a few packed bytes unfold to many."""
    if response.getheader("Content-Encoding", "").lower() != "gzip":
        while piece := response.read(_CHUNK):
            yield piece
        return
    unpacker = zlib.decompressobj(_GZIP)
    try:
        while packed := response.read(_CHUNK):
            while packed:
                yield unpacker.decompress(packed, _CHUNK)
                packed = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise Malformed("the answer is packed and cannot be unpacked") from error
    if not unpacker.eof:
        raise Cut
