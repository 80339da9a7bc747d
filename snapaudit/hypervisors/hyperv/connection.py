"""The connection below both client libraries: our own trust, no detours, and an end in any case.

One deadline holds for all of a piece of work. A host that answers a byte at a time gets past every
timeout of the libraries, so when the deadline is over the sockets are shut from outside.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from snapaudit.trust import Trust

LARGEST_ANSWER = 2**23
"""Bytes of one HTTP answer; we ask for at most 500 KB, which base64 makes a third larger."""
CONNECTING = 15.0
"""Seconds for a connection to come about."""


class TooLarge(Exception):
    """An answer is larger than any that was asked for."""


class Deadline:
    """Seconds for a piece of work. Whoever is still reading when they are over is cut off."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._begin(seconds)

    def _begin(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    @property
    def left(self) -> float:
        """Seconds that are left, never fewer than none."""
        return max(0.0, self._until - time.monotonic())

    def renew(self, seconds: float) -> None:
        """So many from now on, for what has to be done in any case."""
        self._timer.cancel()
        self._begin(seconds)

    def watch(self, connected: Any) -> None:
        """Shut it when the time is over."""
        if isinstance(connected, socket.socket):
            with self._lock:
                self._sockets = [one for one in self._sockets if one.fileno() != -1]
                self._sockets.append(connected)

    def close(self) -> None:
        """The work is done. What the libraries left open is shut: they would keep it for long."""
        self._timer.cancel()
        self._cut()

    def _cut(self) -> None:
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):
                    # Not the method of an SSL socket, which would drop its encryption first.
                    socket.socket.shutdown(one, socket.SHUT_RDWR)


class Adapter(HTTPAdapter):
    """Carries the requests of one runner over one connection."""

    def __init__(self, trust: Trust | None, deadline: Deadline) -> None:
        self._trust, self._deadline = trust, deadline
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        """Connections as our trust wants them, each watched."""
        super().init_poolmanager(connections, maxsize, block, **kwargs, **self._demands())
        self.poolmanager.pool_classes_by_scheme = _pools(self._deadline)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs, **self._demands())
        manager.pool_classes_by_scheme = _pools(self._deadline)
        return manager

    def _demands(self) -> dict[str, Any]:
        if self._trust is None:
            return {}
        pinned = {"assert_fingerprint": self._trust.pin.hex()} if self._trust.pin else {}
        return {"ssl_context": self._trust.context, **pinned}

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Nothing of what a session says about certificates: the context has it all."""
        return super().build_connection_pool_key_attributes(request, verify, cert)[0], {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context has it all."""

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """One request, sent once, with an answer of bounded size."""
        response = super().send(*args, **kwargs)
        response.raw.stream = _Bounded(response.raw.stream)
        return response


class _Bounded:
    """Hands an answer on, and gives up where it gets too large."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __call__(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        seen = 0
        for piece in self._stream(*args, **kwargs):
            seen += len(piece)
            if seen > LARGEST_ANSWER:
                raise TooLarge
            yield piece


def _pools(deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            deadline.watch(self.sock)

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            deadline.watch(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


def harden(session: requests.Session, trust: Trust | None, deadline: Deadline) -> requests.Session:
    """The session with our connections: no redirects, and nothing taken from the environment."""
    session.trust_env = False
    session.max_redirects = 0
    session.headers["Accept-Encoding"] = "identity"
    if not isinstance(session.get_adapter("https://"), Adapter):
        session.mount("https://", Adapter(trust, deadline))
        session.mount("http://", Adapter(None, deadline))
    return session
