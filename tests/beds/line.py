"""The two ends of one connection through a proxy, and what the line between them does."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a line behaves.

    ``delay`` is in seconds for each way. ``silent_after``, ``reset_after`` and ``ends_after`` count
    the bytes of answers on one connection: 0 lets none through. A line that ``refuses`` is not
    listened to. One that ``hangs_up`` closes as soon as it has heard a word, and one that ends goes
    on to carry what the client says: half of it is closed.
    """

    delay: float = 0.0
    bytes_per_second: float | None = None
    silent_after: int | None = None
    reset_after: int | None = None
    ends_after: int | None = None
    hangs_up: bool = False
    refuses: bool = False

    @property
    def lets_through(self) -> int | None:
        """How many bytes of answers reach the client; None: all."""
        limits = (self.silent_after, self.reset_after, self.ends_after)
        return min((limit for limit in limits if limit is not None), default=None)


class End(asyncio.Protocol):
    """One end: what it receives is carried to its peer, and what is carried to it is delivered."""

    peer: End | None = None
    transport: asyncio.Transport | None = None

    def __init__(self, line: Callable[[], Line], ends: set[End]) -> None:
        self._line, self._ends = line, ends
        self._loop = asyncio.get_running_loop()
        self._on_the_way: deque[bytes | None] = deque()
        self._free_at = 0.0
        self._early = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._ends.add(self)
        for _ in range(self._early):
            self._arrive()

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.carry(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._ends.discard(self)
        if self.peer is not None:
            self.peer.carry(None)

    def carry(self, piece: bytes | None) -> None:
        """Deliver a piece when it has come down the line; None is the end of the connection."""
        line = self._line()
        begins = max(self._loop.time(), self._free_at)
        takes = len(piece or b"") / line.bytes_per_second if line.bytes_per_second else 0.0
        self._free_at = begins + takes
        self._on_the_way.append(piece)
        self._loop.call_at(self._free_at + line.delay, self._arrive)

    def abort(self) -> None:
        """Close at once, whatever is still on the way."""
        if self.transport is not None:
            self.transport.abort()

    def _arrive(self) -> None:
        if self.transport is None:
            self._early += 1
            return
        # The queue keeps the order; timers that are due at the same moment do not.
        piece = self._on_the_way.popleft()
        if piece is None:
            self.transport.close()
        else:
            self._deliver(self.transport, piece)

    def _deliver(self, transport: asyncio.Transport, piece: bytes) -> None:
        if not transport.is_closing():
            transport.write(piece)


class ClientEnd(End):
    """The end where a client connected: its words are watched, and the answers meet the faults."""

    def __init__(
        self, line: Callable[[], Line], ends: set[End], watch: Callable[[bytes], None]
    ) -> None:
        super().__init__(line, ends)
        self._watch, self.answered, self._has_ended = watch, 0, False

    def data_received(self, data: bytes) -> None:
        self._watch(data)
        if self._line().hangs_up and self.transport is not None:
            self.transport.close()
        else:
            super().data_received(data)

    def _deliver(self, transport: asyncio.Transport, piece: bytes) -> None:
        if transport.is_closing():
            return
        line, before = self._line(), self.answered
        self.answered += len(piece)
        if self._has_ended:
            return
        limit = line.lets_through
        transport.write(piece if limit is None else piece[: max(0, limit - before)])
        if line.reset_after is not None and self.answered >= line.reset_after:
            self._reset(transport)
        elif line.ends_after is not None and self.answered >= line.ends_after:
            self._has_ended = True
            transport.write_eof()

    def _reset(self, transport: asyncio.Transport) -> None:
        with_socket = transport.get_extra_info("socket")
        with_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
