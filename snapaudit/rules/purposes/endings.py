"""Endings: what languages that bend foreign names too hang on them (``Veeamin``, ``Jenkinsem``)."""

from __future__ import annotations

from collections.abc import Iterator

_FEWEST_LETTERS_OF_A_NAME = 5
# Slavic, Finnish, Hungarian and Turkish cases, and the English plural.
_ENDINGS = frozenset((
    "a", "u", "e", "i", "y", "s", "n", "in", "em", "om", "ie", "ou", "ov", "ova", "owi", "ami",
    "lla", "lle", "lta", "sta", "ssa", "nek", "nel", "ban", "ben", "val", "vel", "bol", "tol",
    "hoz", "dan", "den", "tan", "ten", "ile", "de", "da", "nin", "nun",
))  # fmt: skip
_LONGEST = max(map(len, _ENDINGS))


def stems(token: str) -> Iterator[str]:
    """What is left of a word without each ending that it has, the shortest ending first."""
    for length in range(1, min(_LONGEST, len(token) - _FEWEST_LETTERS_OF_A_NAME) + 1):
        if token[-length:] in _ENDINGS:
            yield token[:-length]
