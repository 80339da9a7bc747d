"""Whether a run went where none had been: pairs of lines of snapaudit that follow each other."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

_OURS = "/snapaudit/"
_FAR = 100_003


class Novelty:
    """What was seen so far, of all runs."""

    def __init__(self) -> None:
        self.seen: set[int | str] = set()
        self._numbers: dict[CodeType, int] = {}
        self._steps: set[int] = set()
        self._last = 0

    def watching(self, run: Callable[[bytes], object]) -> Callable[[bytes], object]:
        """The same function, watched."""

        def watched(data: bytes) -> None:
            self._steps, self._last = set(), 0
            before = sys.gettrace()
            sys.settrace(self._enter)
            try:
                run(data)
            finally:
                sys.settrace(before)

        return watched

    def is_new(self, ending: str) -> bool:
        """Whether the last run had a step, or came to an end, that no run before it had.

        Parsers in C have no lines; how they refuse something tells where in them it was.
        """
        found: set[int | str] = {*self._steps, ending}
        fresh = not found <= self.seen
        self.seen |= found
        return fresh

    def _enter(self, frame: FrameType, _event: str, _argument: object) -> Any:
        code = frame.f_code
        number = self._numbers.get(code)
        if number is None:
            is_ours = _OURS in code.co_filename and "/tests/" not in code.co_filename
            number = self._numbers[code] = len(self._numbers) * _FAR + 1 if is_ours else 0
        return self._line if number else None

    def _line(self, frame: FrameType, _event: str, _argument: object) -> Any:
        here = self._numbers[frame.f_code] + frame.f_lineno
        self._steps.add(self._last * 31 + here)
        self._last = here
        return self._line
