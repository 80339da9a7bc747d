"""Counts the calls in a client's half of libvirt's RPC stream.

A message is a big-endian length that counts itself, then program, version, procedure, type, serial
and status, four bytes each, then its body. Source: libvirt's page on its RPC infrastructure.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

REMOTE_PROGRAM = 0x20008086
_HEADER = struct.Struct(">7I")
_CALL = 0
_LONGEST = 32 * 2**20 + _HEADER.size


@dataclass(slots=True)
class RpcCounts:
    """Calls by program and procedure number, of all connections together."""

    calls: Counter[tuple[int, int]] = field(default_factory=Counter)
    strange_streams: int = 0

    @property
    def total(self) -> int:
        """All calls, those of opening and closing the connection included."""
        return self.calls.total()

    def procedures(self) -> dict[int, int]:
        """How often each procedure of libvirt's main program was called."""
        remote = ((key, count) for key, count in self.calls.items() if key[0] == REMOTE_PROGRAM)
        return {procedure: count for (_, procedure), count in remote}

    def clear(self) -> None:
        """Begin to count anew."""
        self.calls.clear()
        self.strange_streams = 0


class RpcReader:
    """Reads one connection's stream, in whatever pieces it comes, into the counts."""

    def __init__(self, counts: RpcCounts) -> None:
        self._counts, self._pending, self._is_strange = counts, bytearray(), False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes. A stream that is no RPC is counted as strange, once."""
        if self._is_strange:
            return
        self._pending += piece
        while len(self._pending) >= _HEADER.size:
            length, program, _, procedure, kind, _, _ = _HEADER.unpack_from(self._pending)
            if not _HEADER.size <= length <= _LONGEST:
                self._give_up()
                return
            if len(self._pending) < length:
                return
            del self._pending[:length]
            if kind == _CALL:
                self._counts.calls[program, procedure] += 1

    def _give_up(self) -> None:
        self._is_strange = True
        self._counts.strange_streams += 1
        self._pending.clear()


def whole(pending: bytearray) -> Iterator[bytes]:
    """Take the messages out that have come completely."""
    while len(pending) >= (length := int.from_bytes(pending[:4], "big")) >= 4:
        yield bytes(pending[:length])
        del pending[:length]
