"""The host itself: an HTTP server on the loopback address that speaks WS-Man.

``with Host(respond) as host`` and then ``host.url``. Header and body leave in one piece and Nagle's
algorithm is off, else each request costs 40 milliseconds.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.beds.wsman import envelopes
from tests.beds.wsman.accounts import ACCOUNTS, KEEPER
from tests.beds.wsman.faults import SHELL_GONE, TIMED_OUT, Faults
from tests.beds.wsman.powershell import Respond
from tests.beds.wsman.security import Login
from tests.beds.wsman.sessions import RESOURCE, Gone, Sessions
from tests.beds.wsman.shells import Refused, Run, Shells

_WITHIN = 10.0
_DRIP = 0.02


class Host:
    """One Windows host. ``tls`` is the context of its certificate; without it it listens on http.

    ``messages`` counts actions, ``received`` and ``sent`` are bytes of HTTP bodies. ``overheard``
    is called with every Authorization header.
    """

    def __init__(
        self,
        respond: Respond,
        *,
        faults: Faults | None = None,
        tls: ssl.SSLContext | None = None,
        offers: str = "Negotiate",
    ) -> None:
        self.faults = faults or Faults()
        self.shells = Shells(respond, self.faults)
        self.sessions = Sessions(self.shells.said)
        self.tls, self.offers = tls, offers
        self.messages: Counter[str] = Counter()
        self.requests = self.connections = self.received = self.sent = 0
        self.overheard: Callable[[str], object] = lambda _: None
        self.ends = threading.Event()
        self._open: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.host = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, by name on https since certificates are for names."""
        if self.tls is None:
            return f"http://127.0.0.1:{self.port}"
        return f"https://localhost:{self.port}"

    @property
    def runs(self) -> list[Run]:
        """The scripts that ran so far."""
        return self.shells.runs

    @property
    def left_open(self) -> int:
        """Shells and sessions that nobody deleted."""
        return len(self.shells.open) + len(self.sessions.open)

    @property
    def open_connections(self) -> int:
        """Connections that neither side has closed."""
        return len(self._open)

    def __enter__(self) -> Self:
        KEEPER.take()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.ends.set()
        self._server.shutdown()
        for connected in list(self._open):
            _shut(connected)
        self._server.server_close()
        self._thread.join(_WITHIN)
        KEEPER.leave()

    def came(self, connected: socket.socket) -> None:
        """A connection was made."""
        self.connections += 1
        self._open.add(connected)

    def went(self, connected: socket.socket) -> None:
        """A connection is over."""
        self._open.discard(connected)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    host: Host

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or does not trust us, is no news."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        self._host = self.server.host
        if self._host.tls is not None:
            self.request = self._host.tls.wrap_socket(self.request, server_side=True)
        self._host.came(self.request)
        self._login = Login(ACCOUNTS, is_tls=self._host.tls is not None, offers=self._host.offers)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self._host.went(self.request)
        _shut(self.request)

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests count for themselves."""

    def do_POST(self) -> None:
        host = self._host
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host.requests += 1
        host.received += len(data)
        if host.faults.redirect is not None:
            self._say(307, b"", headers=[("Location", host.faults.redirect)])
            return
        reply = self._logged_in()
        extra = [("WWW-Authenticate", reply)] if reply else []
        if not self._login.is_in:
            offers = [("WWW-Authenticate", one) for one in self._login.challenge]
            self._say(401, b"", headers=extra or offers)
            return
        kind = self.headers.get("Content-Type", "")
        try:
            plain = self._login.opened(data, kind)
            message = envelopes.read(plain) if plain else None
        except ValueError:
            self._say(400, b"")
            return
        if message is None:
            self._say(200, b"", headers=extra)
        else:
            self._answer(message, kind)

    def _logged_in(self) -> str | None:
        header = self.headers.get("Authorization")
        if header is None:
            return None
        self._host.overheard(header)
        shown = self.request.getpeercert() if self._host.tls is not None else None
        return self._login.step(header, has_certificate=bool(shown))

    def _answer(self, message: envelopes.Message, kind: str) -> None:
        faults, action = self._host.faults, message.action
        self._host.messages[action] += 1
        if action in faults.hang:
            self._host.ends.wait()
            self.close_connection = True
            return
        if action in faults.statuses:
            self._say(faults.statuses[action], b"")
            return
        if action in faults.garbage:
            self._say(200, faults.garbage[action], kind="application/soap+xml;charset=UTF-8")
            return
        status, body = self._answered(message)
        if action in faults.drop:
            self.close_connection = True
            return
        sealed, as_kind = self._login.closed(body, kind)
        self._say(status, sealed, kind=as_kind, is_slow=action in faults.drip)

    def _answered(self, message: envelopes.Message) -> tuple[int, bytes]:
        refusal = self._host.faults.refusals.get(message.action)
        try:
            if refusal is not None:
                raise Refused(refusal, "Access is denied." if refusal == 5 else "It is refused.")
            return 200, envelopes.answer(message, self._taken(message))
        except Refused as error:
            return 500, envelopes.fault(message, error.code, error.reason)

    def _taken(self, message: envelopes.Message) -> str:
        if not message.resource.startswith(RESOURCE):
            return self._host.shells.take(message)
        try:
            return self._host.sessions.take(message)
        except Gone:
            raise Refused(SHELL_GONE, "the session is not there") from None
        except TimeoutError:
            raise Refused(TIMED_OUT, "there is nothing yet") from None

    def _say(
        self,
        status: int,
        body: bytes,
        *,
        kind: str | None = None,
        headers: list[tuple[str, str]] | None = None,
        is_slow: bool = False,
    ) -> None:
        self._host.sent += len(body)
        fields = [("Server", "Microsoft-HTTPAPI/2.0"), ("Content-Length", str(len(body)))]
        fields += [("Content-Type", kind)] if kind else []
        lines = [f"HTTP/1.1 {status} Said", *(f"{k}: {v}" for k, v in (*fields, *(headers or [])))]
        whole = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        for piece in (bytes([one]) for one in whole) if is_slow else (whole,):
            self.wfile.write(piece)
            if is_slow and self._host.ends.wait(_DRIP):
                return


def _shut(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    connected.close()
