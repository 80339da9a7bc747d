"""Leaf readings of one machine: what it is, and whether something goes on with it right now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.errors import AccessDenied
from snapaudit.hypervisors.vsphere.machine import unread
from snapaudit.hypervisors.vsphere.paths import VIRTUAL_MACHINE
from snapaudit.hypervisors.vsphere.raw import RawObject, RawSnapshot, RawTask, RawTree
from snapaudit.hypervisors.vsphere.service import ActingService

PATHS = (
    "config.instanceUuid",
    "config.uuid",
    "snapshot",
    "runtime.snapshotInBackground",
    "recentTask",
)
_UNDER_WAY = frozenset({"queued", "running"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine as it is told apart from any other, and the tasks that it shows.

    ``manager`` and the two ids are None where the server does not tell them.
    """

    manager: str | None
    moid: str
    instance_uuid: str | None
    uuid: str | None
    snapshots: tuple[RawSnapshot, ...]
    in_background: bool
    recent: tuple[str, ...]

    def snapshot(self, moid: str) -> RawSnapshot | None:
        """The snapshot of that id; None when it is gone."""
        return next((one for one in self.snapshots if one.moid == moid), None)


def machine(service: ActingService, moid: str) -> Machine | None:
    """The machine as it is now, by one call; None when it is gone. Raises HypervisorError."""
    found = next(iter(service.read_of(VIRTUAL_MACHINE, [moid], PATHS)), None)
    if found is None:
        return None
    for path, fault in unread(found).items():
        raise AccessDenied(f"{moid}: {path} could not be read: {fault}")
    return _machine(service.about.uuid, found)


def _machine(manager: str | None, found: RawObject) -> Machine:
    tree, recent = found.values.get("snapshot"), found.values.get("recentTask")
    return Machine(
        manager=manager,
        moid=found.moid,
        instance_uuid=_text(found, "config.instanceUuid"),
        uuid=_text(found, "config.uuid"),
        snapshots=tree.snapshots if isinstance(tree, RawTree) else (),
        in_background=found.values.get("runtime.snapshotInBackground") is True,
        recent=tuple(str(one) for one in recent) if isinstance(recent, tuple) else (),
    )


def _text(found: RawObject, path: str) -> str | None:
    value = found.values.get(path)
    return value if isinstance(value, str) else None


def under_way(service: ActingService, seen: Machine) -> Iterator[RawTask]:
    """The tasks of a machine that have not ended."""
    for moid in seen.recent:
        task = service.task(moid)
        if task is not None and is_under_way(task):
            yield task


def is_under_way(task: RawTask) -> bool:
    """Whether a task waits or runs."""
    return task.state in _UNDER_WAY
