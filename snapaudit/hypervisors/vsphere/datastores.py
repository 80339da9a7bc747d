"""Datastores, and which of them a path lies on: names are unique within a datacenter only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from snapaudit.hypervisors.vsphere.names import decoded, parted
from snapaudit.hypervisors.vsphere.raw import RawObject
from snapaudit.model.inventory import Datastore

NORMAL = "normal"


class Stores:
    """All visible datastores by their reference.

    Each question is answered once for a datastore's name and the machine's own datastores: there
    are few of those, and many files.
    """

    def __init__(self, found: Iterable[RawObject]) -> None:
        self.by_moid = {store.moid: store for store in found}
        self._named = defaultdict[str | None, list[str]](list)
        self._found = dict[tuple[str | None, tuple[str, ...]], tuple[str | None, str]]()
        for moid, store in self.by_moid.items():
            self._named[_text(store, "name")].append(moid)
        urls = [_text(store, "summary.url") or moid for moid, store in self.by_moid.items()]
        self._is_one_to_one = len(self._named) == len(urls) == len(set(urls))

    def find(self, path: str, among: tuple[str, ...]) -> str | None:
        """The datastore that a machine's path lies on, ``among`` those that the machine uses."""
        return self._place(parted(path)[0], among)[0]

    def file_id(self, path: str, among: tuple[str, ...]) -> str:
        """One text for one file, whichever datacenter names it; the path where that is unknown.

        A volume that two datacenters mount is two datastores with one URL. Where no name and no
        volume is there twice, the path as the server writes it is such a text.
        """
        if self._is_one_to_one and path.partition("]")[2].startswith(" "):
            return path
        name, inside = parted(path)
        if self._is_one_to_one:
            return path if name is None else f"[{name}] {inside}"
        moid, volume = self._place(name, among)
        return path if moid is None else f"{volume}\n{inside}"

    def _place(self, name: str | None, among: tuple[str, ...]) -> tuple[str | None, str]:
        """Datastore and volume."""
        asked = (name, among)
        if asked not in self._found:
            self._found[asked] = self._look_up(name, among)
        return self._found[asked]

    def _look_up(self, name: str | None, among: tuple[str, ...]) -> tuple[str | None, str]:
        named = self._named.get(name, [])
        found = [moid for moid in dict.fromkeys(among) if moid in named] or named
        if name is None or len(found) != 1:
            return None, ""
        return found[0], _text(self.by_moid[found[0]], "summary.url") or found[0]

    def in_maintenance(self, moid: str) -> bool:
        """Whether it is in maintenance mode, or on its way there."""
        store = self.by_moid.get(moid)
        return store is not None and _text(store, "summary.maintenanceMode") not in (None, NORMAL)

    def name(self, moid: str) -> str:
        """Its name, for people."""
        store = self.by_moid.get(moid)
        return decoded((_text(store, "name") if store is not None else None) or moid)


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
