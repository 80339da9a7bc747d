from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.line import Line
from tests.beds.processes import wait_until
from tests.beds.proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that answers each client with what it said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_serve, args=(listener,), daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(client,), daemon=True).start()


def _answer(client: socket.socket) -> None:
    with client:
        try:
            while piece := client.recv(65536):
                client.sendall(piece)
        except OSError:
            return


def connect(proxy: Proxy) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def receive(client: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length and (piece := client.recv(length - len(found))):
        found += piece
    return found


def round_trip(client: socket.socket, words: bytes = b"ping") -> float:
    began = time.monotonic()
    client.sendall(words)
    assert receive(client, len(words)) == words
    return time.monotonic() - began


def test_each_way_takes_the_delay(echo: int) -> None:
    with Proxy(echo, Line(delay=0.004)) as proxy, connect(proxy) as client:
        trips = [round_trip(client) for _ in range(30)]
    assert 0.008 <= min(trips) < 0.012


def test_what_is_sent_meanwhile_does_not_wait_for_its_turn(echo: int) -> None:
    with Proxy(echo, Line(delay=0.1)) as proxy, connect(proxy) as client:
        began = time.monotonic()
        for number in range(10):
            client.sendall(bytes([number]))
            time.sleep(0.005)
        assert receive(client, 10) == bytes(range(10))
        assert 0.2 <= time.monotonic() - began < 0.5


def test_end_of_the_client_comes_after_its_last_words(echo: int) -> None:
    with Proxy(echo, Line(delay=0.02)) as proxy, connect(proxy) as client:
        client.sendall(b"last words")
        assert receive(client, 10) == b"last words"


def test_line_may_fall_silent_in_the_middle_of_an_answer(echo: int) -> None:
    with Proxy(echo, Line(silent_after=6)) as proxy, connect(proxy) as client:
        client.settimeout(0.2)
        client.sendall(b"0123456789")
        assert receive(client, 6) == b"012345"
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_line_may_fall_silent_while_a_connection_is_open(echo: int) -> None:
    with Proxy(echo) as proxy, connect(proxy) as client:
        round_trip(client)
        proxy.line = Line(silent_after=0)
        client.settimeout(0.2)
        client.sendall(b"ping")
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_line_is_reset_after_so_many_bytes(echo: int) -> None:
    with Proxy(echo, Line(reset_after=4)) as proxy, connect(proxy) as client:
        client.sendall(b"0123456789")
        with pytest.raises(ConnectionResetError):
            assert receive(client, 10) == b""


def test_line_whose_answers_end_still_carries_what_the_client_says(echo: int) -> None:
    with Proxy(echo, Line(ends_after=4)) as proxy, connect(proxy) as client:
        client.sendall(b"0123456789")
        assert receive(client, 10) == b"0123"
        client.sendall(b"more")
        wait_until(lambda: proxy.answered == [14], 5, "it is answered all the same")


def test_line_may_close_at_the_first_word(echo: int) -> None:
    with Proxy(echo, Line(hangs_up=True)) as proxy, connect(proxy) as client:
        client.sendall(b"ping")
        assert client.recv(1) == b""
        assert proxy.answered == [0]


def test_struck_connections_stay_as_they_are_and_later_ones_are_fine(echo: int) -> None:
    with Proxy(echo) as proxy, connect(proxy) as client:
        round_trip(client)
        proxy.strike(Line(reset_after=0))
        client.sendall(b"ping")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        with connect(proxy) as other:
            round_trip(other)


def test_line_that_refuses_is_not_listened_to(echo: int, tmp_path: Path) -> None:
    with Proxy(echo, Line(refuses=True)) as proxy, pytest.raises(ConnectionRefusedError):
        connect(proxy)


def test_server_that_is_not_there_closes_the_connection() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with Proxy(nobody.getsockname()[1]) as proxy, connect(proxy) as client:
            assert client.recv(1) == b""


def test_throttled_line_carries_so_many_bytes_in_a_second(echo: int) -> None:
    line = Line(bytes_per_second=1_000_000)
    with Proxy(echo, line) as proxy, connect(proxy) as client:
        assert 0.2 <= round_trip(client, bytes(100_000)) < 0.6


def test_proxy_listens_at_a_path_too_and_removes_it(echo: int, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with Proxy(echo, at=path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"ping")
        assert receive(client, 4) == b"ping"
    assert not path.exists()


def test_proxy_that_ends_closes_what_is_open(echo: int) -> None:
    with Proxy(echo) as proxy:
        client = connect(proxy)
        round_trip(client)
    with client:
        assert client.recv(1) == b""


def test_bytes_that_are_no_calls_are_forwarded_and_counted_as_strange(echo: int) -> None:
    with Proxy(echo) as proxy, connect(proxy) as client:
        round_trip(client, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        wait_until(lambda: proxy.counts.strange_streams == 1, 5, "the stream is seen")
        assert proxy.counts.total == 0
