"""Raw records: what a vCenter or ESXi host says, property by property, before any judgement.

The bulk reader makes them, and so does the reference reader over pyvmomi; a test holds both equal.
A path that is in neither ``values`` nor ``missing`` is unset, which is normal for optional ones.
Of what comes by the hundred thousand the records are named tuples, made in half the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

NO_FILE = -1
"""The file key that says "there is none" (vim.vm.FileLayoutEx.SnapshotLayout.memoryKey)."""


@dataclass(frozen=True, slots=True)
class About:
    """Who answered (vim.AboutInfo). ``uuid`` is None where the server does not tell one."""

    uuid: str | None
    full_name: str
    api_type: str
    api_version: str

    @property
    def is_vcenter(self) -> bool:
        """A vCenter, or a single host."""
        return self.api_type == "VirtualCenter"


@dataclass(frozen=True, slots=True)
class RawObject:
    """One managed object. ``missing`` maps a path to the fault that kept it from being read.

    Values by path: str, bool, int, datetime; a reference is its moid; an array is a tuple; the
    records below stand for `snapshot`, `layoutEx`, `config.hardware.device` and what they hold.
    `customValue` is a tuple of pairs, key and text; `config.keyId` the key's id, `config.repConfig`
    the replication's, `runtime.question` its text. A record unknown here is its type's name.
    A fault in ``missing`` names the privilege that it asks for: ``NoPermission: System.Read``.
    """

    kind: str
    moid: str
    values: Mapping[str, object]
    missing: Mapping[str, str] = field(default_factory=dict)


class RawSnapshot(NamedTuple):
    """A node of the tree (vim.vm.SnapshotTree). ``name`` is raw: ``%2f`` stands for a slash."""

    moid: str
    id: int
    name: str
    description: str
    created_at: datetime | None
    state: str
    quiesced: bool | None
    parent: str | None
    backup_manifest: str | None = None


@dataclass(frozen=True, slots=True)
class RawTree:
    """All snapshots of a machine, parents before their children (vim.vm.SnapshotInfo)."""

    current: str | None
    snapshots: tuple[RawSnapshot, ...]


class RawFile(NamedTuple):
    """A file of a machine (vim.vm.FileLayoutEx.FileInfo), sizes in bytes.

    ``is_accessible`` None: the server did not say, as servers before API 6.0 do.
    """

    key: int
    name: str
    type: str
    size: int
    unique_size: int | None = None
    backing_object_id: str | None = None
    is_accessible: bool | None = None


@dataclass(frozen=True, slots=True)
class RawChain:
    """A disk's chain, base first; each unit is the file keys of a descriptor and its extents."""

    key: int
    units: tuple[tuple[int, ...], ...]


class RawSnapshotLayout(NamedTuple):
    """The files of one snapshot (vim.vm.FileLayoutEx.SnapshotLayout)."""

    moid: str
    data_key: int
    memory_key: int
    disks: tuple[RawChain, ...]


@dataclass(frozen=True, slots=True)
class RawLayout:
    """All files of a machine, and which disk stands on which (vim.vm.FileLayoutEx)."""

    files: Mapping[int, RawFile]
    disks: tuple[RawChain, ...]
    snapshots: tuple[RawSnapshotLayout, ...]
    at: datetime | None


class RawDisk(NamedTuple):
    """A virtual disk (vim.vm.device.VirtualDisk).

    ``backing`` is the name of the backing's type, ``file`` its own file, ``parents`` the files
    below it as the backing tells them, nearest first. ``mode`` is persistent,
    independent_persistent and so on. RDM backings carry ``rdm``: ``physicalMode`` or
    ``virtualMode``.
    """

    key: int
    label: str
    capacity: int | None
    backing: str
    file: str | None
    datastore: str | None
    mode: str | None
    parents: tuple[str, ...] = ()
    thin: bool | None = None
    rdm: str | None = None
    sharing: str | None = None


@dataclass(frozen=True, slots=True)
class RawManagedBy:
    """The product a machine belongs to (vim.ext.ManagedByInfo)."""

    extension_key: str
    type: str


@dataclass(frozen=True, slots=True)
class RawFork:
    """What makes a machine part of an instant-clone group (vim.vm.ForkConfigInfo)."""

    parent_enabled: bool | None
    parent_group: str | None
    child_group: str | None
    child_type: str | None


@dataclass(frozen=True, slots=True)
class RawFault:
    """Why something failed (vmodl.LocalizedMethodFault): the fault's type name, and words."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class RawTask:
    """A task (vim.TaskInfo). ``error`` is the fault's type name, ``message`` its words.

    ``result`` is the moid of what it made; ``user`` who asked for it, None if no user did.
    """

    moid: str
    description_id: str
    entity: str | None
    state: str
    progress: int | None
    queued_at: datetime | None
    user: str | None
    result: str | None
    error: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that a datastore search found; ``path`` is ``[datastore] folder/name``."""

    path: str
    size: int | None
    changed_at: datetime | None
