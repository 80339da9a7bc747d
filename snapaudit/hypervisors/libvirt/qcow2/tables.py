"""L1 and L2 tables as numbers, taken apart in bulk.

A whole table is one long number here, so that clearing or testing a bit in each of its thousands of
entries is a single operation. Bits 9 to 55 of an entry are the place in the file, bit 62 says
compressed, bit 63 that nobody else refers to the cluster.
"""

from __future__ import annotations

import sys
from array import array
from functools import lru_cache

from snapaudit.hypervisors.libvirt.qcow2.header import Header, Qcow2Error
from snapaudit.hypervisors.libvirt.qcow2.source import Source

ZERO, COMPRESSED, COPIED = 1, 1 << 62, 1 << 63
OFFSET = 0x00FF_FFFF_FFFF_FE00
_WORD = (1 << 64) - 1


def numbers(raw: bytes) -> array[int]:
    """Big-endian 64-bit numbers."""
    found = array("Q", raw)
    if sys.byteorder == "little":
        found.byteswap()
    return found


@lru_cache(maxsize=64)
def _repeated(mask: int, entry_bytes: int, length: int) -> int:
    """The mask in the first half of every entry, as one number of that many bytes."""
    entry = mask.to_bytes(8, "big") + bytes(entry_bytes - 8)
    return int.from_bytes(entry * (length // entry_bytes), "big")


def read_l1(source: Source, offset: int, entries: int) -> array[int]:
    """The entries of an L1 table, flags included. Raises Qcow2Error when the file ends before."""
    raw = source.read_at(offset, entries * 8)
    if len(raw) != entries * 8:
        raise Qcow2Error("its L1 table is cut")
    return numbers(raw)


def without_flags(table: array[int]) -> array[int]:
    """The places in the file alone."""
    raw = table.tobytes()
    flags = array("Q", [OFFSET])
    places = int.from_bytes(raw, sys.byteorder) & int.from_bytes(
        flags.tobytes() * len(table), sys.byteorder
    )
    return array("Q", places.to_bytes(len(raw), sys.byteorder))


def has_compressed(raw: bytes, header: Header) -> bool:
    """Whether any entry of this piece of an L2 table is compressed."""
    pattern = _repeated(COMPRESSED, header.entry_bytes, len(raw))
    return bool(int.from_bytes(raw, "big") & pattern)


def standard_clusters(raw: bytes, header: Header, end: int) -> set[int]:
    """The numbers of the host clusters in a piece of an L2 table, compressed ones left out.

    Zero clusters count where they hold a place. Raises Qcow2Error for a place between clusters or
    behind the end of the file.
    """
    size, length = header.entry_bytes, len(raw)
    entries = int.from_bytes(raw, "big")
    flagged = (entries & _repeated(COMPRESSED, size, length)) >> 62
    entries &= ~(flagged * _WORD)
    unaligned = (header.cluster_size - 1) & OFFSET
    if entries & _repeated(unaligned, size, length):
        raise Qcow2Error("a cluster stands between two clusters")
    # Numbers, not offsets: those end in many zero bits, which makes slow sets.
    places = (entries & _repeated(OFFSET, size, length)) >> header.cluster_bits
    found = set(numbers(places.to_bytes(length, "big")))
    found.discard(0)
    if found and max(found) << header.cluster_bits >= end:
        raise Qcow2Error("a cluster lies behind the end of the file; the image is cut or changing")
    return found


def compressed_entries(raw: bytes, header: Header) -> list[int]:
    """The compressed entries of a piece of an L2 table."""
    table = numbers(raw)
    firsts = table[::2] if header.has_extended_l2 else table
    return [entry for entry in firsts if entry & COMPRESSED]


def host_clusters(entry: int, header: Header) -> range:
    """The numbers of the host clusters that a compressed entry touches: one or two."""
    bits = 62 - (header.cluster_bits - 8)
    start = entry & ((1 << bits) - 1)
    sectors = ((entry & (COMPRESSED - 1)) >> bits) + 1
    end = (start & ~511) + sectors * 512
    return range(start >> header.cluster_bits, ((end - 1) >> header.cluster_bits) + 1)
