"""The keeper: collects again and again in the background, and puts on the shelf what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from snapaudit.errors import SnapauditError
from snapaudit.model.metric import Family
from snapaudit.serve.shelf import Shelf

Collect = Callable[[threading.Event], tuple[Family, ...]]
# A collection that takes longer than the interval must not become a siege of the endpoints.
_LEAST_PAUSE = 0.1


class Keeper(threading.Thread):
    """Collects at once, then every interval from start to start.

    ``collect`` is handed the event that ends it early. It runs in this thread, while the endpoints
    are read in processes of their own that end with their deadlines. ``tell`` hears of failures.
    """

    def __init__(
        self, collect: Collect, shelf: Shelf, *, interval: float, tell: Callable[[str], None]
    ) -> None:
        super().__init__(name="keeper", daemon=True)
        self._collect, self._shelf, self._tell = collect, shelf, tell
        self._interval = interval
        self._ending = threading.Event()

    def run(self) -> None:
        """Until it is stopped; nothing that a collection does ends it."""
        while not self._ending.is_set():
            began = time.monotonic()
            self._once()
            left = self._interval - (time.monotonic() - began)
            self._ending.wait(max(left, self._interval * _LEAST_PAUSE))

    def stop(self) -> None:
        """End a collection under way, and begin no other."""
        self._ending.set()

    def _once(self) -> None:
        self._shelf.started()
        try:
            found = self._collect(self._ending)
        except SnapauditError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - old data served as old beats no exporter
            self._fail(f"internal error: {type(error).__name__}: {error}")
        else:
            if not self._ending.is_set():  # else endpoints are missing only because of that
                self._shelf.finished(found)

    def _fail(self, reason: str) -> None:
        self._shelf.failed(reason)
        self._tell(f"collection failed: {reason}")
