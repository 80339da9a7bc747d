"""How much an image grows when the overlay above it is merged into it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.hypervisors.libvirt.qcow2.header import MAGIC, Header, Qcow2Error, read_header
from snapaudit.hypervisors.libvirt.qcow2.source import Source, read_many
from snapaudit.hypervisors.libvirt.qcow2.tables import (
    COMPRESSED,
    COPIED,
    OFFSET,
    ZERO,
    numbers,
    read_l1,
)

# QEMU's mirror and commit jobs copy at least this much at a time, into a raw image even more:
# smaller clusters drag their neighbours along.
_AT_ONCE, _AT_ONCE_INTO_RAW = 4 * 1024, 64 * 1024
_BATCH = 4 * 2**20
_MOST_TABLE_BYTES = 4 * 2**30
_ALLOCATED_PARTS = 2**32 - 1


def growth_of_commit(overlay: Source, base: Source) -> tuple[int, int]:
    """Least and most bytes the base grows by when the overlay's present state is merged into it.

    A cluster with data needs a new one where the base has none of its own: nothing there, or one
    that an internal snapshot of the base refers to as well; tables likewise. The two differ by what
    depends on the way of merging: zeroes are written out or make room, so that least may be
    negative; compressed clusters of the base are replaced, which may or may not give as much back.
    The base's own counts of references, 1/32768 of the growth at the usual cluster size, are left
    out. For images of different cluster sizes, and a base that is not qcow2, both are bounds.
    Raises Qcow2Error and OSError.
    """
    above = _present(overlay)
    if base.read_at(0, len(MAGIC)) != MAGIC:
        return _bounds_elsewhere(above, _AT_ONCE_INTO_RAW, 0)
    below = _present(base)
    if above.geometry != below.geometry:
        header = below.header
        return _bounds_elsewhere(above, max(_AT_ONCE, header.cluster_size), header.table_reach)
    return _in_equal_clusters(above, below)


@dataclass(frozen=True, slots=True)
class _Present:
    """The present state of an image: that part of its L1 table which maps the disk."""

    source: Source
    header: Header
    l1: array[int]

    @property
    def geometry(self) -> tuple[int, int]:
        return self.header.cluster_bits, self.header.entry_bytes

    def offset(self, place: int) -> int:
        """Where the L2 table of a place lies; 0 for none."""
        return self.l1[place] & OFFSET if place < len(self.l1) else 0

    def owns(self, place: int) -> bool:
        """Whether the L2 table of a place can be written to as it is."""
        return place < len(self.l1) and bool(self.l1[place] & COPIED)

    def tables(self, places: list[int]) -> dict[int, array[int]]:
        """The L2 tables of some places, where there is one."""
        size, end = self.header.cluster_size, self.source.size
        wanted = {place: (at, size) for place in places if (at := self.offset(place))}
        if any(at % size or at + size > end for at, _ in wanted.values()):
            raise Qcow2Error("an L2 table stands outside the file or between two clusters")
        read = read_many(self.source, wanted.values())
        if any(len(raw) != size for raw in read.values()):
            raise Qcow2Error("an L2 table is cut")
        return {place: numbers(read[where]) for place, where in wanted.items()}


@dataclass(frozen=True, slots=True)
class _Held:
    """The numbers of the guest clusters that hold data in one L2 table, and that are zeroes."""

    data: list[int]
    zeroes: list[int]


def _present(source: Source) -> _Present:
    header = read_header(source)
    if header.is_corrupt:
        raise Qcow2Error("it is marked as corrupt")
    if header.has_external_data:
        raise Qcow2Error("it keeps its data in another file")
    on_disk = -(-header.virtual_size // header.table_reach)
    return _Present(source, header, read_l1(source, header.l1_offset, on_disk))


def _in_equal_clusters(above: _Present, below: _Present) -> tuple[int, int]:
    least = most = 0
    at_once = max(1, _AT_ONCE // above.header.cluster_size)
    for places in _batches(above):
        tables = below.tables(places)
        for place, held in _held(above, places):
            target = _firsts(tables.get(place, array("Q")), below.header)
            table = 0 if below.owns(place) else 1
            new = sum(1 for n in held.data if not _has(target, n, COPIED | COMPRESSED))
            freed = sum(1 for n in held.zeroes if _has(target, n, COPIED | COMPRESSED))
            least += new - freed + (table if held.data else 0)
            dragged = {at for n in held.data + held.zeroes for at in _neighbours(n, at_once)}
            new = sum(1 for n in dragged if not _has(target, n, COPIED))
            most += new + (table if dragged else 0)
    return least << above.header.cluster_bits, most << above.header.cluster_bits


def _has(table: array[int], number: int, flags: int) -> bool:
    return number < len(table) and bool(table[number] & flags)


def _neighbours(number: int, at_once: int) -> range:
    start = number // at_once * at_once
    return range(start, start + at_once)


def _batches(state: _Present) -> Iterator[list[int]]:
    """The places that have a table, some MiB of tables at a time."""
    places = [place for place in range(len(state.l1)) if state.offset(place)]
    if len({state.offset(place) for place in places}) < len(places):
        raise Qcow2Error("an L2 table stands in two places")
    if len(places) * state.header.cluster_size > _MOST_TABLE_BYTES:
        raise Qcow2Error("its tables are larger than can be read in reasonable time")
    step = max(1, _BATCH // state.header.cluster_size)
    for start in range(0, len(places), step):
        yield places[start : start + step]


def _held(state: _Present, places: list[int]) -> Iterator[tuple[int, _Held]]:
    for place, table in state.tables(places).items():
        if state.header.has_extended_l2:
            yield place, _held_by_parts(table)
        else:
            data, zeroes = [], []
            for number, entry in enumerate(table):
                if entry & COMPRESSED or (entry & OFFSET and not entry & ZERO):
                    data.append(number)
                elif entry & ZERO:
                    zeroes.append(number)
            yield place, _Held(data, zeroes)


def _held_by_parts(table: array[int]) -> _Held:
    data, zeroes = [], []
    for number, (entry, parts) in enumerate(zip(table[::2], table[1::2], strict=True)):
        if entry & COMPRESSED or parts & _ALLOCATED_PARTS:
            data.append(number)
        elif parts:
            zeroes.append(number)
    return _Held(data, zeroes)


def _firsts(table: array[int], header: Header) -> array[int]:
    return table[::2] if header.has_extended_l2 else table


class _Rising:
    """Counts the units that a rising row of ranges touches, each once."""

    def __init__(self, unit: int) -> None:
        self._unit, self._next, self.count = unit, 0, 0

    def touch(self, start: int, end: int) -> None:
        first, after = max(start // self._unit, self._next), -(-end // self._unit)
        self.count += max(0, after - first)
        self._next = max(self._next, after)


def _bounds_elsewhere(above: _Present, unit: int, table_reach: int) -> tuple[int, int]:
    """All that the overlay holds, in units of another size, with tables for it."""
    size, zeroes = above.header.cluster_size, 0
    clusters, tables = _Rising(unit), _Rising(table_reach or 1)
    for places in _batches(above):
        for place, held in _held(above, places):
            zeroes += len(held.zeroes)
            for number in sorted(held.data + held.zeroes):
                start = place * above.header.table_reach + number * size
                clusters.touch(start, start + size)
                tables.touch(start, start + size)
    most = clusters.count + (tables.count if table_reach else 0)
    return -zeroes * size, most * unit
