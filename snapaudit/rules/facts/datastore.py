"""Facts about a datastore."""

from __future__ import annotations

from datetime import timedelta

from snapaudit.model.inventory import Datastore, StrayFile
from snapaudit.model.past import Trend
from snapaudit.rules.facts.registry import fact
from snapaudit.rules.quantity import Bytes, Share, Unknown, known_sum, share_of
from snapaudit.rules.scene import DatastoreScene

_LEAST_RESERVE = 10 * 2**30
_RESERVE_SHARE = 0.05


@fact
def name(scene: DatastoreScene) -> str:
    """The name."""
    return scene.datastore.name


@fact
def kind(scene: DatastoreScene) -> str:
    """The platform's own word for the sort of datastore."""
    return scene.datastore.kind


@fact
def is_accessible(scene: DatastoreScene) -> bool:
    """Whether it can be reached."""
    return scene.datastore.accessible


@fact
def is_stale(scene: DatastoreScene) -> bool:
    """Whether the list of its files may be older than the files themselves."""
    return scene.datastore.stale_reason is not None


@fact
def hosts(scene: DatastoreScene) -> int:
    """How many hosts use it."""
    return len(scene.datastore.host_ids)


@fact
def unused_files(scene: DatastoreScene) -> int:
    """How many files on it nothing uses."""
    return len(_strays(scene))


@fact
def unused_size(scene: DatastoreScene) -> Bytes | Unknown:
    """What the files on it that nothing uses occupy."""
    sizes = [stray.size_bytes for stray in _strays(scene)]
    total = known_sum(sizes, "the size of a file is not known")
    return total if isinstance(total, Unknown) else Bytes(total)


@fact
def capacity(scene: DatastoreScene) -> Bytes | Unknown:
    """How much it can hold."""
    size = scene.datastore.capacity_bytes
    return _untold(scene.datastore, "capacity") if size is None else Bytes(size)


@fact
def free(scene: DatastoreScene) -> Bytes | Unknown:
    """How much of it is free."""
    size = scene.datastore.free_bytes
    return _untold(scene.datastore, "free space") if size is None else Bytes(size)


@fact
def used_share(scene: DatastoreScene) -> Share | Unknown:
    """The part of its capacity that is used."""
    whole, rest = capacity(scene), free(scene)
    if isinstance(whole, Unknown) or isinstance(rest, Unknown):
        return _reason(whole, rest)
    return share_of(whole - rest, whole)


@fact
def provisioned_size(scene: DatastoreScene) -> Bytes | Unknown:
    """What its disks could grow to."""
    size = scene.datastore.provisioned_bytes
    return _untold(scene.datastore, "provisioned space") if size is None else Bytes(size)


@fact
def provisioned_share(scene: DatastoreScene) -> Share | Unknown:
    """What its disks could grow to, against its capacity."""
    return share_of(provisioned_size(scene), capacity(scene))


@fact
def held_by_snapshots(scene: DatastoreScene) -> Bytes | Unknown:
    """What deltas, phantom overlays and internal snapshots occupy on it."""
    held = scene.held_bytes
    return held if isinstance(held, Unknown) else Bytes(held)


@fact
def held_share(scene: DatastoreScene) -> Share | Unknown:
    """What deltas, phantom overlays and internal snapshots occupy, against its capacity."""
    return share_of(scene.held_bytes, capacity(scene))


@fact
def largest_delta(scene: DatastoreScene) -> Bytes | Unknown:
    """The largest delta or phantom overlay on it, which a merge would write into the image below.

    Internal snapshots are no deltas: to delete one needs no room.
    """
    largest = scene.largest_delta_bytes
    return largest if isinstance(largest, Unknown) else Bytes(largest)


@fact
def merge_shortage(scene: DatastoreScene) -> Bytes | Unknown:
    """What is missing to merge the largest delta and keep a reserve; 0 without a delta.

    The reserve is the larger of 10 GiB and 5 % of the capacity.
    """
    largest, whole, rest = scene.largest_delta_bytes, capacity(scene), free(scene)
    if largest == 0:
        return Bytes(0)
    if isinstance(whole, Unknown) or isinstance(rest, Unknown):
        return _reason(whole, rest)
    spare = rest - max(_LEAST_RESERVE, int(whole * _RESERVE_SHARE))
    if isinstance(largest, Unknown):
        return _shortage_of_unknown(largest, spare)
    return Bytes(max(0, largest - spare))


@fact
def has_forecast(scene: DatastoreScene) -> bool | Unknown:
    """Whether earlier runs tell in how many days it will be full."""
    known = scene.forecast
    if isinstance(known, Unknown):
        return known
    return known is not None and known.days_to_full is not None


@fact
def days_to_full(scene: DatastoreScene) -> timedelta | Unknown:
    """Days until nothing is free, the early end of the range that earlier runs tell.

    Unknown without a forecast that ends within a year.
    """
    known = scene.forecast
    if isinstance(known, Unknown):
        return known
    if known is None or known.days_to_full is None:
        return Unknown("earlier runs do not tell when it will be full")
    return timedelta(days=known.days_to_full.early)


@fact
def forecast_trend(scene: DatastoreScene) -> Trend | Unknown:
    """Where its fill level is heading by what earlier runs saw."""
    known = scene.forecast
    if isinstance(known, Unknown):
        return known
    return Trend.TOO_LITTLE_DATA if known is None else known.trend


def _shortage_of_unknown(largest: Unknown, spare: int) -> Unknown:
    """There is a delta of some size, so a spare below zero is short already."""
    known = largest.at_least if isinstance(largest.at_least, int) else 0
    return Unknown(largest.reason, max(0, known - spare))


def _strays(scene: DatastoreScene) -> list[StrayFile]:
    store = scene.datastore.id
    return [stray for stray in scene.endpoint.inventory.strays if stray.datastore_id == store]


def _reason(*values: int | Unknown) -> Unknown:
    return next(value for value in values if isinstance(value, Unknown))


def _untold(datastore: Datastore, what: str) -> Unknown:
    if not datastore.accessible:
        return Unknown(f"the datastore cannot be reached, so its {what} is not known")
    return Unknown(f"the hypervisor does not tell its {what}")
