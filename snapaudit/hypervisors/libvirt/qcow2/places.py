"""The tables of all states side by side, piece by piece.

A host cluster is shared between states at the same guest address only, so it suffices to compare,
for each place in the L1 tables, the L2 tables that stand there, and of these the differing pieces.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from snapaudit.hypervisors.libvirt.qcow2.header import Header, Qcow2Error
from snapaudit.hypervisors.libvirt.qcow2.source import Source, read_many
from snapaudit.hypervisors.libvirt.qcow2.tables import without_flags
from snapaudit.hypervisors.libvirt.qcow2.tally import ACTIVE

Place = dict[int, list[int]]
"""The L2 tables of one place by their offset, each with the states that refer to it."""
Piece = dict[bytes, list[int]]
"""The same piece of these tables, each content with the states that refer to it."""

_MOST_TABLE_BYTES = 4 * 2**30
_MOST_TABLES = 2**20
_BATCH = 8 * 2**20
_MOST_AT_A_PLACE = 2 * 2**20
_PIECE = 64 * 1024
_SLICE = 8 * 1024


def places(
    l1_tables: Sequence[array[int]], header: Header, taken: Iterable[int], size: int
) -> Iterator[Place]:
    """Every place where an L2 table stands.

    Raises Qcow2Error when a table stands outside the file, between two clusters, where another one
    does, or in a cluster that is taken already.
    """
    everybody = list(range(len(l1_tables)))
    seen = set(taken)
    for column in zip_longest(*map(without_flags, l1_tables), fillvalue=0):
        if column.count(column[0]) == len(column):
            found = {column[0]: everybody} if column[0] else {}
        else:
            found = _grouped(column)
        for offset in found:
            if offset in seen or offset % header.cluster_size or offset >= size:
                raise Qcow2Error(f"there can be no L2 table at {offset:#x}, where it claims one")
            seen.add(offset)
        if len(seen) > _MOST_TABLES:
            raise Qcow2Error("it has more tables than can be compared")
        if found:
            yield found


def _grouped(column: Sequence[int]) -> Place:
    found: Place = {}
    for state, offset in enumerate(column):
        if offset:
            found.setdefault(offset, []).append(state)
    return found


def is_shared(place: Place | Piece) -> bool:
    """Whether the present state refers to all there is: nothing of it can be freed."""
    return len(place) == 1 and next(iter(place.values()))[0] == ACTIVE


def pieces(source: Source, header: Header, wanted: Iterable[Place]) -> Iterator[Piece]:
    """The tables of the places in small pieces that cover the same guest addresses.

    Never more than some MiB are held at once. Raises Qcow2Error and OSError.
    """
    budget = _MOST_TABLE_BYTES
    for batch in _batches(header, wanted):
        ranges = [(offset + at, length) for place, at, length in batch for offset in place]
        budget -= sum(length for _, length in ranges)
        if budget < 0:
            raise Qcow2Error("its tables are larger than can be read in reasonable time")
        read = read_many(source, ranges)
        for place, at, length in batch:
            tables = [(read[offset + at, length], states) for offset, states in place.items()]
            if any(len(raw) != length for raw, _ in tables):
                raise Qcow2Error("an L2 table is cut")
            yield from _slices(tables, length)


def _batches(header: Header, wanted: Iterable[Place]) -> Iterator[list[tuple[Place, int, int]]]:
    batch: list[tuple[Place, int, int]] = []
    room = _BATCH
    for place in wanted:
        most = 1 << (max(512, _MOST_AT_A_PLACE // len(place)).bit_length() - 1)
        length = min(header.cluster_size, _PIECE, most)
        for at in range(0, header.cluster_size, length):
            if room <= 0:
                yield batch
                batch, room = [], _BATCH
            batch.append((place, at, length))
            room -= length * len(place)
    if batch:
        yield batch


def _slices(tables: list[tuple[bytes, list[int]]], length: int) -> Iterator[Piece]:
    for at in range(0, length, _SLICE):
        piece: Piece = {}
        for raw, states in tables:
            part = raw[at : at + _SLICE]
            known = piece.get(part)
            piece[part] = states if known is None else sorted(known + states)
        yield piece
