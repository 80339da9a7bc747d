"""Records of a pool's database, with the fields that are needed and nothing else.

Each function takes one record as the protocol has it, and keeps a few hundred bytes of the ten
thousand that a VM has. A record without a UUID cannot be told from others: ValueError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from snapaudit.hypervisors.xen import values

Raw = Mapping[str, Any]
DISKS = frozenset({"user", "system", "ephemeral"})
"""The types of VDI that are disks."""
SUSPEND, CBT_METADATA, PVS_CACHE = "suspend", "cbt_metadata", "pvs_cache"

_MARKS = ("xo:", "Citrix")
_KEPT = frozenset({"gc", "coalesce", "leaf-coalesce"})


class VmKind(Enum):
    """What a record of class VM is."""

    CONTROL_DOMAIN = "control domain"
    BUILT_IN = "built-in template"
    SNAPSHOT = "snapshot"
    TEMPLATE = "template"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class VmRecord:
    """A machine, template or snapshot. ``marks``: the keys of products in its ``other_config``.

    ``blocked`` are operations that somebody forbade, ``operations`` those under way.
    """

    ref: str
    uuid: str
    name: str
    description: str
    kind: VmKind
    snapshot_of: str | None
    snapshot_time: datetime | None
    info: Mapping[str, str]
    parent: str | None
    power_state: str
    suspend_vdi: str | None
    vbds: tuple[str, ...]
    tags: tuple[str, ...]
    marks: Mapping[str, str]
    blocked: tuple[str, ...]
    operations: tuple[str, ...]
    may_be_destroyed: bool
    is_template: bool
    resident_on: str | None
    is_scheduled: bool
    schedule: str | None
    has_vss_id: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VbdRecord:
    """How a machine uses a disk. ``owned``: the disk goes with the machine (key ``owner``)."""

    ref: str
    vm: str | None
    vdi: str | None
    position: str
    is_disk: bool
    owned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VdiRecord:
    """An image. ``managed`` False: a hidden base copy. ``parent`` is the UUID it stands on."""

    ref: str
    uuid: str
    name: str
    sr: str | None
    virtual_size: int | None
    size: int | None
    type: str
    managed: bool
    missing: bool
    is_a_snapshot: bool
    snapshot_of: str | None
    snapshot_time: datetime | None
    vbds: tuple[str, ...]
    tracks_changes: bool
    parent: str | None
    format: str | None
    is_mirrored: bool
    marks: Mapping[str, str]
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecord:
    """A snapshot schedule (VMSS)."""

    name: str
    enabled: bool


def vm(ref: str, raw: Raw) -> VmRecord:
    """From class VM."""
    info = values.mapping(raw.get("snapshot_info"))
    return VmRecord(
        ref=ref,
        uuid=uuid_of("VM", ref, raw),
        name=values.text(raw.get("name_label")),
        description=values.text(raw.get("name_description")),
        kind=_kind(raw),
        snapshot_of=values.reference(raw.get("snapshot_of")),
        snapshot_time=values.moment(raw.get("snapshot_time")),
        info=info,
        parent=values.reference(raw.get("parent")),
        power_state=values.text(raw.get("power_state")),
        suspend_vdi=values.reference(raw.get("suspend_VDI")),
        vbds=values.references(raw.get("VBDs")),
        tags=values.words(raw.get("tags")),
        marks=marks_of(raw),
        blocked=values.keys(raw.get("blocked_operations")),
        operations=_running(raw),
        may_be_destroyed="destroy" in values.words(raw.get("allowed_operations")),
        is_template=raw.get("is_a_template") is True,
        resident_on=values.reference(raw.get("resident_on")),
        is_scheduled=raw.get("is_vmss_snapshot") is True,
        schedule=values.reference(raw.get("snapshot_schedule")),
        has_vss_id=bool(raw.get("transportable_snapshot_id")),
    )


def vbd(ref: str, raw: Raw) -> VbdRecord:
    """From class VBD."""
    return VbdRecord(
        ref=ref,
        vm=values.reference(raw.get("VM")),
        vdi=values.reference(raw.get("VDI")),
        position=values.text(raw.get("userdevice")),
        is_disk=raw.get("type") == "Disk",
        owned="owner" in values.keys(raw.get("other_config")),
    )


def vdi(ref: str, raw: Raw) -> VdiRecord:
    """From class VDI. Its field ``parent`` is never set; the chain is ``sm_config:vhd-parent``."""
    config = values.mapping(raw.get("sm_config"))
    return VdiRecord(
        ref=ref,
        uuid=uuid_of("VDI", ref, raw),
        name=values.text(raw.get("name_label")),
        sr=values.reference(raw.get("SR")),
        virtual_size=values.size(raw.get("virtual_size")),
        size=values.size(raw.get("physical_utilisation")),
        type=values.text(raw.get("type")),
        managed=raw.get("managed") is not False,
        missing=raw.get("missing") is True,
        is_a_snapshot=raw.get("is_a_snapshot") is True,
        snapshot_of=values.reference(raw.get("snapshot_of")),
        snapshot_time=values.moment(raw.get("snapshot_time")),
        vbds=values.references(raw.get("VBDs")),
        tracks_changes=raw.get("cbt_enabled") is True,
        parent=config.get("vhd-parent") or None,
        format=config.get("image-format") or config.get("vdi_type") or None,
        is_mirrored="base_mirror" in config,
        marks=marks_of(raw),
        operations=_running(raw),
    )


def schedule(_ref: str, raw: Raw) -> ScheduleRecord:
    """From class VMSS."""
    return ScheduleRecord(
        name=values.text(raw.get("name_label")), enabled=raw.get("enabled") is not False
    )


def _kind(raw: Raw) -> VmKind:
    """In this order: a snapshot is a template too, by its fields."""
    config = values.mapping(raw.get("other_config"))
    if raw.get("is_control_domain") is True:
        return VmKind.CONTROL_DOMAIN
    if raw.get("is_default_template") is True or config.get("default_template") == "true":
        return VmKind.BUILT_IN
    if raw.get("is_a_snapshot") is True:
        return VmKind.SNAPSHOT
    return VmKind.TEMPLATE if raw.get("is_a_template") is True else VmKind.MACHINE


def _running(raw: Raw) -> tuple[str, ...]:
    """The names of the operations under way; the keys are their tasks."""
    return tuple(sorted(set(values.mapping(raw.get("current_operations")).values())))


def marks_of(raw: Raw) -> Mapping[str, str]:
    """The keys of ``other_config`` that say something here."""
    config = values.mapping(raw.get("other_config"))
    return dict(_marked(config)) if config else config


def _marked(config: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in config.items():
        if key.startswith(_MARKS) or key in _KEPT:
            yield key, value


def uuid_of(of: str, ref: str, raw: Raw) -> str:
    """The UUID of a record; ValueError where it has none."""
    found = values.text(raw.get("uuid"))
    if not found:
        raise ValueError(f"{of} {ref} has no UUID")
    return found
