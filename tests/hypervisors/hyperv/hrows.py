"""Rows as a host's script prints them, with sensible defaults: a test names what matters to it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from snapaudit.hypervisors.hyperv.rows import (
    Answer,
    CheckpointRow,
    DiskRow,
    Drive,
    ErrorRow,
    FileRow,
    HostRow,
    MachineRow,
    VolumeRow,
)
from tests.builders import GIB, NOW, ago

MIB = 2**20
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
RUNNING, OFF, SAVED, PAUSED, STARTING = 2, 3, 6, 9, 10
OK, MERGING, DELETING, BACKING_UP = 2, 32772, 32770, 32776


def guid(name: str) -> str:
    """The same id for the same name, in every run."""
    return str(uuid5(NAMESPACE_DNS, ascii(name)))


def host_row(name: str = "HV1", /, **changes: Any) -> HostRow:
    fields: dict[str, Any] = {
        "version": 1,
        "name": name,
        "os": "10.0.20348",
        "powershell": "5.1.20348.1",
        "language_mode": "FullLanguage",
        "now": NOW,
        "culture": "en-US",
        "uuid": guid(f"host {name}"),
    }
    return HostRow(**{**fields, **changes})


def drive(path: str | None, location: int = 0, **changes: Any) -> Drive:
    fields: dict[str, Any] = {
        "controller": ("SCSI", 0, location),
        "path": path,
        "disk_number": None,
        "is_shared": False,
    }
    return Drive(**{**fields, **changes})


def machine_row(name: str = "web", /, *drives: Drive, **changes: Any) -> MachineRow:
    fields: dict[str, Any] = {
        "id": guid(name),
        "name": name,
        "state": RUNNING,
        "statuses": (OK,),
        "parent_checkpoint": None,
        "checkpoint_setting": 3,
        "automatic_checkpoints": False,
        "replication": 0,
        "is_clustered": False,
        "version": "9.0",
        "notes": "",
        "drives": drives,
        "merging_disabled": False,
    }
    return MachineRow(**{**fields, **changes})


def checkpoint_row(
    machine: str, name: str, /, *drives: Drive, age: str = "9d", **changes: Any
) -> CheckpointRow:
    fields: dict[str, Any] = {
        "id": guid(f"{machine} {name}"),
        "machine": guid(machine),
        "name": name,
        "type": "Standard",
        "created_at": ago(age),
        "parent": None,
        "is_automatic": False,
        "state": OFF,
        "system_bytes": MIB,
        "notes": "",
        "drives": drives,
    }
    return CheckpointRow(**{**fields, **changes})


def disk_row(path: str, parent: str | None = None, **changes: Any) -> DiskRow:
    fields: dict[str, Any] = {
        "path": path,
        "type": DYNAMIC if parent is None else DIFFERENCING,
        "format": 3,
        "file_bytes": 10 * GIB if parent is None else GIB,
        "size_bytes": 40 * GIB,
        "least_bytes": None,
        "parent": parent,
        "id": guid(path.lower()),
    }
    return DiskRow(**{**fields, **changes})


def file_row(path: str, length: int | None = GIB, *, age: str = "30d") -> FileRow:
    return FileRow(path=path, length=length, changed_at=ago(age))


def volume_row(path: str = "D:\\", **changes: Any) -> VolumeRow:
    fields: dict[str, Any] = {
        "path": path,
        "capacity": 1000 * GIB,
        "free": 500 * GIB,
        "label": "",
        "file_system": "NTFS",
    }
    return VolumeRow(**{**fields, **changes})


def error_row(where: str, of: str | None = None, **changes: Any) -> ErrorRow:
    fields: dict[str, Any] = {
        "where": where,
        "id": of,
        "error_id": None,
        "number": None,
        "message": "it could not be read",
    }
    return ErrorRow(**{**fields, **changes})


def answer(*rows: object, host: HostRow | None = None, **changes: Any) -> Answer:
    """Rows of any kind and lines of rows, each where it belongs; with a volume if none is named."""
    found = Answer(host=host or host_row())
    homes: dict[type, list[Any]] = {
        MachineRow: found.machines,
        CheckpointRow: found.checkpoints,
        DiskRow: found.disks,
        FileRow: found.files,
        VolumeRow: found.volumes,
        ErrorRow: found.errors,
    }
    for row in _flat(rows):
        homes[type(row)].append(row)
    if not found.volumes:
        found.volumes.append(volume_row())
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def _flat(rows: Iterable[object]) -> Iterable[object]:
    for row in rows:
        if isinstance(row, (list, tuple)):
            yield from _flat(row)
        else:
            yield row


def line(
    machine: str = "web",
    *checkpoints: str,
    folder: str = "D:\\VMs",
    base: dict[str, Any] | None = None,
    deltas: dict[str, Any] | None = None,
    vm: dict[str, Any] | None = None,
    cp: dict[str, Any] | None = None,
) -> list[object]:
    """One machine with one disk and a straight line of checkpoints, oldest first.

    Checkpoint n holds file n of the chain, and file n+1 holds what was written since.
    """
    paths = [f"{folder}\\{machine}.vhdx"]
    paths += [f"{folder}\\{machine}_{guid(f'{machine} {name}')}.avhdx" for name in checkpoints]
    ids = [guid(f"{machine} {name}") for name in checkpoints]
    rows: list[object] = [disk_row(paths[0], **(base or {}))]
    for below, path in pairwise(paths):
        rows.append(disk_row(path, below, **(deltas or {})))
    for number, name in enumerate(checkpoints):
        parent = ids[number - 1] if number else None
        age = f"{9 + len(checkpoints) - number}d"
        fields = {"parent": parent, "age": age, **(cp or {})}
        rows.append(checkpoint_row(machine, name, drive(paths[number]), **fields))
    current = ids[-1] if ids else None
    rows.append(machine_row(machine, drive(paths[-1]), parent_checkpoint=current, **(vm or {})))
    return rows
