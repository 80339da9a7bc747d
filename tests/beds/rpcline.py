"""A line to a libvirtd that ends the encryption, so that calls can be counted by their names.

A client takes it for a daemon that listens for TLS. The daemon is reached by plain TCP. Source of
the one byte after the handshake: libvirt's src/rpc/virnettlscontext.c and virnetserverclient.c.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from select import select
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Any, Self

from tests.beds.rpc import RpcCounts, RpcReader, whole

_CERTIFICATE_IS_FINE = b"\x01"
_WITHIN = 10.0
_PIECE = 65536


class RpcLine:
    """Carries calls from ``with RpcLine(port, certificates) as line`` to the block's end.

    ``certificates`` is a folder with a server's. ``before`` is called with what has been counted,
    right before the daemon gets what was counted last.
    """

    def __init__(self, upstream: int, certificates: Path) -> None:
        self.upstream, self.counts = upstream, RpcCounts()
        self.before: Callable[[RpcCounts], object] = lambda _: None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # libvirt 9 takes a ticket that comes before that byte for a broken line.
        self.context.num_tickets = 0
        self.context.load_cert_chain(
            certificates / "servercert.pem", certificates / "serverkey.pem"
        )
        self._server = _Server(self)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join(_WITHIN)
        self._server.server_close()


class _Server(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, line: RpcLine) -> None:
        self.line = line
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or does not trust us, is no news."""


class _Connection(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        line = self.server.line
        with (
            line.context.wrap_socket(self.request, server_side=True) as client,
            socket.create_connection(("127.0.0.1", line.upstream)) as daemon,
            suppress(OSError),
        ):
            client.sendall(_CERTIFICATE_IS_FINE)
            _carry(client, daemon, line)


def _carry(client: ssl.SSLSocket, daemon: socket.socket, line: RpcLine) -> None:
    """Carry both ways until one side ends. One thread: two must not use one encryption at once."""
    reader, pending = RpcReader(line.counts), bytearray()
    while True:
        readable = [client] if client.pending() else select([client, daemon], [], [])[0]
        if client in readable:
            if not (piece := client.recv(_PIECE)):
                return
            reader.feed(piece)
            line.before(line.counts)
            daemon.sendall(piece)
        if daemon in readable:
            if not (piece := daemon.recv(_PIECE)):
                return
            pending += piece
            # A daemon gives each message a record of the encryption, and with two in one libvirt's
            # client may wait for the second although it has it: virnetclient.c asks whether the
            # socket is readable, and not the encryption.
            for message in whole(pending):
                client.sendall(message)
