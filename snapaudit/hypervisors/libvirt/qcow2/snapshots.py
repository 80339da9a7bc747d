"""The table of the internal snapshots of an image."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from snapaudit.hypervisors.libvirt.qcow2.header import Header, Qcow2Error, check_l1, text
from snapaudit.hypervisors.libvirt.qcow2.source import Source

_ENTRY = struct.Struct(">QIHHIIQII")
_LONG = struct.Struct(">Q")
_USUAL_ENTRY = 512
# QEMU's limit. Names are up to 64 KiB each, so the table is read as far as it turns out to reach.
_MAX_TABLE = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the table. Offsets and sizes in bytes, ``l1_size`` in entries.

    ``disk_bytes`` is None where the image is too old to tell; the disk then had its present size.
    ``stamp`` tells it from another that was taken under the same name in the same second: QEMU's
    date to the nanosecond and the guest's clock, as they stand in the table.
    """

    id: str
    name: str
    created_at: datetime | None
    vm_clock: timedelta
    stamp: str
    vm_state_bytes: int
    disk_bytes: int | None
    l1_offset: int
    l1_size: int


class _CutError(Exception):
    """The bytes at hand end within an entry."""


def read_entries(source: Source, header: Header) -> tuple[Entry, ...]:
    """The snapshots in the order of the table. Raises Qcow2Error and OSError."""
    room = max(0, min(_MAX_TABLE, source.size - header.snapshots_offset))
    length = min(room, header.snapshot_count * _USUAL_ENTRY)
    while True:
        try:
            entries = _parse(source.read_at(header.snapshots_offset, length), header)
        except _CutError:
            if length == room:
                raise Qcow2Error("its snapshot table is cut") from None
            length = min(room, length * 8)
        else:
            for entry in entries:
                at, size = entry.l1_offset, entry.l1_size
                check_l1("L1 table of a snapshot", source, header.cluster_size, at, size)
            return entries


def _parse(raw: bytes, header: Header) -> tuple[Entry, ...]:
    entries, at = [], 0
    for _ in range(header.snapshot_count):
        entry, at = _entry(raw, at)
        entries.append(entry)
    return tuple(entries)


def _entry(raw: bytes, at: int) -> tuple[Entry, int]:
    if at + _ENTRY.size > len(raw):
        raise _CutError
    l1_at, l1_size, id_size, name_size, sec, nsec, clock, state, extra = _ENTRY.unpack_from(raw, at)
    if not id_size:
        raise Qcow2Error("a snapshot in its table has no id")
    extra_at = at + _ENTRY.size
    id_at = extra_at + extra
    name_at = id_at + id_size
    end = name_at + name_size
    if end > len(raw):
        raise _CutError
    entry = Entry(
        id=text(raw[id_at:name_at]),
        name=text(raw[name_at:end]),
        created_at=_moment(sec, nsec),
        vm_clock=timedelta(microseconds=clock // 1000),
        stamp=f"{sec}.{nsec:09}+{clock}",
        vm_state_bytes=_LONG.unpack_from(raw, extra_at)[0] if extra >= 8 else state,
        disk_bytes=_LONG.unpack_from(raw, extra_at + 8)[0] if extra >= 16 else None,
        l1_offset=l1_at,
        l1_size=l1_size,
    )
    return entry, -(-end // 8) * 8


def _moment(seconds: int, nanoseconds: int) -> datetime | None:
    if nanoseconds >= 10**9:
        return None
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanoseconds // 1000)
