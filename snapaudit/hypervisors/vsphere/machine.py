"""A machine's raw properties with their types, and what of them could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from snapaudit.hypervisors.vsphere.names import decoded
from snapaudit.hypervisors.vsphere.raw import RawDisk, RawLayout, RawObject, RawTree

NOT_KNOWN_HERE = "InvalidProperty"
"""The fault of a path that a server's release does not have: it is unset there."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One virtual machine as its server tells it."""

    raw: RawObject

    @property
    def moid(self) -> str:
        """The reference by which it is asked for."""
        return self.raw.moid

    @property
    def name(self) -> str:
        """As people gave it; the reference where the name may not be read."""
        return decoded(self.text("name") or self.moid)

    @property
    def tree(self) -> RawTree | None:
        """Its snapshots; None: it has none, or they could not be read."""
        value = self.raw.values.get("snapshot")
        return value if isinstance(value, RawTree) and value.snapshots else None

    @property
    def layout(self) -> RawLayout | None:
        """Its files; None when nobody told them."""
        value = self.raw.values.get("layoutEx")
        return value if isinstance(value, RawLayout) else None

    @property
    def devices(self) -> tuple[RawDisk, ...] | None:
        """Its disks as devices; None when they were not asked for or could not be read."""
        value = self.raw.values.get("config.hardware.device")
        if not isinstance(value, tuple):
            return None
        return tuple(one for one in value if isinstance(one, RawDisk))

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
        return (
            tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()
        )

    def is_unread(self, path: str) -> bool:
        """Whether a path should have been readable and was not."""
        return path in unread(self.raw)

    def with_more(self, more: RawObject) -> Machine:
        """The same machine after a second reading of other paths."""
        values = {**self.raw.values, **more.values}
        return Machine(
            replace(self.raw, values=values, missing={**self.raw.missing, **more.missing})
        )


def unread(raw: RawObject) -> Mapping[str, str]:
    """Each path that could not be read, with its fault. Paths the release lacks are not among."""
    return {
        path: fault
        for path, fault in raw.missing.items()
        if fault.partition(":")[0] != NOT_KNOWN_HERE
    }
