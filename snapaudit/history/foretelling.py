"""Foretelling: what the remembered runs say of the future and of habits, for rules and readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from snapaudit.history import reading
from snapaudit.history.database import Database
from snapaudit.history.forecasting import WINDOW, Made, forecast
from snapaudit.history.habits import rotating
from snapaudit.history.identity import to_moment, to_number
from snapaudit.history.sizes import growth_of_all
from snapaudit.model.history import Level
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.past import Course, DatastoreKey, Forecast, Past

_JUDGED = timedelta(days=400)


def past(database: Database, inventories: Sequence[Inventory], now: datetime) -> Past:
    """Everything remembered from before ``now`` about what the inventories show, these included.

    A run of the very moment of an inventory is that inventory recorded already.
    """
    seen = [one for one in inventories if one.coverage.state is not CoverageState.MISSING]
    before = now - timedelta(microseconds=1)
    return Past(
        forecasts=_forecasts(database, seen, before, now),
        growth=growth_of_all(database, seen, before, now),
        rotating=frozenset(rotating(database, seen, before)),
    )


def forecasts(database: Database, now: datetime) -> tuple[Forecast, ...]:
    """The forecasts by what was recorded up to a moment, of datastores seen within half a year."""
    earlier = _earlier(database, now)
    found = reading.datastores(database, since=now - _JUDGED, until=now)
    since = now - WINDOW
    return tuple(
        forecast(one, earlier.get((one.endpoint, one.id), ()))
        for one in found
        if one.levels[-1].at >= since
    )


def _forecasts(
    database: Database, inventories: Iterable[Inventory], before: datetime, now: datetime
) -> dict[DatastoreKey, Forecast]:
    known = {
        (one.endpoint, one.id): one
        for one in reading.datastores(database, since=now - _JUDGED, until=before)
    }
    earlier = _earlier(database, before)
    made = {}
    for inventory in inventories:
        for store in inventory.datastores:
            key = (inventory.endpoint, store.id)
            if key in known:
                level = Level(
                    at=now, capacity_bytes=store.capacity_bytes, free_bytes=store.free_bytes
                )
                series = replace(known[key], name=store.name, levels=(*known[key].levels, level))
                made[key] = forecast(series, earlier.get(key, ()))
    return made


def _earlier(database: Database, until: datetime) -> dict[DatastoreKey, list[Made]]:
    found: defaultdict[DatastoreKey, list[Made]] = defaultdict(list)
    for endpoint, native, at, capacity, level, low, likely, high in database.rows(
        "SELECT e.name, s.native, r.audited_at, f.capacity, f.level, f.low, f.likely, f.high "
        "FROM forecast f JOIN run r ON r.id = f.run JOIN subject s ON s.id = f.subject "
        "JOIN endpoint e ON e.id = s.endpoint WHERE r.audited_at BETWEEN ? AND ? "
        "ORDER BY r.audited_at, r.id",
        (to_number(until - _JUDGED), to_number(until)),
    ):
        course = Course(at=to_moment(at), level_bytes=level, low=low, likely=likely, high=high)
        found[endpoint, native].append(Made(course=course, capacity_bytes=capacity))
    return found
