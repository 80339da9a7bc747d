"""Asking several nodes at once, in threads that never keep the program from ending.

A host may never answer. Its thread is left behind and dies with the process; what the others said
is used without it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

Said = TypeVar("Said")
_AT_ONCE = 8


def ask_all(
    ask: Callable[[str], Said], nodes: Iterable[str], until: float
) -> Iterator[tuple[str, Said | Exception]]:
    """What each node said, or what asking it raised, as it comes, until that `time.monotonic`.

    A node that has not answered by then is left out.
    """
    asked = list(dict.fromkeys(nodes))
    heard: queue.SimpleQueue[tuple[str, Said | Exception]] = queue.SimpleQueue()
    turns = iter(asked)
    lock = threading.Lock()
    for _ in range(min(_AT_ONCE, len(asked))):
        threading.Thread(target=partial(_serve, ask, turns, lock, heard), daemon=True).start()
    for _ in asked:
        try:
            yield heard.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return


def _serve(
    ask: Callable[[str], Said],
    turns: Iterator[str],
    lock: threading.Lock,
    heard: queue.SimpleQueue[tuple[str, Said | Exception]],
) -> None:
    while True:
        with lock:
            node = next(turns, None)
        if node is None:
            return
        try:
            heard.put((node, ask(node)))
        except Exception as error:  # noqa: BLE001 - it is told, or raised again, where it is heard
            heard.put((node, error))
