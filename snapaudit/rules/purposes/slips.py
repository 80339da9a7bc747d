"""Slips: the word of the lexicon that was meant where one letter went wrong (``udpate``)."""

from __future__ import annotations

from collections import defaultdict

_FEWEST_SWAPPED = 6
_FEWEST_ONE_MORE_OR_LESS = 7
_FEWEST_ONE_WRONG = 9
_END = 3


class Slips:
    """Finds words that differ from a token by one slip; ends of a word are hardly ever wrong.

    With another end it is another word (``driver``, ``drive``). The shorter words are, the likelier
    another one is meant: two letters that are swapped are a slip in every word, one too many or too
    few in longer ones (``string`` is no ``storing``), and a wrong one in long ones only.
    """

    def __init__(self) -> None:
        self._words: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, word: str) -> None:
        """Takes a word up, if it is long enough to slip in."""
        if len(word) >= _FEWEST_SWAPPED:
            for key in _keys(word):
                self._words[key].append(word)

    def meant(self, token: str) -> str | None:
        """The word that one slip parts from the token, if there is one."""
        if len(token) < _FEWEST_SWAPPED:
            return None
        for key in _keys(token):
            for word in self._words.get(key, ()):
                if word[0] == token[0] and word[-1] == token[-1] and _is_meant(word, token):
                    return word
        return None


def _keys(word: str) -> tuple[str, str, str]:
    """What a slip leaves of a word, one or the other: its beginning, its end, its letters."""
    return f"{word[:_END]}-", f"-{word[-_END:]}", "".join(sorted(word))


def _is_meant(word: str, token: str) -> bool:
    if not one_slip(word, token):
        return False
    if len(word) != len(token):
        fewest = _FEWEST_ONE_MORE_OR_LESS
    elif sorted(word) == sorted(token):
        fewest = _FEWEST_SWAPPED
    else:
        fewest = _FEWEST_ONE_WRONG
    return min(len(word), len(token)) >= fewest


def one_slip(left: str, right: str) -> bool:
    """Whether one letter too many, too few, wrong, or swapped with the next parts two words."""
    if left == right:
        return True
    if len(left) > len(right):
        left, right = right, left
    if len(right) - len(left) > 1:
        return False
    start = next((i for i, sign in enumerate(left) if sign != right[i]), len(left))
    if len(left) < len(right):
        return left[start:] == right[start + 1 :]
    swapped = left[start : start + 2] == right[start : start + 2][::-1]
    return left[start + 1 :] == right[start + 1 :] or (
        swapped and left[start + 2 :] == right[start + 2 :]
    )
