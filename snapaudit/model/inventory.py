"""Inventory: what one endpoint showed, without any judgement.

It is the first record of the line: endpoints → collect → *Inventory* → evaluate → findings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

INVENTORY_SCHEMA = "snapaudit/inventory@1"


class PowerState(StrEnum):
    """What a machine does now, or did when a snapshot was taken."""

    ON = "on"
    OFF = "off"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    UNKNOWN = "unknown"


class CoverageState(StrEnum):
    """How much of an endpoint was seen.

    ``missing``: not reached, or its answer cannot be trusted as a whole. ``partial``: some of its
    objects could not be read. ``suspicious``: it answered, but with less than can be believed.
    """

    COMPLETE = "complete"
    PARTIAL = "partial"
    MISSING = "missing"
    SUSPICIOUS = "suspicious"


class LayerRole(StrEnum):
    """Why an image stands in a disk's chain.

    ``base``: the disk's own first image. ``template``: an image that other disks stand on too.
    ``delta``: holds the writes since a registered snapshot. ``phantom``: a delta that no registered
    snapshot explains.
    """

    BASE = "base"
    TEMPLATE = "template"
    DELTA = "delta"
    PHANTOM = "phantom"


class StrayKind(StrEnum):
    """A file on a datastore that nothing uses."""

    VOLUME = "volume"
    OVERLAY = "overlay"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """A number of bytes known to lie between two bounds; ``max`` None: no upper bound is known.

    ``basis`` says what the bounds rest on, or why nothing is known.
    """

    min: int
    max: int | None
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of an endpoint was seen, and why not all of it."""

    state: CoverageState
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine that runs virtual machines."""

    id: str
    name: str
    version: str
    cluster: str | None = None
    in_maintenance: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Datastore:
    """A place where disks lie: datastore, storage pool, volume, storage repository.

    ``stale_reason`` says why the list of its files may be older than the files themselves.
    ``provisioned_bytes`` is what its disks could grow to.
    """

    id: str
    name: str
    kind: str
    capacity_bytes: int | None
    free_bytes: int | None
    provisioned_bytes: int | None = None
    accessible: bool = True
    host_ids: tuple[str, ...] = ()
    path: str | None = None
    stale_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLayer:
    """One image of a disk's chain. ``size_bytes`` is what it really occupies.

    ``exists`` is False when the file is known to be gone (the chain is broken), None when nobody
    could look.
    """

    path: str
    datastore_id: str | None
    size_bytes: int | None
    role: LayerRole
    snapshot_id: str | None = None
    format: str | None = None
    exists: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualDisk:
    """A disk as the guest sees it, with its chain of images, base first."""

    id: str
    label: str
    capacity_bytes: int | None
    layers: tuple[DiskLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A dirty-bitmap checkpoint of a backup chain. It is no snapshot and never ours to delete."""

    id: str
    name: str
    created_at: datetime | None
    parent_id: str | None
    disk_labels: tuple[str, ...]
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A frozen state of a virtual machine.

    ``id`` is unique among the snapshots of its machine. ``size_bytes`` is what has been written
    since it was taken, with its memory; ``pinned_bytes`` what is freed only with this snapshot;
    ``reclaimable_bytes`` what deleting it alone gives back. ``protections`` are the reasons why it
    must not be deleted, each ``word: sentence``. ``identity`` is the platform's own fingerprint of
    what the snapshot is, whatever its place in tree and chain, where its id may be used again; what
    follows a dot in it was read off the snapshot's own images and is lost with them.
    """

    id: str
    name: str
    description: str
    kind: str
    created_at: datetime | None
    parent_id: str | None
    power_state: PowerState
    has_memory: bool | None
    size_bytes: int | None
    pinned_bytes: int | None
    reclaimable_bytes: ByteRange
    is_quiesced: bool | None = None
    creator: str | None = None
    protections: tuple[str, ...] = ()
    identity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """Something people wrote about a machine under a name: a vSphere custom attribute."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualMachine:
    """A virtual machine with its disks and snapshots.

    ``protections`` hold for every change to its chains, so for each of its snapshots too;
    ``consolidation_protections`` besides them for merging the deltas that no snapshot explains,
    and ``consolidation_doubt`` is what a person has to settle first: whether they are its own.
    ``folder`` is the path of the folder that people filed it in; ``traits`` are words of the
    platform about it, such as ``encrypted`` or ``managed-by: com.example.product``.
    """

    id: str
    name: str
    host_id: str | None
    power_state: PowerState
    disks: tuple[VirtualDisk, ...]
    snapshots: tuple[Snapshot, ...]
    current_snapshot_id: str | None = None
    consolidation_needed: bool | None = None
    busy: bool | None = None
    is_template: bool = False
    tags: tuple[str, ...] = ()
    notes: str = ""
    folder: str | None = None
    attributes: tuple[Attribute, ...] = ()
    traits: tuple[str, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    protections: tuple[str, ...] = ()
    consolidation_protections: tuple[str, ...] = ()
    consolidation_doubt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StrayFile:
    """A file on a datastore that no machine, chain or snapshot of this endpoint uses.

    ``reason`` says what it looks like and what was compared.
    """

    id: str
    name: str
    path: str
    kind: StrayKind
    datastore_id: str
    size_bytes: int | None
    reason: str
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that could not be read, and why. What was not seen is never clean."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All that one endpoint showed at one moment.

    ``clock_skew_seconds`` is the manager's clock minus ours, None when it was not told. ``gaps``
    is what should have been read and was not; ``blind_spots`` what this way of reading never sees.
    ``connection_verified`` False: nobody checked who answered, or others could read along.
    """

    schema: str = INVENTORY_SCHEMA
    endpoint: str
    hypervisor: str
    collected_at: datetime
    coverage: Coverage
    manager_id: str | None = None
    clock_skew_seconds: float | None = None
    lab: bool = False
    connection_verified: bool | None = None
    hosts: tuple[Host, ...] = ()
    datastores: tuple[Datastore, ...] = ()
    virtual_machines: tuple[VirtualMachine, ...] = ()
    strays: tuple[StrayFile, ...] = ()
    gaps: tuple[Gap, ...] = ()
    blind_spots: tuple[str, ...] = ()
