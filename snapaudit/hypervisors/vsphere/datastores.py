"""Datastores, and which of them a path lies on: names are unique within a datacenter only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.vsphere.names import datastore_of, decoded, inside_of
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.model.inventory import Datastore

NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class Stores:
    """All visible datastores by their reference."""

    by_moid: Mapping[str, RawObject]
    by_name: Mapping[str, tuple[str, ...]]

    def find(self, path: str, among: Iterable[str]) -> str | None:
        """The datastore that a machine's path lies on, ``among`` those that the machine uses."""
        named = self.by_name.get(datastore_of(path) or "", ())
        used = tuple(dict.fromkeys(moid for moid in among if moid in named))
        found = used or named
        return found[0] if len(found) == 1 else None

    def file_id(self, path: str, among: Iterable[str]) -> str:
        """One text for one file, whichever datacenter names it; the path where that is unknown.

        A volume that two datacenters mount is two datastores with one URL.
        """
        moid = self.find(path, among)
        if moid is None:
            return path
        return f"{_text(self.by_moid[moid], 'summary.url') or moid}\n{inside_of(path)}"

    def in_maintenance(self, moid: str) -> bool:
        """Whether it is in maintenance mode, or on its way there."""
        store = self.by_moid.get(moid)
        return store is not None and _text(store, "summary.maintenanceMode") not in (None, NORMAL)

    def name(self, moid: str) -> str:
        """Its name, for people."""
        store = self.by_moid.get(moid)
        return decoded((_text(store, "name") if store is not None else None) or moid)


def stores(found: Iterable[RawObject]) -> Stores:
    """From the raw datastores."""
    by_moid = {store.moid: store for store in found}
    by_name = defaultdict[str, list[str]](list)
    for moid, store in by_moid.items():
        by_name[_text(store, "name") or ""].append(moid)
    return Stores(by_moid, {name: tuple(moids) for name, moids in by_name.items()})


def datastore(store: RawObject, known_hosts: Iterable[str]) -> Datastore:
    """As the model has it. While it is not accessible, no figure of it means anything."""
    accessible = store.values.get("summary.accessible") is True
    capacity = _number(store, "summary.capacity") if accessible else None
    free = _number(store, "summary.freeSpace") if accessible else None
    mounted = store.values.get("host")
    hosts = mounted if isinstance(mounted, tuple) else ()
    return Datastore(
        id=store.moid,
        name=decoded(_text(store, "name") or store.moid),
        kind=_text(store, "summary.type") or "unknown",
        capacity_bytes=capacity,
        free_bytes=free,
        provisioned_bytes=_provisioned(store, capacity, free),
        accessible=accessible,
        host_ids=tuple(sorted(set(hosts) & set(known_hosts))),
        path=_text(store, "summary.url"),
        stale_reason=None if accessible else "the datastore is not accessible",
    )


def _provisioned(store: RawObject, capacity: int | None, free: int | None) -> int | None:
    """What its disks may grow to; None where the server does not tell what is promised."""
    uncommitted = _number(store, "summary.uncommitted")
    if capacity is None or free is None or uncommitted is None:
        return None
    return capacity - free + uncommitted


def _text(store: RawObject, path: str) -> str | None:
    value = store.values.get(path)
    return value if isinstance(value, str) else None


def _number(store: RawObject, path: str) -> int | None:
    value = store.values.get(path)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
