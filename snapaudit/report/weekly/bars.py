"""Bars: numbers as characters and widths, for mails and terminals that show no drawings."""

from __future__ import annotations

from collections.abc import Iterable

from snapaudit.model.weekly import Sample

_BLOCKS = "▁▂▃▄▅▆▇█"


def spark(samples: Iterable[Sample]) -> str:
    """The values of the weeks as `blocks`."""
    return blocks(one.value for one in samples)


def blocks(values: Iterable[int | None]) -> str:
    """Numbers as a line of blocks between their lowest and highest; a dot where one is unknown."""
    all_values = tuple(values)
    known = [value for value in all_values if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    steps = len(_BLOCKS) - 1
    return "".join(
        "·" if value is None else _BLOCKS[round((value - low) / span * steps) if span else 0]
        for value in all_values
    )


def percent(share: float) -> int:
    """A share as whole percents of a cell's width; a little is not nothing."""
    return 0 if share <= 0 else min(100, max(1, round(share * 100)))
