"""The first cluster of a qcow2 image. Source: QEMU, docs/interop/qcow2, and QEMU's own limits."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from snapaudit.hypervisors.libvirt.qcow2.source import Source

MAGIC = b"QFI\xfb"
MAX_L1_BYTES = 32 * 2**20
_FIXED = struct.Struct(">4sIQIIQIIQQIIQ")
_VERSION_3 = struct.Struct(">QQQII")
_EXTENSION = struct.Struct(">II")
_READ_AT_FIRST = 64 * 1024
_BACKING_FORMAT = 0xE279_2ACA
_DIRTY, _CORRUPT, _EXTERNAL_DATA, _COMPRESSION, _EXTENDED_L2 = (1 << bit for bit in range(5))
_KNOWN = _DIRTY | _CORRUPT | _EXTERNAL_DATA | _COMPRESSION | _EXTENDED_L2
_LEAST_BITS, _MOST_BITS, _LEAST_BITS_EXTENDED = 9, 21, 14
_DEFAULT_REFCOUNT_ORDER, _MOST_REFCOUNT_ORDER = 4, 6
_MAX_SNAPSHOTS = 65536
_MAX_BACKING_NAME = 1023
_MAX_BACKING_FORMAT = 255


class Qcow2Error(Exception):
    """The image is damaged, of another kind, or holds something that cannot be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the first cluster says. Offsets and sizes in bytes, ``l1_size`` in entries."""

    version: int
    cluster_bits: int
    virtual_size: int
    is_encrypted: bool
    incompatible_features: int
    refcount_order: int
    backing_file: str | None
    backing_format: str | None
    l1_size: int
    l1_offset: int
    snapshot_count: int
    snapshots_offset: int

    @property
    def cluster_size(self) -> int:
        """Bytes of a cluster, which is also the size of an L2 table."""
        return 1 << self.cluster_bits

    @property
    def entry_bytes(self) -> int:
        """Bytes of an L2 entry."""
        return 16 if self.has_extended_l2 else 8

    @property
    def table_reach(self) -> int:
        """Bytes of the virtual disk that one L2 table maps."""
        return self.cluster_size // self.entry_bytes << self.cluster_bits

    @property
    def is_dirty(self) -> bool:
        """Whether the counts of references may be behind; the tables are not."""
        return bool(self.incompatible_features & _DIRTY)

    @property
    def is_corrupt(self) -> bool:
        """Whether QEMU found damage and says that nothing in the image can be relied on."""
        return bool(self.incompatible_features & _CORRUPT)

    @property
    def has_external_data(self) -> bool:
        """Whether the guest's data lies in another file."""
        return bool(self.incompatible_features & _EXTERNAL_DATA)

    @property
    def has_extended_l2(self) -> bool:
        """Whether an L2 entry has a second half that maps parts of the cluster."""
        return bool(self.incompatible_features & _EXTENDED_L2)


def read_header(source: Source) -> Header:
    """The header. Raises OSError, and Qcow2Error for what is no image or an impossible one."""
    raw = source.read_at(0, _READ_AT_FIRST)
    if raw[:4] != MAGIC or len(raw) < _FIXED.size:
        raise Qcow2Error("it is no qcow2 image")
    fields = _FIXED.unpack_from(raw)
    _, version, name_at, name_length, bits, size, cipher, l1_size, l1_at = fields[:9]
    features, order, length = _version_3(raw) if version == 3 else (0, _DEFAULT_REFCOUNT_ORDER, 72)
    name, name_format = _backing(raw, name_at, name_length, length)
    header = Header(
        version=version,
        cluster_bits=bits,
        virtual_size=size,
        is_encrypted=cipher != 0,
        incompatible_features=features,
        refcount_order=order,
        backing_file=name,
        backing_format=name_format,
        l1_size=l1_size,
        l1_offset=l1_at,
        snapshot_count=fields[11],
        snapshots_offset=fields[12],
    )
    _check(header)
    check_l1("L1 table", source, header.cluster_size, l1_at, l1_size)
    return header


def _version_3(raw: bytes) -> tuple[int, int, int]:
    if len(raw) < _FIXED.size + _VERSION_3.size:
        raise Qcow2Error("its header is cut")
    features, _, _, order, length = _VERSION_3.unpack_from(raw, _FIXED.size)
    if features & ~_KNOWN:
        raise Qcow2Error(f"it uses features that are not known here ({features & ~_KNOWN:#x})")
    if order > _MOST_REFCOUNT_ORDER or length < _FIXED.size + _VERSION_3.size or length % 8:
        raise Qcow2Error(f"its header is impossible ({length} bytes, refcount order {order})")
    return features, order, length


def _check(header: Header) -> None:
    least = _LEAST_BITS_EXTENDED if header.has_extended_l2 else _LEAST_BITS
    if header.version not in (2, 3) or not least <= header.cluster_bits <= _MOST_BITS:
        numbers = f"version {header.version}, {header.cluster_bits} cluster bits"
        raise Qcow2Error(f"its header is impossible ({numbers})")
    if header.l1_size * header.table_reach < header.virtual_size:
        raise Qcow2Error("its L1 table is too small for its virtual size")
    if header.snapshot_count > _MAX_SNAPSHOTS:
        raise Qcow2Error(f"it claims {header.snapshot_count} snapshots")
    if header.snapshot_count and header.snapshots_offset % header.cluster_size:
        raise Qcow2Error("its snapshot table stands between two clusters")


def check_l1(what: str, source: Source, cluster_size: int, offset: int, entries: int) -> None:
    """Raise Qcow2Error when a table of that many entries cannot stand there."""
    length = entries * 8
    if length > MAX_L1_BYTES:
        raise Qcow2Error(f"its {what} is impossibly large ({entries} entries)")
    if offset % cluster_size or (length and not offset) or offset + length > source.size:
        raise Qcow2Error(f"its {what} stands outside the file or between two clusters")


def _backing(raw: bytes, offset: int, length: int, at: int) -> tuple[str | None, str | None]:
    """Name and format of the backing file; both stand in the first cluster."""
    if not offset:
        return None, None
    if length > _MAX_BACKING_NAME or offset + length > len(raw):
        raise Qcow2Error("the name of its backing file is too long or stands outside the header")
    return text(raw[offset : offset + length]), _backing_format(raw[:offset], at)


def _backing_format(raw: bytes, at: int) -> str | None:
    while at + _EXTENSION.size <= len(raw):
        kind, length = _EXTENSION.unpack_from(raw, at)
        at += _EXTENSION.size
        if kind == _BACKING_FORMAT and length <= _MAX_BACKING_FORMAT:
            return text(raw[at : at + length])
        if kind == 0:
            break
        at += -(-length // 8) * 8
    return None


def text(raw: bytes) -> str:
    """A name as people read it; what is no UTF-8 becomes the replacement character."""
    return raw.decode("utf-8", "replace")
