"""Bulk requests over the stub's own connection and session, answers read while they arrive."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any, Protocol

from snapaudit.hypervisors.vsphere.soap.fault import Cut, Malformed
from snapaudit.hypervisors.vsphere.stub import Stub

_CHUNK = 2**17
_FAULT = 500


class Reader(Protocol):
    """What reads an answer while it arrives."""

    def feed(self, data: bytes) -> None:
        """The next piece."""
        ...

    def close(self) -> None:
        """The end. Raises Malformed if the answer was cut, SoapFault if it was a fault."""
        ...


_GZIP = zlib.MAX_WBITS + 16


def feeding(stub: Stub, method: str, body: bytes, reader: Reader) -> Iterator[None]:
    """Send a request once and feed its answer to a reader, pausing after each piece.

    Raises SoapFault, Malformed, or what the connection raises.
    A connection that was not read to its end is closed: what is left on it answers nothing else.
    """
    stub.permit(method)
    connection = stub.GetConnection()
    is_whole = False
    try:
        for piece in _answer(stub, connection, body):
            reader.feed(piece)
            yield
        is_whole = True
        reader.close()
    finally:
        (stub.ReturnConnection if is_whole else _close)(connection)


def _close(connection: Any) -> None:
    connection.close()


def _answer(stub: Stub, connection: Any, body: bytes) -> Iterator[bytes]:
    until = time.monotonic() + stub.seconds
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": stub.versionId,
        "Cookie": stub.cookie,
        "Accept-Encoding": "gzip",
    }
    connection.request("POST", stub.path, body, headers)
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
