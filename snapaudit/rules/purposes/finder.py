"""Finder: which entries of the lexicon stand in a text, and where; longer ones go before shorter.

A word is looked at in the order: as an entry writes it, by its beginning or end where a star says
so, as two words written in one (``preupdate``), as the name of a product with the ending of a case
(``Veeamin``), with one slip of the finger (``udpate``). Each word is looked up once; a large estate
holds few different ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from snapaudit.rules.purposes.endings import stems
from snapaudit.rules.purposes.folding import MACHINE
from snapaudit.rules.purposes.lexicon import FIRST_UNSPACED, TOOLS, Word
from snapaudit.rules.purposes.slips import Slips
from snapaudit.rules.purposes.spelling import spellings

_REMEMBERED = 8192
_FEWEST_LETTERS_OF_A_PART = 3
_FEWEST_LETTERS_OF_TWO = 6
_FEWEST_LETTERS_AFTER_TWO = 5
_LONGEST_WORD = 40
_HEAD = 3  # letters at an end of a word that it is looked up by; no star stands after fewer


class Hit(NamedTuple):
    """One entry found: its number and the position of its first and of the word after its last."""

    number: int
    start: int
    end: int


Phrase = tuple[tuple[str, ...], int]
Found = tuple[int, ...]


class Finder:
    """Finds the entries of a lexicon in the tokens of a text."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        self._whole: dict[str, Found] = {}
        self._starts: dict[str, Found] = {}
        self._ends: dict[str, Found] = {}
        self._phrases: dict[str, dict[str, list[Phrase]]] = {}
        self._unspaced: dict[str, Found] = {}
        self._slips = Slips()
        self._products: dict[str, Found] = {}
        self._seconds: set[str] = set()
        self._starred: set[str] = set()
        known: set[str] = set()
        for number, word in enumerate(words):
            for parts in spellings(word.text):
                self._add(parts, number)
                known.update(part.strip("*") for part in parts)
        self._run = _alternatives(self._unspaced)
        self._heads_of_products = {word[:_HEAD] for word in self._products}
        self._heads_of_starts = {word[:_HEAD] for word in self._starts}
        self._tails_of_ends = {word[-_HEAD:] for word in self._ends}
        self._long = {word for word in known if len(word) >= _FEWEST_LETTERS_OF_TWO}
        self._of_token = lru_cache(_REMEMBERED)(self._token)

    def _add(self, parts: tuple[str, ...], number: int) -> None:
        if not self._words[number].is_spaced:
            _put(self._unspaced, "".join(parts).replace("*", ""), number)
        elif len(parts) > 1:
            following = self._phrases.setdefault(parts[0], {})
            following.setdefault(parts[1], []).append((parts, number))
            self._seconds.add(parts[1])
            self._starred.update(part[:_HEAD] for part in parts[:2] if part.endswith("*"))
        else:
            self._add_word(parts[0], number)

    def _add_word(self, part: str, number: int) -> None:
        plain = part.strip("*")
        if part.startswith("*"):
            _put(self._ends, plain, number)
        if part.endswith("*"):
            _put(self._starts, plain, number)
        _put(self._whole, plain, number)
        if self._words[number].topic in TOOLS:
            _put(self._products, plain, number)
        elif plain.isalpha():
            self._slips.add(plain)

    def hits(self, tokens: Sequence[str]) -> list[Hit]:
        """Every entry found, in the order of the text."""
        rest = list(reversed(_with_whole_runs(tokens)))
        found: list[Hit] = []
        at = 0
        while rest:
            numbers, length = self._next(rest)
            if numbers:
                found.extend([Hit(number, at, at + length) for number in numbers])
            del rest[-length:]
            at += length
        return found

    def _next(self, rest: list[str]) -> tuple[Found, int]:
        """The entries at the beginning of the rest, which is held last word first, and how long.

        What capitals or signs have parted is one word again where that is known (``hot-fix``,
        ``GitHub``), unless the parts begin a phrase by themselves.
        """
        token = rest[-1]
        numbers, begun = self._of_token(token)
        if len(rest) == 1:
            return numbers, 1
        if begun and (longest := self._longest(begun, rest)):
            return longest
        word = token + rest[-2]
        if word in self._long:
            joined, length = self._next([*rest[:-2], word])
            if joined and (length > 1 or word in self._whole):
                return joined, length + 1
        return numbers, 1

    def _token(self, token: str) -> tuple[Found, tuple[str, ...]]:
        """The entries that a token is by itself, and how the phrases begin that it may begin."""
        begun = tuple(form for form in self._forms(token) if form in self._phrases)
        return self._look_up(token), begun

    def _forms(self, token: str) -> list[str]:
        """How a phrase may write a token: whole, or a beginning of it with a star."""
        if token[:_HEAD] not in self._starred:
            return [token]
        token = token[:_LONGEST_WORD]
        return [token, *(f"{token[:length]}*" for length in range(_HEAD, len(token) + 1))]

    def _longest(self, begun: Sequence[str], rest: list[str]) -> tuple[Found, int] | None:
        """The longest phrases that begin the rest, and their length."""
        length, numbers = 2, []
        for parts, number in self._going_on(begun, rest[-2]):
            if len(parts) >= length and _stands_in(parts, rest):
                length = len(parts)
                numbers.append(number)
        return (tuple(numbers), length) if numbers else None

    def _going_on(self, begun: Sequence[str], second: str) -> Sequence[Phrase]:
        """The phrases that begin so and go on with a token, the longest first."""
        forms = [form for form in self._forms(second) if form in self._seconds]
        if not forms:
            return ()
        lists = (self._phrases[first].get(form) for first in begun for form in forms)
        found = [phrase for phrases in lists if phrases for phrase in phrases]
        if len(found) > 1:
            found.sort(key=lambda phrase: (-len(phrase[0]), phrase[1]))
        return found

    def _look_up(self, token: str) -> Found:
        if token[0] >= FIRST_UNSPACED:
            return self._in_run(token)
        if not token.isalpha():
            return self._whole.get(token, ())
        token = token[:_LONGEST_WORD]
        return (
            self._plainly(token)
            or self._two_in_one(token)
            or self._bent(token)
            or self._meant(token)
        )

    def _bent(self, token: str) -> Found:
        """The product whose name stands there with the ending of a case."""
        if token[:_HEAD] not in self._heads_of_products:
            return ()
        found = (self._products.get(stem) for stem in stems(token))
        return next((numbers for numbers in found if numbers), ())

    def _meant(self, token: str) -> Found:
        meant = self._slips.meant(token)
        return self._whole[meant] if meant else ()

    def _in_run(self, token: str) -> Found:
        found = (self._unspaced[run] for run in self._run.findall(token))
        return tuple(dict.fromkeys(number for numbers in found for number in numbers))

    def _plainly(self, token: str) -> Found:
        if token in self._whole:
            return self._whole[token]
        if token[:_HEAD] in self._heads_of_starts:
            for length in range(len(token) - 1, _HEAD - 1, -1):
                if found := self._starts.get(token[:length]):
                    return found
        if token[-_HEAD:] in self._tails_of_ends:
            for length in range(len(token) - 1, _HEAD - 1, -1):
                if found := self._ends.get(token[-length:]):
                    return found
        return ()

    def _two_in_one(self, token: str) -> Found:
        if len(token) < _FEWEST_LETTERS_OF_TWO:
            return ()
        for at in range(2, len(token) - 1):
            left, rest = self._whole.get(token[:at]), token[at:]
            if not left:
                continue
            is_short = at < _FEWEST_LETTERS_OF_A_PART
            right = self._whole.get(rest, ()) if is_short else self._plainly(rest)
            if right and (not is_short or len(rest) >= _FEWEST_LETTERS_AFTER_TWO):
                return (*left, *right)
        return ()


def _with_whole_runs(tokens: Sequence[str]) -> Sequence[str]:
    """The tokens, those of a writing that does not part its words joined to their neighbours."""
    if not tokens or max(tokens) < FIRST_UNSPACED:
        return tokens
    joined: list[str] = []
    for token in tokens:
        if joined and min(joined[-1][0], token[0]) >= FIRST_UNSPACED and token != MACHINE:
            joined[-1] += token
        else:
            joined.append(token)
    return joined


def _put(found: dict[str, Found], key: str, number: int) -> None:
    if number not in found.get(key, ()):
        found[key] = (*found.get(key, ()), number)


def _alternatives(entries: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(entries, key=lambda entry: (-len(entry), entry))
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def _stands_in(parts: Sequence[str], rest: Sequence[str]) -> bool:
    if len(parts) > len(rest):
        return False
    return all(_is(rest[-1 - at], part) for at, part in enumerate(parts))


def _is(token: str, part: str) -> bool:
    return token.startswith(part[:-1]) if part.endswith("*") else token == part
