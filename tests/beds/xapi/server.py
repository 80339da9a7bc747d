"""Serves a world over HTTPS on the loopback, counts what is asked, and fails as it is told to."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.beds import certificates
from tests.beds.xapi import wire
from tests.beds.xapi.deeds import Fault
from tests.beds.xapi.office import Office
from tests.beds.xapi.world import World

JSON, XML = "/jsonrpc", "/RPC2"


@dataclass
class Trouble:
    """What goes wrong. Sets hold methods.

    ``silent``: no answer until the server ends. ``cut``: the connection breaks in mid-answer.
    ``unanswered``: carried out, and the connection breaks before the answer. ``unheard``: it breaks
    before the call is carried out.
    """

    no_json: bool = False
    garbage: bool = False
    silent: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    unheard: set[str] = field(default_factory=set)


class XapiBed:
    """A coordinator. ``folder`` gets its certificates, unless it has some."""

    def __init__(self, folder: Path, world: World | None = None) -> None:
        self.folder = folder
        if not (folder / "cacert.pem").exists():
            certificates.authority(folder)
            certificates.server(folder, "localhost")
        self.office = Office(world or World())
        self.trouble = Trouble()
        self.counts: Counter[str] = Counter()
        self.asked: list[str] = []
        self.spoken: Counter[str] = Counter()
        self.canned: dict[tuple[str, str], bytes] = {}
        self.lock, self.over = threading.Lock(), threading.Event()
        self._server = _Server(self)

    @property
    def world(self) -> World:
        return self.office.world

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "cacert.pem"

    @property
    def certificate(self) -> bytes:
        """The server's certificate, as DER."""
        return ssl.PEM_cert_to_DER_cert((self.folder / "servercert.pem").read_text())

    def __enter__(self) -> XapiBed:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32

    def __init__(self, bed: XapiBed) -> None:
        self.bed = bed
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(bed.folder / "servercert.pem", bed.folder / "serverkey.pem")
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake in the thread of the connection, so that nobody else waits for it."""
        with suppress(OSError), self.context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        bed = self.server.bed
        if bed.trouble.garbage:
            return self._answer(b"<html>busy</html>", "text/html")
        if self.path == JSON and bed.trouble.no_json:
            return self._answer(b"", "text/plain", status=404)
        if self.path == JSON:
            method, params, request = wire.from_json(body)
        else:
            (method, params), request = wire.from_xml(body), {}
        bed.counts[method] += 1
        bed.asked.append(method)
        bed.spoken[self.path] += 1
        trouble = bed.trouble
        if method in trouble.silent:
            bed.over.wait(60)
        if method in trouble.silent | trouble.unheard:
            return self._hang_up()
        answer = bed.canned.get((self.path, method)) or self._answered(method, params, request)
        if method in trouble.unanswered:
            return self._hang_up()
        return self._answer(answer, "text/plain", cut=method in trouble.cut)

    def _answered(self, method: str, params: list[Any], request: dict[str, Any]) -> bytes:
        bed, is_json = self.server.bed, self.path == JSON
        with bed.lock:
            try:
                value = bed.office.call(method, params)
                return wire.as_json(value, request) if is_json else wire.xml(value)
            except Fault as fault:
                if is_json:
                    return wire.json_fault(fault.details, request)
                return wire.xml_fault(fault.details)

    def _answer(self, body: bytes, kind: str, *, status: int = 200, cut: bool = False) -> None:
        """Head and body in one write: two would wait for each other's acknowledgement."""
        head = (
            f"HTTP/1.1 {status} told\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.wfile.write(head.encode() + (body[: len(body) // 2] if cut else body))
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
