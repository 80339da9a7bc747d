"""The connections of a line: each ends the encryption of a client and begins its own upstream."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Protocol

from tests.beds import certificates
from tests.beds.simulator import Simulator
from tests.beds.soapcalls import SoapCall, soap_call, soap_fault
from tests.beds.soaptrouble import Deed, SoapTrouble

_WITHIN = 60.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset


class Watch(Protocol):
    """Who counts the calls and says what is to happen to them."""

    def arrived(self, call: SoapCall) -> SoapTrouble | None: ...

    def passed(self, call: SoapCall) -> threading.Event: ...

    def answered(self, call: SoapCall) -> None: ...


class Ends(ThreadingHTTPServer):
    """Listens on loopback; ``upstream`` is the simulator that the calls go to."""

    daemon_threads = True

    def __init__(self, watch: Watch, upstream: Simulator) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.watch, self.upstream = watch, upstream
        folder = certificates.for_loopback()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "servercert.pem", folder / "serverkey.pem")
        self.open: set[socket.socket] = set()

    def server_bind(self) -> None:
        """Without asking for this machine's name, which may take long."""
        TCPServer.server_bind(self)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Runs in the connection's own thread, so a slow handshake keeps nobody else waiting."""
        try:
            with self.context.wrap_socket(request, server_side=True) as wrapped:
                self.open.add(wrapped)
                super().finish_request(wrapped, client_address)
        except OSError:
            return  # the client went away, or does not trust us
        finally:
            self.open = {one for one in self.open if one.fileno() >= 0}

    def end(self) -> None:
        """Close what is open; the threads end by that."""
        self.server_close()
        for one in list(self.open):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Ends

    def setup(self) -> None:
        super().setup()
        simulator = self.server.upstream
        context = ssl.create_default_context(cafile=simulator.ca_file)
        self._upstream = http.client.HTTPSConnection(
            "127.0.0.1", simulator.port, timeout=_WITHIN, context=context
        )

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = dict(self.headers.items())
        call = soap_call(self.command, self.path, body)
        trouble = self.server.watch.arrived(call)
        match trouble.deed if trouble else None:
            case Deed.KEEP:
                self._break()
            case Deed.FAULT if trouble:
                self._send(500, [("Content-Type", "text/xml")], soap_fault(trouble.fault))
            case Deed.STATUS if trouble:
                self._send(trouble.status, [("Content-Type", "text/plain")], b"not now\n")
            case _:
                self._carry(call, headers, trouble)

    do_GET = do_DELETE = do_PATCH = do_PUT = do_POST

    def _carry(self, call: SoapCall, headers: dict[str, str], trouble: SoapTrouble | None) -> None:
        released = self.server.watch.passed(call)
        self._upstream.request(self.command, self.path, call.body, headers)
        answer = self._upstream.getresponse()
        body = answer.read()
        match trouble.deed if trouble else None:
            case Deed.LOSE:
                self._break()
            case Deed.RESET:
                self._reset(answer.status, body)
            case Deed.HANG:
                released.wait(_WITHIN)
                self._break()
            case _:
                if trouble:
                    released.wait(trouble.seconds)
                self._send(answer.status, answer.getheaders(), body)
                self.server.watch.answered(call)

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _break(self) -> None:
        self.close_connection = True

    def _reset(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close_connection = True

    def log_message(self, format: str, *words: Any) -> None:  # noqa: A002
        """Nothing is written: the counts tell."""
