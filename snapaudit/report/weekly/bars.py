"""Bars: numbers as characters and widths, for mails and terminals that show no drawings."""

from __future__ import annotations

from collections.abc import Iterable

from snapaudit.model.weekly import Sample

_STEPS = "▁▂▃▄▅▆▇█"
_UNKNOWN = "·"


def spark(samples: Iterable[Sample]) -> str:
    """A character a week, between the lowest and the highest value; a dot where it is unknown."""
    values = [one.value for one in samples]
    known = [value for value in values if value is not None]
    low, high = min(known, default=0), max(known, default=0)
    return "".join(_UNKNOWN if value is None else _step(value, low, high) for value in values)


def _step(value: int, low: int, high: int) -> str:
    """What never changed is drawn low: a tall row would look like much."""
    return _STEPS[(value - low) * (len(_STEPS) - 1) // (high - low)] if high > low else _STEPS[0]


def bar(share: float | None, width: int = 10) -> str:
    """``███████···``: a share of the width; dots alone where it is unknown."""
    full = 0 if share is None else round(min(1.0, max(0.0, share)) * width)
    return "█" * full + _UNKNOWN * (width - full)


def percent(share: float) -> int:
    """A share as whole percents of a cell's width; a little is not nothing."""
    return 0 if share <= 0 else min(100, max(1, round(share * 100)))
