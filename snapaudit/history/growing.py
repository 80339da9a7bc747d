"""Growing: how fast snapshots grow, from their sizes at several moments. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from snapaudit.history.slopes import line_through
from snapaudit.model.past import Growth

# A snapshot is meant to live for days, so that waiting for weeks would tell nobody in time. Two
# readings of one hour would mistake a busy hour for a day.
FEWEST_SAMPLES = 2
SHORTEST_SPAN = timedelta(hours=12)
_DAY = timedelta(days=1)


def growth(
    sizes: Sequence[tuple[datetime, int]], ceiling_bytes: int | None = None
) -> Growth | None:
    """Its growth by sizes of rising times; None where there are too few of them.

    ``ceiling_bytes`` is what it cannot outgrow: one that is there already grows no more.
    """
    if len(sizes) < FEWEST_SAMPLES or sizes[-1][0] - sizes[0][0] < SHORTEST_SPAN:
        return None
    begun = sizes[0][0]
    line = line_through([((at - begun) / _DAY, float(size)) for at, size in sizes])
    if line is None:
        return None
    is_full = ceiling_bytes is not None and sizes[-1][1] >= ceiling_bytes
    low, likely, high = (0.0 if is_full else rate for rate in (line.low, line.likely, line.high))
    return Growth(
        low_bytes=low,
        likely_bytes=likely,
        high_bytes=high,
        samples=len(sizes),
        ceiling_bytes=ceiling_bytes,
    )
