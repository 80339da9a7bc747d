"""Passwords that a person types: each is asked for once a run, and kept in memory alone."""

from __future__ import annotations

import threading
from collections.abc import Callable

Ask = Callable[[str], str]


class Typist:
    """Whom to ask, and what was typed so far. ``whom`` None: nobody is there."""

    def __init__(self, whom: Ask | None = None) -> None:
        self.whom = whom
        self._typed: dict[str, str] = {}
        self._lock = threading.Lock()

    def ask(self, key: str, question: str) -> str | None:
        """The answer to the question, the same for every call with this key; None: nobody is there.

        Endpoints are read side by side: whoever comes second waits for the answer to the first.
        """
        with self._lock:
            if key not in self._typed:
                if self.whom is None:
                    return None
                self._typed[key] = self.whom(question)
            return self._typed[key]


TYPIST = Typist()
"""The one of this process; the command line says whom to ask."""
