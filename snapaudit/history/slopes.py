"""Slopes: how fast a level changes, from samples of it that may jump or be wrong now and then.

Break-aware Theil-Sen. A consolidation, a migration or a bad sample is a step far from the usual
one; between samples on both sides of such a break a slope would say how far it jumped and not how
fast it grows. The slopes that remain are taken by their median, and their 10th and 90th percentiles
are the band. Pure: samples in, numbers out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

Sample = tuple[float, float]
# Five robust standard deviations; 1.4826 makes the median absolute deviation one (Hampel 1974).
_FAR = 5 * 1.4826
_LAST = 3
_BAND = (0.1, 0.9)
# Steps that differ by less than this share of the level differ in nothing but their rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A level at the last sample's time, and by how much it changes in a unit of time."""

    level: float
    low: float
    likely: float
    high: float


def line_through(samples: Sequence[Sample]) -> Line | None:
    """The line that samples of rising times follow; None where no two can be compared."""
    slopes = sorted(_slopes(samples))
    if not slopes:
        return None
    likely = median(slopes)
    low, high = (_percentile(slopes, share) for share in _BAND)
    end = samples[-1][0]
    last = median(value + likely * (end - at) for at, value in samples[-_LAST:])
    return Line(level=last, low=low, likely=likely, high=high)


def _slopes(samples: Sequence[Sample]) -> Iterator[float]:
    for stretch in stretches(samples):
        for place, (begun, low) in enumerate(stretch):
            for at, high in stretch[place + 1 :]:
                yield (high - low) / (at - begun)


def stretches(samples: Sequence[Sample]) -> list[list[Sample]]:
    """The samples, cut where a step is a break.

    A step is held against what the usual pace would have made of its time, so that samples need not
    be evenly spaced.
    """
    parts = [list(samples[:1])]
    if len(samples) < 2:
        return parts
    pace = median((v - u) / (t - s) for (s, u), (t, v) in pairwise(samples))
    rest = [v - u - pace * (t - s) for (s, u), (t, v) in pairwise(samples)]
    middle = median(rest)
    usual = median(abs(step - middle) for step in rest)
    most = max(_FAR * usual, _ROUNDING * max(abs(value) for _, value in samples))
    for sample, step in zip(samples[1:], rest, strict=True):
        if abs(step - middle) > most:
            parts.append([])
        parts[-1].append(sample)
    return parts


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Between the two nearest, in proportion."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
