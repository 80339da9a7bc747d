"""Rotation: a machine on which the oldest snapshot leaves whenever a new one comes. Pure.

That is how a schedule keeps the last few, whoever set it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

OFTEN = 3


class Taken(NamedTuple):
    """A snapshot as far as rotation goes: which, and when it was taken."""

    number: int
    created_at: int


def is_rotating(views: Sequence[Iterable[Taken]]) -> bool:
    """Whether it happened at least three times from one view of a machine to the next."""
    return sum(_turned(set(old), set(new)) for old, new in pairwise(views)) >= OFTEN


def _turned(old: set[Taken], new: set[Taken]) -> bool:
    """The oldest ones have left, none of the others, and a newer one than any has come."""
    gone, come, stayed = old - new, new - old, old & new
    if not gone or not come:
        return False
    newest_gone = max(one.created_at for one in gone)
    oldest_stayed = min((one.created_at for one in stayed), default=newest_gone)
    newest_old = max(one.created_at for one in old)
    return newest_gone <= oldest_stayed and min(one.created_at for one in come) > newest_old
