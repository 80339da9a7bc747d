"""Changes to bytes: small damage anywhere, and what breaks a format's own rules."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from tests.fuzz import bombs, structure
from tests.fuzz.target import Target

_NUMBER = re.compile(rb"\d+")
_WORD = re.compile(rb"[A-Za-z_]{3,}")
_MOST_CHANGES = 4
_ODD_BYTES = (0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x22, 0x27, 0x3C, 0x5B, 0x7B)
_BRACKETS = ((b"[", b"]"), (b"{", b"}"), (b'{"a":', b"}"), (b"<a>", b"</a>"), (b"(", b")"))

Change = Callable[[bytes], bytes]


class Mutator:
    """Changes an input in one to four ways, of which some need others from the corpus."""

    def __init__(self, target: Target, dice: random.Random, corpus: Sequence[bytes]) -> None:
        self._target, self._dice, self._corpus = target, dice, corpus
        plain: list[Change] = [
            *(self._flip, self._odd_byte, self._insert, self._cut, self._truncate, self._double),
            *(self._repeat, self._splice, self._word, self._number, self._swap, self._nest),
        ]
        apart = structure.changes(target.form, dice)
        self._changes = plain + apart * (2 * len(plain) // len(apart) if apart else 0)

    def changed(self, data: bytes) -> bytes:
        """Another input; now and then a bomb of the format instead."""
        if self._dice.random() < 0.01:
            return self._bounded(bombs.made(self._target.form, self._dice, data))
        for _ in range(self._dice.randint(1, _MOST_CHANGES)):
            data = self._dice.choice(self._changes)(data)
        return self._bounded(data)

    def _bounded(self, data: bytes) -> bytes:
        return data[: self._target.largest]

    def _at(self, data: bytes) -> int:
        return self._dice.randint(0, len(data))

    def _span(self, data: bytes, most: int = 64) -> tuple[int, int]:
        begin = self._at(data)
        return begin, min(len(data), begin + self._dice.randint(1, most))

    # Damage -------------------------------------------------------------------------------------

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return data
        at = self._dice.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << self._dice.randrange(8)]) + data[at + 1 :]

    def _odd_byte(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + bytes([self._dice.choice(_ODD_BYTES)]) + data[at + 1 :]

    def _insert(self, data: bytes) -> bytes:
        at = self._at(data)
        return data[:at] + self._dice.choice(structure.TEXTS) + data[at:]

    def _cut(self, data: bytes) -> bytes:
        begin, end = self._span(data, max(64, len(data) // 8))
        return data[:begin] + data[end:]

    def _truncate(self, data: bytes) -> bytes:
        return data[: self._at(data)]

    def _double(self, data: bytes) -> bytes:
        begin, end = self._span(data, 256)
        at = self._at(data)
        return data[:at] + data[begin:end] + data[at:]

    def _repeat(self, data: bytes) -> bytes:
        begin, end = self._span(data)
        times = min(self._dice.choice((2, 10, 300, 10_000)), self._target.largest)
        return data[:begin] + data[begin:end] * times + data[end:]

    def _splice(self, data: bytes) -> bytes:
        other = self._dice.choice(self._corpus)
        return data[: self._at(data)] + other[self._at(other) :]

    def _swap(self, data: bytes) -> bytes:
        a, b, c = sorted(self._at(data) for _ in range(3))
        return data[:a] + data[b:c] + data[a:b] + data[c:]

    # Meaning ------------------------------------------------------------------------------------

    def _word(self, data: bytes) -> bytes:
        """A word of the format, or one of the input itself, where another word stands."""
        words = self._target.words or tuple(_WORD.findall(data[:4096])) or (b"x",)
        return self._instead(_WORD, data, self._dice.choice(words))

    def _number(self, data: bytes) -> bytes:
        return self._instead(_NUMBER, data, self._dice.choice(structure.NUMBERS))

    def _instead(self, pattern: re.Pattern[bytes], data: bytes, new: bytes) -> bytes:
        found = pattern.search(data, self._at(data)) or pattern.search(data)
        return data if found is None else data[: found.start()] + new + data[found.end() :]

    def _nest(self, data: bytes) -> bytes:
        begin, end = self._span(data)
        opening, closing = self._dice.choice(_BRACKETS)
        times = self._dice.choice((1, 20, 2000))
        return data[:begin] + opening * times + data[begin:end] + closing * times + data[end:]
