"""How much an image grows when the overlay above it is merged into it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from snapaudit.hypervisors.libvirt.qcow2.header import MAGIC, Header, Qcow2Error, read_header
from snapaudit.hypervisors.libvirt.qcow2.source import Source
from snapaudit.hypervisors.libvirt.qcow2.tables import (
    COMPRESSED,
    COPIED,
    OFFSET_MASK,
    L1Reader,
    read_l2,
)

# A block job copies at least this much at a time, so small clusters drag their neighbours along.
_COPIED_AT_ONCE = 64 * 1024


def growth_of_commit(overlay: Source, base: Source) -> tuple[int, int]:
    """Least and most bytes the base grows by when the overlay's present state is merged into it.

    A cluster the overlay holds needs a new one where the base has none of its own: nothing there,
    or one that an internal snapshot of the base refers to as well. Both numbers are equal when both
    images are qcow2 of the same cluster size of at least 64 KiB and without compression. Raises
    Qcow2Error and OSError.
    """
    above = read_header(overlay)
    if above.has_external_data:
        raise Qcow2Error("it keeps its data in another file")
    if base.read_at(0, 4) != MAGIC:
        return 0, sum(len(held) for _, held in _held(overlay, above)) * above.cluster_size
    below = read_header(base)
    if below.cluster_size != above.cluster_size or below.entry_bytes != above.entry_bytes:
        return 0, _most_in_other_clusters(overlay, above, below)
    return _in_equal_clusters(overlay, above, base, below)


def _in_equal_clusters(
    overlay: Source, above: Header, base: Source, below: Header
) -> tuple[int, int]:
    own = {place: (table, is_own) for place, table, is_own in _tables(base, below)}
    least = most = 0
    at_once = max(1, _COPIED_AT_ONCE >> above.cluster_bits)
    for place, held in _held(overlay, above):
        table, is_own = own.get(place, (None, False))
        dragged = {at for n in held for at in _neighbours(n, at_once)}
        least += sum(1 for n in held if table is None or not _may_reuse(table, n))
        most += sum(1 for n in dragged if table is None or not _is_own(table, n))
        tables = 0 if is_own else 1
        least, most = least + tables, most + tables
    return least << above.cluster_bits, most << above.cluster_bits


def _neighbours(number: int, at_once: int) -> range:
    start = number // at_once * at_once
    return range(start, start + at_once)


def _is_own(table: array[int], number: int) -> bool:
    return number < len(table) and bool(table[number] & COPIED)


def _may_reuse(table: array[int], number: int) -> bool:
    """A compressed cluster is replaced; what it frees may already make up for the new one."""
    return number < len(table) and bool(table[number] & (COPIED | COMPRESSED))


def _held(source: Source, header: Header) -> Iterator[tuple[int, set[int]]]:
    """For each place in the L1 table the numbers of the guest clusters that hold data there."""
    for place, table, _ in _tables(source, header):
        held = {n for n, entry in enumerate(table) if entry & (OFFSET_MASK | COMPRESSED)}
        if held:
            yield place, held


def _tables(source: Source, header: Header) -> Iterator[tuple[int, array[int], bool]]:
    """The L2 tables of the present state that map the disk, and whether each is its alone."""
    l1 = L1Reader(source).read(header.l1_offset, header.l1_size)
    per_table = header.cluster_size // header.entry_bytes * header.cluster_size
    on_disk = -(-header.virtual_size // per_table)
    places: dict[int, tuple[int, bool]] = {}
    for place, entry in enumerate(l1[:on_disk]):
        offset = entry & OFFSET_MASK
        if offset and (offset >= source.size or offset in places):
            raise Qcow2Error("an L2 table lies outside the file or stands in two places")
        if offset:
            places[offset] = (place, bool(entry & COPIED))
    for offset, table in read_l2(source, header, places):
        yield places[offset][0], table, places[offset][1]


def _most_in_other_clusters(overlay: Source, above: Header, below: Header) -> int:
    per_table = above.cluster_size // above.entry_bytes
    unit = max(below.cluster_size, _COPIED_AT_ONCE)
    touched: set[int] = set()
    for place, held in _held(overlay, above):
        for number in held:
            start = (place * per_table + number) << above.cluster_bits
            touched.update(range(start // unit, (start + above.cluster_size - 1) // unit + 1))
    return len(touched) * unit
