"""The five key numbers through the weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from snapaudit.model.finding import Audit, Summary
from snapaudit.model.history import RunRecord
from snapaudit.model.weekly import KeyName, KeyNumber, Sample

WEEKS = 12
_WEEK = timedelta(weeks=1)


def key_numbers(
    audit: Audit, previous: RunRecord | None, runs: tuple[RunRecord, ...]
) -> tuple[KeyNumber, ...]:
    """Each number now, at the run before, and of the last run of each of the last twelve weeks.

    What could come back counts what is held too: the runs before did not know of holds.
    """
    now = {name: _value(audit.summary, name) for name in KeyName}
    weekly = tuple(_each_week(runs, audit.audited_at))
    return tuple(
        KeyNumber(
            name=name,
            value=now[name],
            previous=_value(previous.summary, name) if previous is not None else None,
            samples=(
                *(_sample(at, run, name) for at, run in weekly),
                Sample(at=audit.audited_at, value=now[name]),
            ),
        )
        for name in KeyName
    )


def _each_week(
    runs: tuple[RunRecord, ...], now: datetime
) -> Iterator[tuple[datetime, RunRecord | None]]:
    """The weeks before this one, oldest first, each with its last run; None: there was none."""
    earlier = [run for run in runs if run.audited_at < now]
    for back in reversed(range(1, WEEKS)):
        end = now - back * _WEEK
        within = (run for run in earlier if end - _WEEK < run.audited_at <= end)
        yield end, next(within, None)


def _sample(at: datetime, run: RunRecord | None, name: KeyName) -> Sample:
    if run is None:
        return Sample(at=at, value=None)
    return Sample(at=run.audited_at, value=_value(run.summary, name))


def _value(summary: Summary, name: KeyName) -> int:
    match name:
        case KeyName.CRITICAL:
            return summary.critical
        case KeyName.WARNING:
            return summary.warning
        case KeyName.SNAPSHOTS:
            return summary.snapshots
        case KeyName.HELD:
            return summary.snapshot_bytes
        case KeyName.RECLAIMABLE:
            return summary.reclaimable_bytes.min
