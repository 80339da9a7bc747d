"""A server on the loopback address that answers each SOAP method as a test says, and keeps count.

It encrypts with the throw-away authority's certificate, unless a test gives it another.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from snapaudit.hypervisors.vsphere.client import Client
from snapaudit.model.endpoint import Account, Endpoint, Tls
from tests import canaries
from tests.beds import certificates
from tests.hypervisors.vsphere.soapwords import CONTENT, LOGIN, VIEW, response

_METHOD = re.compile(rb"<(?:\w+:)?Body>\s*<(\w+)")
Answer = bytes | tuple[int, bytes] | Callable[[Any], None]
COOKIE = f'vmware_soap_session="{canaries.SOAP_SESSION}"; Path=/; HttpOnly; Secure'


class SoapServer:
    """Answers a method with what is queued for it, the last of it for ever.

    ``called`` are the methods in order, ``bodies`` what was sent with each, ``connections`` how
    many were accepted and encrypted.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or certificates.for_loopback()
        self.called: list[str] = []
        self._clients: list[Client] = []
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.headers: list[dict[str, str]] = []
        self.answers: dict[str, list[Answer]] = {
            "RetrieveServiceContent": [CONTENT],
            "Login": [LOGIN],
            "Logout": [response("Logout")],
            "CreateContainerView": [VIEW],
            "DestroyView": [response("DestroyView")],
        }
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "servercert.pem", self.folder / "serverkey.pem")
        self._server.context = context
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for client in self._clients:
            client._session.stub.DropConnections()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def says(self, method: str, *answers: Answer) -> None:
        """Queue what a method is answered with."""
        self.answers[method] = list(answers)

    def next_answer(self, method: str) -> Answer:
        """What comes now."""
        left = self.answers[method]
        return left.pop(0) if len(left) > 1 else left[0]

    def endpoint(self, **words: Any) -> Endpoint:
        """An endpoint that trusts this server."""
        tls = words.pop("tls", Tls(ca_file=str(self.folder / "cacert.pem")))
        url = words.pop("url", f"https://127.0.0.1:{self.port}")
        return Endpoint(name="vc1", kind="vsphere", url=url, tls=tls, **words)

    def client(self, **words: Any) -> Client:
        """A reading session with this server."""
        made = Client(self.endpoint(**words), Account(username="auditor"), canaries.SOAP)
        self._clients.append(made)
        return made


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext

    def get_request(self) -> tuple[Any, Any]:
        sock, address = super().get_request()
        sock.settimeout(30)
        # The handshake is left to the thread of the connection.
        return (
            self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False),
            address,
        )

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is a part of the tests."""


def _handler(server: SoapServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_body = b""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server_body = body
            found = _METHOD.search(body)
            method = found[1].decode() if found else "?"
            server.called.append(method)
            server.bodies[method].append(body)
            server.headers.append(dict(self.headers.items()))
            answer = server.next_answer(method)
            if callable(answer):
                answer(self)
                return
            status, words = answer if isinstance(answer, tuple) else (200, answer)
            self.answer(500 if b":Fault>" in words else status, words)

        def answer(self, status: int, words: bytes, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(words)))
            self.send_header("Set-Cookie", COOKIE)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(words)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
