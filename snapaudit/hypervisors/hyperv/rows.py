"""Rows: what the scripts print, one JSON object a line, as records.

An answer without its ``end`` row, or with another number of rows than it says, was cut: it is no
answer at all. Unknown kinds and keys are ignored, so that older programs read newer scripts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Drive:
    """A drive of a machine, or (in a checkpoint) the file that the checkpoint froze.

    ``controller`` is type, number and location: a slot, which stays when paths change. ``path`` is
    None for a pass-through disk, whose ``disk_number`` is told instead.
    """

    controller: tuple[str, int, int]
    path: str | None
    disk_number: int | None = None
    is_shared: bool | None = None


@dataclass(frozen=True, slots=True)
class HostRow:
    """The host that answered. ``now`` is its own clock; ``language_mode`` PowerShell's."""

    version: int
    name: str
    os: str
    powershell: str
    language_mode: str
    now: datetime | None
    culture: str = ""
    uuid: str | None = None
    cluster: str | None = None
    nodes: tuple[str, ...] = ()
    cluster_id: str | None = None


@dataclass(frozen=True, slots=True)
class SelfRow:
    """Who asks, as the host sees it, and whether its service for machines (VMMS) runs."""

    user: str
    is_running: bool | None
    module: str | None
    is_administrator: bool | None
    is_hyperv_administrator: bool | None


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A virtual machine (Get-VM). States and statuses are numbers: their texts are translated."""

    id: str
    name: str
    state: int
    statuses: tuple[int, ...]
    parent_checkpoint: str | None
    checkpoint_setting: int | None
    automatic_checkpoints: bool | None
    replication: int | None
    is_clustered: bool | None
    version: str | None
    notes: str
    drives: tuple[Drive, ...]
    merging_disabled: bool | None = None


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """A checkpoint (Get-VMSnapshot). ``system_bytes``: its configuration and saved memory."""

    id: str
    machine: str
    name: str
    type: str
    created_at: datetime | None
    parent: str | None
    is_automatic: bool | None
    state: int | None
    system_bytes: int | None
    notes: str
    drives: tuple[Drive, ...]


@dataclass(frozen=True, slots=True)
class DiskRow:
    """A disk file in a chain (Get-VHD). ``parent`` is its one parent file; sizes in bytes.

    ``type`` is 2 fixed, 3 dynamic, 4 differencing (Microsoft.Vhd.PowerShell.VhdType).
    """

    path: str
    type: int | None
    format: int | None
    file_bytes: int | None
    size_bytes: int | None
    least_bytes: int | None
    parent: str | None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A loose `.avhd` or `.avhdx` in a folder that holds a known disk."""

    path: str
    length: int | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """A volume or cluster shared volume by where it is mounted (Win32_Volume)."""

    path: str
    capacity: int | None
    free: int | None
    label: str = ""
    file_system: str = ""
    is_csv: bool = False
    owner: str | None = None
    in_maintenance: bool | None = None


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """Something that could not be read: where, of what, the error's id, number and words."""

    where: str
    id: str | None
    error_id: str | None
    number: int | None
    message: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event of the merging service: its number, when, and its data."""

    number: int
    at: datetime | None
    data: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """What the remover did with a checkpoint: ``would``, ``skip`` or ``removed``, and why.

    ``statuses`` are the machine's own at that moment, for the two that did not skip.
    """

    kind: str
    id: str
    why: str | None = None
    statuses: tuple[int, ...] = ()


@dataclass(slots=True)
class Answer:
    """All rows of one answer of one host, complete."""

    host: HostRow | None = None
    asker: SelfRow | None = None
    machines: list[MachineRow] = field(default_factory=list)
    checkpoints: list[CheckpointRow] = field(default_factory=list)
    disks: list[DiskRow] = field(default_factory=list)
    files: list[FileRow] = field(default_factory=list)
    volumes: list[VolumeRow] = field(default_factory=list)
    errors: list[ErrorRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
