"""A machine's raw properties with their types, and what of them could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from snapaudit.hypervisors.vsphere.names import decoded
from snapaudit.hypervisors.vsphere.raw import (
    RawChain,
    RawDisk,
    RawLayout,
    RawObject,
    RawSnapshotLayout,
    RawTree,
)

NOT_KNOWN_HERE = "InvalidProperty"
"""The fault of a path that a server's release does not have: it is unset there."""

_NO_KEYS = frozenset[int]()


@dataclass(frozen=True, slots=True)
class Machine:
    """One virtual machine as its server tells it.

    ``tree`` None: it has no snapshots, or they could not be read. ``layout`` None: nobody told its
    files. ``devices`` None: its disks were not asked for or could not be read. ``keys`` are the
    files in its layout's chains, frozen ones included.
    """

    raw: RawObject
    tree: RawTree | None = field(init=False)
    layout: RawLayout | None = field(init=False)
    devices: tuple[RawDisk, ...] | None = field(init=False)
    datastores: tuple[str, ...] = field(init=False)
    keys: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        get, put = self.raw.values.get, object.__setattr__
        tree, layout, found = get("snapshot"), get("layoutEx"), get("config.hardware.device")
        put(self, "tree", tree if isinstance(tree, RawTree) and tree.snapshots else None)
        layout = layout if isinstance(layout, RawLayout) else None
        put(self, "layout", layout)
        put(self, "keys", chain_keys(layout.disks, layout.snapshots) if layout else _NO_KEYS)
        put(self, "devices", _disks(found) if isinstance(found, tuple) else None)
        put(self, "datastores", self.words("datastore"))

    @property
    def moid(self) -> str:
        """The reference by which it is asked for."""
        return self.raw.moid

    @property
    def name(self) -> str:
        """As people gave it; the reference where the name may not be read."""
        return decoded(self.text("name") or self.moid)

    @property
    def home(self) -> str | None:
        """The path of its configuration file."""
        return self.text("config.files.vmPathName")

    def text(self, path: str) -> str | None:
        """A text or reference; None when it is unset."""
        value = self.raw.values.get(path)
        return value if isinstance(value, str) else None

    def flag(self, path: str) -> bool | None:
        """A boolean; None when it is unset."""
        value = self.raw.values.get(path)
        return value if isinstance(value, bool) else None

    def words(self, path: str) -> tuple[str, ...]:
        """An array of texts or references; empty when it is unset."""
        value = self.raw.values.get(path)
        if not value or not isinstance(value, tuple):
            return ()
        return tuple([one for one in value if isinstance(one, str)])

    def is_unread(self, path: str) -> bool:
        """Whether a path should have been readable and was not."""
        return path in unread(self.raw)

    def with_more(self, more: RawObject) -> Machine:
        """The same machine after a second reading of other paths."""
        raw = self.raw
        values, missing = {**raw.values, **more.values}, {**raw.missing, **more.missing}
        return Machine(RawObject(raw.kind, raw.moid, values, missing))


def _disks(found: tuple[object, ...]) -> tuple[RawDisk, ...]:
    return tuple(one for one in found if isinstance(one, RawDisk))


def chain_keys(disks: Iterable[RawChain], snapshots: Iterable[RawSnapshotLayout]) -> frozenset[int]:
    """The keys of all files in these chains, and in those that the snapshots froze."""
    chains = (*disks, *(disk for one in snapshots for disk in one.disks))
    return frozenset([key for chain in chains for unit in chain.units for key in unit])


def unread(raw: RawObject) -> Mapping[str, str]:
    """Each path that could not be read, with its fault. Paths the release lacks are not among."""
    if not raw.missing:
        return {}
    return {
        path: fault
        for path, fault in raw.missing.items()
        if fault.partition(":")[0] != NOT_KNOWN_HERE
    }
