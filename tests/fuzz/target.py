"""What is fuzzed: a function of bytes, the examples it starts from, and the words of its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from snapaudit.errors import SnapauditError


class Form(Enum):
    """How the bytes are put together, which says what else than bytes can be changed."""

    BYTES = "bytes"
    JSON = "json"
    LINES = "lines"  # JSON objects, one a line
    YAML = "yaml"
    XML = "xml"


class Wrong(Exception):
    """A target says that what came out is not what may come out, though nothing was raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """``examples`` are real ones, most of which end well. ``expected`` are the errors that may be
    raised: ours, or for a part that is only ever called by another of ours, what that one catches.
    """

    name: str
    group: str
    run: Callable[[bytes], object]
    examples: Callable[[], Iterable[bytes]]
    form: Form = Form.BYTES
    words: tuple[bytes, ...] = ()
    expected: tuple[type[Exception], ...] = (SnapauditError,)
    largest: int = 64 * 1024
