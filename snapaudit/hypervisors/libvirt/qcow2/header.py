"""The header of a qcow2 image and its table of snapshots."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from snapaudit.hypervisors.libvirt.qcow2.source import Source

MAGIC = b"QFI\xfb"
_FIXED = struct.Struct(">4sIQIIQIIQQIIQ")
_FEATURES = struct.Struct(">QQQII")
_ENTRY = struct.Struct(">QIHHIIQII")
_CORRUPT, _EXTERNAL_DATA, _EXTENDED_L2 = 1 << 1, 1 << 2, 1 << 4
_KNOWN_FEATURES = 0b11111

# QEMU's own limits: beyond them an image cannot be opened at all.
MAX_SNAPSHOTS = 65536
MAX_L1_BYTES = 32 * 2**20
_MAX_SNAPSHOT_TABLE = 64 * 2**20
_MAX_BACKING_NAME = 1023


class Qcow2Error(Exception):
    """The image is damaged, of another kind, or holds something that cannot be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the first cluster says. Offsets and sizes in bytes, ``l1_size`` in entries."""

    version: int
    backing_file: str | None
    cluster_bits: int
    virtual_size: int
    l1_size: int
    l1_offset: int
    snapshot_count: int
    snapshots_offset: int
    has_external_data: bool
    has_extended_l2: bool

    @property
    def cluster_size(self) -> int:
        """Bytes a cluster, which is also the size of an L2 table."""
        return 1 << self.cluster_bits

    @property
    def entry_bytes(self) -> int:
        """Bytes an L2 entry."""
        return 16 if self.has_extended_l2 else 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the snapshot table."""

    id: str
    name: str
    created_at: datetime | None
    vm_clock: timedelta
    vm_state_bytes: int
    l1_offset: int
    l1_size: int


def read_header(source: Source) -> Header:
    """The header. Raises Qcow2Error when this is no qcow2 image, or an impossible one."""
    raw = source.read_at(0, 4096)
    if raw[:4] != MAGIC or len(raw) < _FIXED.size:
        raise Qcow2Error("it is no qcow2 image")
    fields = _FIXED.unpack_from(raw)
    _, version, backing_at, backing_length, bits, size, _, l1_size, l1_at, _, _, count, table = (
        fields
    )
    if version not in (2, 3) or not 9 <= bits <= 21:
        raise Qcow2Error(f"its header is impossible (version {version}, {bits} cluster bits)")
    features = _features(raw) if version == 3 else 0
    _check_table("L1 table", source, l1_at, l1_size * 8, MAX_L1_BYTES)
    if count > MAX_SNAPSHOTS:
        raise Qcow2Error(f"it claims {count} snapshots")
    return Header(
        version=version,
        backing_file=_backing_file(source, backing_at, backing_length),
        cluster_bits=bits,
        virtual_size=size,
        l1_size=l1_size,
        l1_offset=l1_at,
        snapshot_count=count,
        snapshots_offset=table,
        has_external_data=bool(features & _EXTERNAL_DATA),
        has_extended_l2=bool(features & _EXTENDED_L2),
    )


def _features(raw: bytes) -> int:
    if len(raw) < _FIXED.size + _FEATURES.size:
        raise Qcow2Error("its header is cut")
    features: int = _FEATURES.unpack_from(raw, _FIXED.size)[0]
    if features & ~_KNOWN_FEATURES:
        raise Qcow2Error(f"it uses features that are not known here ({features:#x})")
    if features & _CORRUPT:
        raise Qcow2Error("it is marked as corrupt")
    return features


def _backing_file(source: Source, offset: int, length: int) -> str | None:
    if not offset or not length:
        return None
    if length > _MAX_BACKING_NAME:
        raise Qcow2Error("the name of its backing file is impossibly long")
    return source.read_at(offset, length).decode("utf-8", "replace")


def _check_table(what: str, source: Source, offset: int, length: int, most: int) -> None:
    if length > most or offset % 512 or offset + length > source.size:
        raise Qcow2Error(f"its {what} lies outside the file")


def read_entries(source: Source, header: Header) -> tuple[tuple[Entry, ...], bytes]:
    """The snapshot table, parsed and as the bytes it is made of."""
    if header.snapshot_count == 0:
        return (), b""
    room = max(0, min(_MAX_SNAPSHOT_TABLE, source.size - header.snapshots_offset))
    # An entry is rarely longer than this; only what is there is read.
    raw = source.read_at(header.snapshots_offset, min(room, header.snapshot_count * 1024 + 4096))
    entries, at = [], 0
    for _ in range(header.snapshot_count):
        entry, at = _entry(source, raw, at)
        entries.append(entry)
    return tuple(entries), raw[:at]


def _entry(source: Source, raw: bytes, at: int) -> tuple[Entry, int]:
    if at + _ENTRY.size > len(raw):
        raise Qcow2Error("its snapshot table is cut")
    l1_at, l1_size, id_size, name_size, sec, nsec, clock, state, extra = _ENTRY.unpack_from(raw, at)
    texts_at = at + _ENTRY.size + extra
    end = texts_at + id_size + name_size
    if end > len(raw):
        raise Qcow2Error("its snapshot table is cut")
    if extra >= 8:
        (state,) = struct.unpack_from(">Q", raw, at + _ENTRY.size)
    _check_table("L1 table of a snapshot", source, l1_at, l1_size * 8, MAX_L1_BYTES)
    entry = Entry(
        id=_text(raw[texts_at : texts_at + id_size]),
        name=_text(raw[texts_at + id_size : end]),
        created_at=_moment(sec, nsec),
        vm_clock=timedelta(microseconds=clock // 1000),
        vm_state_bytes=state,
        l1_offset=l1_at,
        l1_size=l1_size,
    )
    return entry, -(-end // 8) * 8


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _moment(seconds: int, nanoseconds: int) -> datetime | None:
    if nanoseconds >= 10**9:
        return None
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanoseconds // 1000)
