"""Datastores of the weekly report: where each is heading, and what deleting buys on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from snapaudit.app.weekly.listing import places
from snapaudit.app.weekly.parts import total
from snapaudit.model.finding import Audit
from snapaudit.model.history import DatastoreSeries
from snapaudit.model.inventory import ByteRange
from snapaudit.model.past import DatastoreKey, DaysToFull, Forecast
from snapaudit.model.weekly import ListedSnapshot, StoreOutlook
from snapaudit.report.stores import Store, endangered_first

_BEYOND = float("inf")


def outlooks(
    audit: Audit,
    snapshots: Iterable[ListedSnapshot],
    series: Mapping[DatastoreKey, DatastoreSeries],
    forecasts: Mapping[DatastoreKey, Forecast],
) -> tuple[StoreOutlook, ...]:
    """Every datastore: what is full first comes first, then by its findings and its fill."""
    back = _back(audit, snapshots)
    found = [
        _outlook(store, back.get(_key(store), ()), series.get(_key(store)), forecasts)
        for store in endangered_first(audit)
    ]
    return tuple(sorted(found, key=_days))


def _key(store: Store) -> DatastoreKey:
    return (store.endpoint, store.datastore.id)


def _days(one: StoreOutlook) -> float:
    days = one.forecast.days_to_full if one.forecast is not None else None
    return days.early if days is not None else _BEYOND


def _outlook(
    store: Store,
    gains: Iterable[ByteRange],
    series: DatastoreSeries | None,
    forecasts: Mapping[DatastoreKey, Forecast],
) -> StoreOutlook:
    back, free = total(gains), store.datastore.free_bytes
    forecast = forecasts.get(_key(store))
    return StoreOutlook(
        endpoint=store.endpoint,
        id=store.datastore.id,
        name=store.datastore.name,
        capacity_bytes=store.datastore.capacity_bytes,
        free_bytes=free,
        accessible=store.datastore.accessible,
        held=store.held,
        back=back,
        forecast=forecast,
        forecast_after=bought(forecast, free, back),
        findings=store.findings,
        levels=series.levels if series is not None else (),
    )


def bought(forecast: Forecast | None, free: int | None, back: ByteRange) -> DaysToFull | None:
    """The days to full once the offered snapshots are gone, at the pace of the forecast.

    Early and likely count on the least that comes back, late on the most. None: it is not filling,
    nothing is free to tell a pace by, or nothing comes back for sure.
    """
    days = forecast.days_to_full if forecast is not None else None
    if days is None or not free or not back.min:
        return None
    least = (free + back.min) / free
    most = None if back.max is None or days.late is None else days.late * (free + back.max) / free
    likely = None if days.likely is None else days.likely * least
    return DaysToFull(early=days.early * least, likely=likely, late=most)


def _back(audit: Audit, snapshots: Iterable[ListedSnapshot]) -> dict[DatastoreKey, list[ByteRange]]:
    """What each offered snapshot gives back on each datastore that it lies on.

    Over several datastores nobody can divide it: each may get all of it, or nothing.
    """
    machines = {
        (inventory.endpoint, vm.id): vm
        for inventory in audit.inventories
        for vm in inventory.virtual_machines
    }
    found: dict[DatastoreKey, list[ByteRange]] = {}
    for one in snapshots:
        if one.is_offered:
            endpoint, gain = one.home.endpoint, one.snapshot.reclaimable_bytes
            stores = places(machines[endpoint, one.home.vm_id], one.snapshot)
            least = gain.min if len(stores) == 1 else 0
            share = ByteRange(min=least, max=gain.max, basis=gain.basis)
            for store in stores:
                found.setdefault((endpoint, store), []).append(share)
    return found
