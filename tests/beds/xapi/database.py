"""The records of a pool by class and reference. References are good for one run of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from tests.beds.xapi.table import NULL, Record, fresh, table


class Database:
    def __init__(self) -> None:
        self.classes: dict[str, dict[str, Record]] = {name: {} for name in table()["fields"]}
        self._numbers = count(1)
        self._uuids = count(1)

    def uuid(self) -> str:
        """A new UUID, never given out before."""
        number = next(self._uuids)
        return f"00000000-0000-4000-8000-{number:012x}"

    def add(self, name: str, *, uuid: str | None = None, **values: Any) -> str:
        """A new record with the defaults of its class; its reference."""
        ref = f"OpaqueRef:{next(self._numbers):08d}"
        record = fresh(name) | {"uuid": uuid or self.uuid()} | values
        unknown = values.keys() - fresh(name).keys()
        assert not unknown, f"{name} has no field {unknown}"
        self.classes[name][ref] = record
        return ref

    def get(self, name: str, ref: str) -> Record:
        return self.classes[name][ref]

    def ref(self, name: str, uuid: str) -> str:
        """The present reference of what has this UUID. Raises KeyError."""
        return next(ref for ref, each in self.classes[name].items() if each["uuid"] == uuid)

    def by_uuid(self, name: str, uuid: str) -> Record:
        return self.get(name, self.ref(name, uuid))

    def has(self, name: str, uuid: str) -> bool:
        return any(each["uuid"] == uuid for each in self.classes[name].values())

    def where(self, name: str, holds: Callable[[Record], bool]) -> Iterator[tuple[str, Record]]:
        return ((ref, each) for ref, each in self.classes[name].items() if holds(each))

    def renew_references(self, name: str) -> None:
        """What a restart of the server does, at its worst: old references name other records."""
        old = list(self.classes[name])
        if len(old) > 1:
            self.rename(name, dict(zip(old, old[1:] + old[:1], strict=True)))

    def rename(self, name: str, new: dict[str, str]) -> None:
        """Give records of a class other references, everywhere."""
        self.classes[name] = {new.get(ref, ref): each for ref, each in self.classes[name].items()}
        for records in self.classes.values():
            for record in records.values():
                for key, value in record.items():
                    if key in _REFERRING[name]:
                        record[key] = _renamed(value, new)


def _renamed(value: Any, new: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [new.get(each, each) for each in value]
    return new.get(value, value) if value != NULL else value


_REFERRING = {
    "VM": {"snapshot_of", "snapshots", "parent", "children", "VM", "resident_VMs", "VMs"},
    "VDI": {"VDI", "suspend_VDI", "VDIs", "snapshot_of"},
}
