"""Past: what earlier runs add to one look: where datastores are heading, how snapshots grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from snapaudit.model.inventory import ByteRange

FORECAST_SCHEMA = "snapaudit/forecast@1"
DatastoreKey = tuple[str, str]
SnapshotKey = tuple[str, str, str]
MachineKey = tuple[str, str]


class Trend(StrEnum):
    """Where the fill level of a datastore is heading."""

    GROWING = "growing"
    FLAT = "flat"
    SHRINKING = "shrinking"
    TOO_LITTLE_DATA = "too-little-data"
    BEYOND_A_YEAR = "beyond-a-year"


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysToFull:
    """Days from ``Forecast.counted_from`` until nothing is free; ``late`` None: beyond telling."""

    early: float
    likely: float | None
    late: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where a level was at a moment and how fast it changes, in bytes and bytes a day."""

    at: datetime
    level_bytes: float
    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What deleting snapshots would buy a datastore: bytes, and the days until these are used up.

    ``max_days`` None: longer than can be said, or not known.
    """

    bytes: ByteRange
    min_days: float
    max_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One datastore's way to full.

    ``days_to_full`` None: not growing, or too little is known. ``hit_rate`` is the share of the
    earlier forecasts that held, of the ``judged`` ones that could be held against what came; None
    while there are none. ``samples`` are those since the capacity changed last. ``gain`` is what
    deleting the offered snapshots buys, None where that is not known. ``counted_from`` is when the
    datastore was last seen, from which the days count.
    """

    endpoint: str
    id: str
    name: str
    trend: Trend
    days_to_full: DaysToFull | None
    samples: int
    hit_rate: float | None = None
    judged: int = 0
    capacity_bytes: int | None = None
    used_bytes: int | None = None
    course: Course | None = None
    gain: Gain | None = None
    counted_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasts:
    """The forecasts of all datastores, the nearest end first.

    ``last_run_at``: the last run that is remembered; it need not have seen every datastore.
    """

    schema: str = FORECAST_SCHEMA
    forecast_at: datetime
    datastores: tuple[Forecast, ...]
    last_run_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How fast a snapshot grew, in bytes a day, as a range over its samples.

    ``ceiling_bytes`` is what it cannot outgrow: the disks of its machine; None where unknown. One
    that is there already grows no more.
    """

    low_bytes: float
    likely_bytes: float
    high_bytes: float
    samples: int
    ceiling_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Everything remembered that a rule may ask for; empty where there is no history.

    Keys are endpoint and ids. ``rotating`` are machines on which the oldest snapshot has left when
    a new one came, again and again. ``fault``: there is a history and it could not be read, so that
    what is missing here is unknown.
    """

    forecasts: Mapping[DatastoreKey, Forecast] = field(default_factory=dict)
    growth: Mapping[SnapshotKey, Growth] = field(default_factory=dict)
    rotating: frozenset[MachineKey] = frozenset()
    fault: str | None = None


NOTHING_REMEMBERED = Past()
