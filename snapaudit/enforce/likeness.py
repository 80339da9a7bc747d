"""Likeness: when a text that people typed means a name, taken widely, since it protects."""

from __future__ import annotations

import unicodedata
from fnmatch import fnmatchcase
from functools import lru_cache

_WILD = frozenset("*?[")


@lru_cache(maxsize=2**16)
def fold(text: str) -> str:
    """The text without what people do not see or do not mean: case, width, spaces, marks."""
    wide = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    spaced = " ".join(wide.split())
    return "".join(char for char in spaced if char.isprintable())


def means(written: str, *names: str) -> bool:
    """Whether what is written stands for one of the names; as a pattern of the shell, too."""
    wanted = fold(written)
    is_pattern = not _WILD.isdisjoint(wanted)
    return any(
        name == wanted or (is_pattern and fnmatchcase(name, wanted)) for name in map(fold, names)
    )
