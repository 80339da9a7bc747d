"""The web side: a small server that a storm of scrapes cannot overrun.

TLS and passwords are the matter of a reverse proxy in front.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from snapaudit.errors import SnapauditError
from snapaudit.serve.exposition import Exposition
from snapaudit.serve.shelf import Shelf, Standing

_AT_ONCE, _WAITING = 32, 128
_PATIENCE = 5.0  # seconds for one who connects and then says nothing
_PLAIN = "text/plain; charset=utf-8"
_PAGE = "snapaudit exporter: /metrics, /healthz (it runs), /readyz (what it serves is fresh)\n"


class Exporter(HTTPServer):
    """Serves a shelf: a few at once, some more waiting, and beyond that it hangs up."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, shelf: Shelf) -> None:
        self.shelf, self.exposition = shelf, Exposition(shelf)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="scrape")
        self._places = threading.Semaphore(_AT_ONCE + _WAITING)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self.address_family = found[0][0]
            super().__init__((host, port), _Answer)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SnapauditError(f"cannot listen on {host}:{port}: {reason}") from error

    @property
    def url(self) -> str:
        """Where the metrics are; with the port that the system chose, where 0 was asked for."""
        host, port = self.server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{shown}:{port}/metrics"

    def server_bind(self) -> None:
        """Bind, without asking the name service who we are, which can take a minute."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a connection to a thread; hang up where too many wait already."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._threads.submit(self._answer, request, client_address)

    def _answer(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:  # who asked has gone; there is nobody to tell
            return
        finally:
            self.shutdown_request(request)
            self._places.release()

    def server_close(self) -> None:
        """Stop listening; answers under way are not waited for."""
        super().server_close()
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Answer(BaseHTTPRequestHandler):
    """One request. A connection for each, so that nobody holds a place between two scrapes."""

    server: Exporter
    server_version = "snapaudit"
    sys_version = ""
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """The page that was asked for."""
        path = self.path.split("?", 1)[0]
        page = _PAGES.get(path)
        if page is None:
            self._send(404, f"not found; there are {', '.join(_PAGES)}\n".encode(), _PLAIN)
        else:
            self._send(*page(self))

    def do_HEAD(self) -> None:
        """The same without the page itself."""
        self.do_GET()

    def metrics(self) -> tuple[int, bytes, str]:
        """What the shelf holds."""
        body, kind = self.server.exposition.body(self.headers.get("Accept", ""))
        return 200, body, kind

    def ready(self) -> tuple[int, bytes, str]:
        """Whether what is served is fresh, and why not."""
        now = self.server.shelf.standing()
        return 503 if now.is_stale else 200, f"{_readiness(now)}\n".encode(), _PLAIN

    def _send(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: scrapes come every few seconds."""


_PAGES: dict[str, Callable[[_Answer], tuple[int, bytes, str]]] = {
    "/": lambda _: (200, _PAGE.encode(), _PLAIN),
    "/metrics": _Answer.metrics,
    "/healthz": lambda _: (200, b"running\n", _PLAIN),
    "/readyz": _Answer.ready,
}


def _readiness(now: Standing) -> str:
    trouble = f"; the last attempt failed: {now.trouble}" if now.trouble else ""
    if now.age is None:
        return f"no collection has finished yet{trouble}"
    state = "stale" if now.is_stale else "fresh"
    return f"{state}: the last collection finished {now.age:.0f} seconds ago{trouble}"
