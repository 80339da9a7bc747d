"""Patterns: expressions looked for in time linear in the text, whatever either says (RE2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from snapaudit.errors import InputError, Place

# RE2 takes time in proportion to the text times the program. The program of a short pattern may be
# a million steps long: `(\pL{1,100}){1,10}`.
LONGEST_TEXT = 64 * 1024
_LARGEST_PROGRAM = 10_000
_MEMORY_BYTES = 64 * 2**20
Search = Callable[[bytes], Any]


def as_utf8(text: str) -> bytes:
    """The text for the pattern engine; half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace")


def compile_pattern(pattern: str, place: Place) -> Search:
    """The search for one expression, case-insensitive, in UTF-8; what it finds has ``group``.

    Raises InputError for what RE2 does not know, such as look-around and back-references, and for
    what would take long.
    """
    import re2

    try:
        compiled = re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace")
        raise InputError(place, f"is no pattern RE2 understands: {reason}") from error
    if compiled.programsize > _LARGEST_PROGRAM:
        message = "is a pattern with too many possibilities; write smaller repetitions"
        raise InputError(place, message)
    search: Search = compiled.search
    return search


def found_in(text: str, search: Search) -> bool | None:
    """Whether the search finds something in the text; None: it is too long to be searched."""
    return None if len(text) > LONGEST_TEXT else search(as_utf8(text)) is not None


class PatternSet:
    """Expressions numbered in their order, looked for together in one pass."""

    def __init__(self, patterns: Iterable[tuple[str, Place]]) -> None:
        import re2

        self._set = re2.Set.SearchSet(_options())
        for pattern, place in patterns:
            compile_pattern(pattern, place)
            self._set.Add(pattern)
        self._set.Compile()

    def numbers(self, text: bytes) -> Sequence[int]:
        """The numbers of the expressions found in UTF-8 text, in no order."""
        found: Sequence[int] | None = self._set.Match(text)
        return found or ()


def _options() -> Any:
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    return options
