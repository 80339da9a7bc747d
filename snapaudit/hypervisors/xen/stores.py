"""Storage repositories as datastores: what is thin and what is thick, and whose figures are old."""

from __future__ import annotations

from snapaudit.hypervisors.xen.places import SrRecord
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.model.inventory import Datastore

_THICK = frozenset({"lvm", "lvmoiscsi", "lvmohba", "lvmofcoe"})
_NO_DISKS = frozenset({"iso", "udev"})
_OFF = "false"


def is_shown(sr: SrRecord) -> bool:
    """Whether it holds disks: no repository of ISO images, passed-through devices or tools does."""
    return sr.content_type != "iso" and sr.type not in _NO_DISKS and not sr.is_tools


def is_thick(sr: SrRecord) -> bool:
    """Whether the leaf of a disk occupies all of the disk's size there."""
    return sr.type in _THICK and sr.allocation != "thin"


def datastore(ref: str, sr: SrRecord, pool: Pool) -> Datastore:
    """One storage repository. Its figures are as old as its last scan, which no audit asks for."""
    hosts = pool.attached.get(ref, ())
    is_known = sr.capacity is not None and sr.used is not None
    return Datastore(
        id=sr.uuid,
        name=sr.name,
        kind=f"{sr.type} ({'thick' if is_thick(sr) else 'thin'})",
        capacity_bytes=sr.capacity,
        free_bytes=max(0, (sr.capacity or 0) - (sr.used or 0)) if is_known else None,
        provisioned_bytes=sr.promised,
        accessible=bool(hosts),
        host_ids=hosts,
        stale_reason=None if hosts else "no host has it attached: its figures are from before",
    )


def collects_nothing(sr: SrRecord) -> str | None:
    """Why its garbage collector gives nothing back; None when it is at work."""
    for key in ("gc", "coalesce"):
        if sr.marks.get(key) == _OFF:
            return f"the garbage collector of {sr.name} is switched off ({key}=false)"
    if sr.lacks_room_to_collect:
        return f"the garbage collector of {sr.name} has no room to work in"
    return None
