"""An HTTP proxy in between, named by the endpoint alone."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from typing import Any, Self

import pytest

from snapaudit.errors import Unreachable
from snapaudit.model.endpoint import Tls
from tests.beds.wsman.papers import Papers
from tests.beds.wsman.server import Host
from tests.hypervisors.hyperv.wires import collected, small

WITHIN = 10.0


class Tunnel:
    """A proxy that connects whoever asks with CONNECT, and nothing else; or refuses to."""

    def __init__(self, *, refuses: bool = False) -> None:
        self._refuses = refuses
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[str] = []
        self._threads = [threading.Thread(target=self._serve)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WITHIN)
        self._listener.close()

    def leads_to(self, name: str, port: str) -> int:
        """The port on the loopback address that stands for this host's."""
        return int(port)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._connect, args=(client,)))
            self._threads[-1].start()

    def _connect(self, client: socket.socket) -> None:
        with client:
            first = _head(client).decode("latin-1").split("\r\n")[0]
            self.asked.append(first)
            if self._refuses or not first.startswith("CONNECT "):
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            name, _, port = first.split()[1].rpartition(":")
            with socket.create_connection(
                ("127.0.0.1", self.leads_to(name, port)), WITHIN
            ) as upstream:
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                _pump(client, upstream)


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and (piece := client.recv(4096)):
        head += piece
    return head


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Both ways, until either side is done."""
    while True:
        for source in select.select([one, other], [], [], WITHIN)[0]:
            sink = other if source is one else one
            try:
                piece = source.recv(65536)
                sink.sendall(piece)
            except OSError:
                return
            if not piece:
                return


@pytest.fixture
def tunnel() -> Iterator[Tunnel]:
    with Tunnel() as one:
        yield one


@pytest.mark.parametrize("session", ["winrs", "powershell"])
def test_the_certificate_is_checked_through_a_proxy(
    host_papers: Papers, tunnel: Tunnel, session: str
) -> None:
    options: dict[str, Any] = {"proxy": tunnel.url, "session": session}
    with Host(small, tls=host_papers.context()) as host:
        tls = Tls(ca_file=str(host_papers.ca_file))
        assert len(collected(host, tls=tls, options=options).machines) == 2
        assert tunnel.asked
        assert all(line.startswith("CONNECT localhost:") for line in tunnel.asked)
        before = host.requests
        with pytest.raises(Unreachable, match="the host's certificate is refused"):
            collected(host, options=options)
        with pytest.raises(Unreachable, match="not the pinned one"):
            collected(host, tls=Tls(fingerprint="sha256:" + "cd" * 32), options=options)
        assert host.requests == before


def test_a_proxy_that_refuses_is_told(host_papers: Papers) -> None:
    with Tunnel(refuses=True) as refusing, Host(small, tls=host_papers.context()) as host:
        tls = Tls(ca_file=str(host_papers.ca_file))
        with pytest.raises(Unreachable, match="proxy"):
            collected(host, tls=tls, options={"proxy": refusing.url})
        assert host.requests == 0
