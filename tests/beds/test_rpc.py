from __future__ import annotations

import struct

import pytest

from tests.beds.libvirtd import LibvirtBed
from tests.beds.line import Line
from tests.beds.proxy import Proxy
from tests.beds.rpc import REMOTE_PROGRAM, RpcCounts, RpcReader, whole

OPEN, CLOSE, GET_VERSION, GET_HOSTNAME = 1, 2, 4, 59  # remote_protocol.x
CALL, STREAM = 0, 3


def message(procedure: int, kind: int = CALL, body: bytes = b"") -> bytes:
    length = 28 + len(body)
    return struct.pack(">7I", length, REMOTE_PROGRAM, 1, procedure, kind, 7, 0) + body


@pytest.mark.parametrize("size", [1, 3, 27, 28, 29, 1000])
def test_calls_are_counted_in_whatever_pieces_they_come(size: int) -> None:
    counts = RpcCounts()
    reader = RpcReader(counts)
    stream = message(OPEN, body=bytes(40)) + message(GET_VERSION) + message(GET_VERSION)
    for start in range(0, len(stream), size):
        reader.feed(stream[start : start + size])
    assert counts.procedures() == {OPEN: 1, GET_VERSION: 2}


def test_data_of_a_stream_is_no_call() -> None:
    counts = RpcCounts()
    RpcReader(counts).feed(message(GET_VERSION, STREAM, bytes(100)) + message(CLOSE))
    assert counts.procedures() == {CLOSE: 1}


@pytest.mark.bed
def test_each_call_of_a_client_is_counted_once(libvirt_bed: LibvirtBed) -> None:
    with Proxy(libvirt_bed.daemon.port) as proxy:
        connection = libvirt_bed.sdk.open(libvirt_bed.tcp_uri(proxy.port))
        proxy.counts.clear()
        for _ in range(25):
            connection.getVersion()
        connection.getHostname()
        assert proxy.counts.procedures() == {GET_VERSION: 25, GET_HOSTNAME: 1}
        connection.close()
        assert proxy.counts.procedures()[CLOSE] == 1
        assert proxy.counts.strange_streams == 0


@pytest.mark.bed
def test_unix_socket_is_counted_and_delayed_as_well(libvirt_bed: LibvirtBed) -> None:
    path = libvirt_bed.pools / "through-proxy"
    with Proxy(libvirt_bed.daemon.socket, Line(delay=0.001), at=path) as proxy:
        connection = libvirt_bed.sdk.open(f"qemu:///session?socket={path}")
        assert connection.getType() == "QEMU"
        connection.close()
        assert proxy.counts.procedures()[OPEN] == 1
        assert proxy.accepted == 1


def test_messages_that_came_in_one_piece_are_taken_out_one_by_one() -> None:
    first, second = b"\0\0\0\x06ab", b"\0\0\0\x05c"
    pending = bytearray(first + second + b"\0\0\0\x07d")
    assert list(whole(pending)) == [first, second]
    pending += b"ef"
    assert list(whole(pending)) == [b"\0\0\0\x07def"]
    assert pending == b""
