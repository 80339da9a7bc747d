"""Records of where things are: the pool, its hosts, and its storage repositories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.xen import values
from snapaudit.hypervisors.xen.records import Raw, marks_of, uuid_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRecord:
    """The pool itself."""

    uuid: str
    name: str
    master: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """A member of the pool."""

    uuid: str
    name: str
    version: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PbdRecord:
    """How a host is connected to a storage repository."""

    host: str | None
    sr: str | None
    attached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SrRecord:
    """A storage repository. ``marks`` are settings of its garbage collector."""

    uuid: str
    name: str
    type: str
    content_type: str
    is_tools: bool
    capacity: int | None
    used: int | None
    promised: int | None
    allocation: str
    marks: Mapping[str, str]
    lacks_room_to_collect: bool


def pool(ref: str, raw: Raw) -> PoolRecord:
    """From class pool."""
    return PoolRecord(
        uuid=uuid_of("pool", ref, raw),
        name=values.text(raw.get("name_label")),
        master=values.reference(raw.get("master")),
    )


def host(ref: str, raw: Raw) -> HostRecord:
    """From class host; a host that is not enabled is in maintenance, or still starting."""
    software = values.mapping(raw.get("software_version"))
    names = (software.get("product_brand"), software.get("product_version"))
    return HostRecord(
        uuid=uuid_of("host", ref, raw),
        name=values.text(raw.get("name_label")),
        version=" ".join(name for name in names if name) or "unknown",
        enabled=raw.get("enabled") is True,
    )


def pbd(_ref: str, raw: Raw) -> PbdRecord:
    """From class PBD."""
    return PbdRecord(
        host=values.reference(raw.get("host")),
        sr=values.reference(raw.get("SR")),
        attached=raw.get("currently_attached") is True,
    )


def sr(ref: str, raw: Raw) -> SrRecord:
    """From class SR."""
    config = values.mapping(raw.get("sm_config"))
    return SrRecord(
        uuid=uuid_of("SR", ref, raw),
        name=values.text(raw.get("name_label")),
        type=values.text(raw.get("type")),
        content_type=values.text(raw.get("content_type")),
        is_tools=raw.get("is_tools_sr") is True,
        capacity=values.size(raw.get("physical_size")),
        used=values.size(raw.get("physical_utilisation")),
        promised=_not_negative(raw.get("virtual_allocation")),
        allocation=config.get("allocation", ""),
        marks=marks_of(raw),
        lacks_room_to_collect="gc_no_space" in config,
    )


def _not_negative(value: object) -> int | None:
    found = values.number(value)
    return found if found is not None and found >= 0 else None
