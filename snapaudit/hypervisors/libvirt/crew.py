"""Many calls at once, in threads that never keep the program from ending.

The standard library waits for its worker threads when the program ends. A call into libvirt may
never return, so these are threads that die with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from snapaudit.hypervisors.libvirt.deadline import Pending

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Crew:
    """Up to so many threads for each `map`."""

    def __init__(self, size: int) -> None:
        self._size = size

    def map(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
        """What the work returns for each item, in their order; raises what it raised, in its turn.

        All of it begins at once, whether or not the answers are asked for.
        """
        waiting = [(item, Pending[Answer]()) for item in items]
        turns, lock = iter(waiting), threading.Lock()

        def serve() -> None:
            while True:
                with lock:
                    turn = next(turns, None)
                if turn is None:
                    return
                item, pending = turn
                pending.run(partial(work, item))

        for _ in range(min(self._size, len(waiting))):
            threading.Thread(target=serve, daemon=True).start()
        return (pending.awaited() for _, pending in waiting)
