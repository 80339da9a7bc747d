"""L1 and L2 tables as numbers."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator

from snapaudit.hypervisors.libvirt.qcow2.header import Header, Qcow2Error
from snapaudit.hypervisors.libvirt.qcow2.source import Source, read_tables

OFFSET_MASK = 0x00FF_FFFF_FFFF_FE00
COMPRESSED, COPIED = 1 << 62, 1 << 63
_TOO_MANY_L1_ENTRIES = 16 * 2**20


def numbers(raw: bytes) -> array[int]:
    """Big-endian 64-bit numbers."""
    found = array("Q", raw[: len(raw) // 8 * 8])
    if sys.byteorder == "little":
        found.byteswap()
    return found


class L1Reader:
    """Reads L1 tables, giving up on images that claim more of them than can be sound."""

    def __init__(self, source: Source) -> None:
        self._source, self._left = source, _TOO_MANY_L1_ENTRIES

    def read(self, offset: int, entries: int) -> array[int]:
        """One L1 table."""
        self._left -= entries
        if self._left < 0:
            raise Qcow2Error("its L1 tables are impossibly large together")
        table = numbers(self._source.read_at(offset, entries * 8))
        if len(table) != entries:
            raise Qcow2Error("its L1 table is cut")
        return table


def read_l2(
    source: Source, header: Header, offsets: Iterable[int]
) -> Iterator[tuple[int, array[int]]]:
    """L2 tables by offset, each entry one number; of extended entries the first half."""
    for offset, raw in read_tables(source, offsets, header.cluster_size):
        if len(raw) < header.cluster_size:
            raise Qcow2Error("an L2 table lies outside the file")
        table = numbers(raw)
        yield offset, table[::2] if header.has_extended_l2 else table


def host_clusters(entry: int, header: Header) -> range:
    """The numbers of the host clusters that a compressed entry touches."""
    bits = 62 - (header.cluster_bits - 8)
    start = entry & ((1 << bits) - 1)
    sectors = ((entry & (COMPRESSED - 1)) >> bits) + 1
    end = (start & ~511) + sectors * 512
    return range(start >> header.cluster_bits, ((end - 1) >> header.cluster_bits) + 1)
