"""XML-RPC over our own connections: one request is sent once, and its answer has bounds.

The standard library's transport sends a request again when a kept connection breaks, which nobody
may do for a call that changes something.
"""

from __future__ import annotations

import http.client
import xmlrpc.client
from typing import Any

from snapaudit.hypervisors.xen.address import Address
from snapaudit.trust import Connection, Trust

MOST_BYTES = 2**30
PIECE = 256 * 1024
_TYPE_DECLARED = b"<!DOCTYPE"


class TooMuch(http.client.HTTPException):
    """An answer larger than any pool's."""


class Transport(xmlrpc.client.Transport):
    """The transport that XenAPI's session is given."""

    def __init__(self, address: Address, trust: Trust, seconds: float) -> None:
        super().__init__()
        self._address, self._trust, self._seconds = address, trust, seconds

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """The kept connection, or a new one that is checked when it connects."""
        if self._connection and self._connection[1] is not None and host == self._connection[0]:
            return self._connection[1]
        made = Connection(
            self._address.host, self._address.port, trust=self._trust, seconds=self._seconds
        )
        self._connection = host, made
        return made

    def request(self, host: Any, handler: str, request_body: Any, verbose: bool = False) -> Any:
        """The answer to one request, which is sent once."""
        return self.single_request(host, handler, request_body, verbose)

    def parse_response(self, response: Any) -> Any:
        """What the answer holds. A document that declares a type is refused."""
        parser, target = self.getparser()
        read, tail = 0, b""
        while piece := response.read(PIECE):
            read += len(piece)
            if read > MOST_BYTES:
                raise TooMuch(f"more than {MOST_BYTES:,} bytes")
            if _TYPE_DECLARED in tail + piece:
                raise ValueError("the answer declares a document type")
            tail = piece[-len(_TYPE_DECLARED) :]
            parser.feed(piece)
        parser.close()
        return target.close()
