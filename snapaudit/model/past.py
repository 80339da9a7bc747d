"""Past: what earlier runs add to one look: where datastores are heading, how snapshots grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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
    """Days from the last sample until nothing is free; ``late`` None: beyond what can be said."""

    early: float
    likely: float | None
    late: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One datastore's way to full.

    ``days_to_full`` None: not growing, or too little is known. ``hit_rate`` is the share of the
    earlier forecasts that held, None while none could be held against what came.
    """

    endpoint: str
    id: str
    name: str
    trend: Trend
    days_to_full: DaysToFull | None
    samples: int
    hit_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How fast a snapshot grew, in bytes a day, as a range over its samples."""

    low_bytes: float
    likely_bytes: float
    high_bytes: float
    samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Everything remembered that a rule may ask for; empty where there is no history.

    Keys are endpoint and ids. ``rotating`` are machines on which the oldest snapshot has left when
    a new one came, again and again.
    """

    forecasts: Mapping[DatastoreKey, Forecast] = field(default_factory=dict)
    growth: Mapping[SnapshotKey, Growth] = field(default_factory=dict)
    rotating: frozenset[MachineKey] = frozenset()


NOTHING_REMEMBERED = Past()
