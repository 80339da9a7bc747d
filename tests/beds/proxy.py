"""A slow, faulty or merely watching line in front of a daemon, on loopback or a unix socket only.

Each piece is delivered a fixed time after it arrived, in both directions, and none waits for
another: calls that a client pipelines stay pipelined. ``Line(delay=0.004)`` makes a call take
about 8 milliseconds longer.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
import threading
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.beds.line import ClientEnd, End, Line
from tests.beds.rpc import RpcCounts, RpcReader

_WITHIN = 10.0


class Proxy:
    """Forwards connections from ``with Proxy(upstream) as proxy`` to the end of the block.

    ``upstream`` is the path of a unix socket or a port on the loopback address; ``at`` is a path to
    listen at besides the port. ``line`` may be replaced while connections are open; ``strike`` does
    it for those alone that are open by then. ``lasts``: after so many bytes of answers, of all
    connections together, every answer is a reset.
    """

    def __init__(
        self, upstream: Path | int, line: Line | None = None, *, at: Path | None = None
    ) -> None:
        self.line = line or Line()
        self.lasts: int | None = None
        self.counts = RpcCounts()
        self.accepted = 0
        self.port = 0
        self._upstream, self._at = upstream, at
        self._listeners: list[socket.socket] = []
        self._ends: set[End] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._clients: list[ClientEnd] = []
        self._struck: tuple[Line, int] = self.line, 0
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="proxy")

    def __enter__(self) -> Self:
        self._listeners.append(_bound(socket.AF_INET, ("127.0.0.1", 0)))
        self.port = self._listeners[0].getsockname()[1]
        if self._at is not None:
            self._listeners.append(_bound(socket.AF_UNIX, str(self._at)))
        self._thread.start()
        self._started.result(_WITHIN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_WITHIN)
        for listener in self._listeners:
            listener.close()
        if self._at is not None:
            self._at.unlink(missing_ok=True)

    def strike(self, line: Line) -> None:
        """This is how the connections of up to now go on; those to come are as they were."""
        self._struck = line, self.accepted

    @property
    def answered(self) -> list[int]:
        """How many bytes each connection was answered, in the order in which they came."""
        return [client.answered for client in self._clients]

    def _line_of(self, number: int) -> Line:
        if self.lasts is not None and sum(self.answered) >= self.lasts:
            return Line(reset_after=0)
        struck, up_to = self._struck
        return struck if number <= up_to else self.line

    def _run(self) -> None:
        # epoll waits for whole milliseconds, which is coarse beside a delay of four.
        with asyncio.Runner(loop_factory=_precise_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        servers = [] if self.line.refuses else [await self._listen(at) for at in self._listeners]
        self._started.set_result(None)
        await self._stop.wait()
        for server in servers:
            server.close()
        for end in list(self._ends):
            end.abort()
        await asyncio.sleep(0)  # the transports close their sockets in the loop's next turn

    async def _listen(self, at: socket.socket) -> asyncio.Server:
        if at.family == socket.AF_INET:
            return await self._loop.create_server(self._client, sock=at)
        return await self._loop.create_unix_server(self._client, sock=at)

    def _client(self) -> asyncio.Protocol:
        self.accepted += 1
        line = partial(self._line_of, self.accepted)
        client = ClientEnd(line, self._ends, RpcReader(self.counts).feed)
        self._clients.append(client)
        server = End(line, self._ends)
        server.peer, client.peer = client, server
        task = self._loop.create_task(self._connect(server))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return client

    async def _connect(self, server: End) -> None:
        try:
            if isinstance(self._upstream, int):
                await self._loop.create_connection(lambda: server, "127.0.0.1", self._upstream)
            else:
                await self._loop.create_unix_connection(lambda: server, str(self._upstream))
        except OSError:
            server.connection_lost(None)


def _precise_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


def _bound(family: int, address: str | tuple[str, int]) -> socket.socket:
    bound = socket.socket(family)
    bound.bind(address)
    return bound
