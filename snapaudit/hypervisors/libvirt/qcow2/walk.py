"""Which clusters each state of an image refers to, and so what deleting a snapshot frees.

A cluster is freed by deleting a snapshot when nothing but that snapshot refers to it. A cluster can
be shared at the same guest offset only, so the L2 tables of one place in the L1 tables are compared
with each other, and a table that all states share need not be read at all. Compressed clusters are
the exception: several of them, from anywhere, share one host cluster; images that have any are
counted whole, host cluster by host cluster.

The tables of the present state of an image in use may lag behind until the guest flushes; those of
snapshots never change.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from snapaudit.hypervisors.libvirt.qcow2.header import (
    Entry,
    Header,
    Qcow2Error,
    read_entries,
    read_header,
)
from snapaudit.hypervisors.libvirt.qcow2.source import Source
from snapaudit.hypervisors.libvirt.qcow2.tables import (
    COMPRESSED,
    OFFSET_MASK,
    L1Reader,
    host_clusters,
    read_l2,
)

_BLOCK = 4096
ACTIVE = 1  # the bit of the present state; snapshot number n has bit n + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSizes:
    """One internal snapshot. Sizes in bytes of whole clusters, tables included.

    ``exclusive_bytes``: freed by deleting only it. ``not_in_active_bytes``: what it refers to and
    the present state does not, that is what was written over since, and its memory.
    """

    id: str
    name: str
    created_at: datetime | None
    vm_state_bytes: int
    exclusive_bytes: int
    not_in_active_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSizes:
    """One image. ``held_by_snapshots_bytes``: freed by deleting all of its snapshots."""

    snapshots: tuple[SnapshotSizes, ...]
    held_by_snapshots_bytes: int


@dataclass(slots=True)
class _Tally:
    """Clusters counted by who refers to them: a mask of states."""

    counts: Counter[int]

    def clusters(self, bit: int, *, alone: bool) -> int:
        """Those that a state refers to and, alone, nobody else, or else the present state not."""
        if alone:
            return self.counts[bit]
        return sum(n for mask, n in self.counts.items() if mask & bit and not mask & ACTIVE)

    def held(self) -> int:
        """Those that the present state does not refer to."""
        return sum(n for mask, n in self.counts.items() if not mask & ACTIVE)


class _Compressed(Exception):
    """The image has compressed clusters."""


def measure(source: Source) -> ImageSizes:
    """Measure every snapshot inside an image.

    Raises Qcow2Error when the image is damaged, keeps its data elsewhere, or gained or lost a
    snapshot meanwhile, and OSError when it cannot be read.
    """
    header = read_header(source)
    entries, table = read_entries(source, header)
    if not entries:
        return ImageSizes(snapshots=(), held_by_snapshots_bytes=0)
    if header.has_external_data:
        raise Qcow2Error("it keeps its data in another file")
    tally = _tally(source, header, entries)
    again = read_header(source)
    if (again.snapshot_count, read_entries(source, again)[1]) != (len(entries), table):
        raise Qcow2Error("its snapshots changed while it was read")
    return ImageSizes(
        snapshots=tuple(
            _sizes(entry, ACTIVE << number, tally, header)
            for number, entry in enumerate(entries, start=1)
        ),
        held_by_snapshots_bytes=tally.held() * header.cluster_size
        + sum(_l1_bytes(entry) for entry in entries),
    )


def _sizes(entry: Entry, bit: int, tally: _Tally, header: Header) -> SnapshotSizes:
    own = _l1_bytes(entry)
    return SnapshotSizes(
        id=entry.id,
        name=entry.name,
        created_at=entry.created_at,
        vm_state_bytes=entry.vm_state_bytes,
        exclusive_bytes=tally.clusters(bit, alone=True) * header.cluster_size + own,
        not_in_active_bytes=tally.clusters(bit, alone=False) * header.cluster_size + own,
    )


def _l1_bytes(entry: Entry) -> int:
    """An L1 table is short and leaves the rest of its cluster unwritten, so blocks are counted."""
    return -(-entry.l1_size * 8 // _BLOCK) * _BLOCK


def _tally(source: Source, header: Header, entries: tuple[Entry, ...]) -> _Tally:
    l1 = L1Reader(source)
    tables = [l1.read(header.l1_offset, header.l1_size)]
    tables += [l1.read(entry.l1_offset, entry.l1_size) for entry in entries]
    places = _places(tables, source)
    tally = _Tally(Counter())
    for masks in places.values():
        tally.counts.update(masks.values())
    try:
        tally.counts.update(_by_place(source, header, places))
    except _Compressed:
        tally.counts.update(_by_host_cluster(source, header, places))
    return tally


def _places(tables: list[array[int]], source: Source) -> dict[int, dict[int, int]]:
    """For each place in the L1 tables the L2 tables that stand there, with who refers to them."""
    places: dict[int, dict[int, int]] = {}
    home: dict[int, int] = {}
    for number, table in enumerate(tables):
        for place, entry in enumerate(table):
            offset = entry & OFFSET_MASK
            if not offset:
                continue
            if offset >= source.size or home.setdefault(offset, place) != place:
                raise Qcow2Error("an L2 table lies outside the file or stands in two places")
            masks = places.setdefault(place, {})
            masks[offset] = masks.get(offset, 0) | 1 << number
    return places


def _needs_reading(masks: dict[int, int]) -> bool:
    """Tables that the present state shares with all, or has alone, free nothing."""
    return len(masks) > 1 or not any(mask & ACTIVE for mask in masks.values())


def _by_place(source: Source, header: Header, places: dict[int, dict[int, int]]) -> Counter[int]:
    """Data clusters by mask, comparing the tables of each place. Raises _Compressed."""
    counts: Counter[int] = Counter()
    waiting: dict[int, dict[int, set[int]]] = {}
    home = {offset: place for place, masks in places.items() for offset in masks}
    wanted = [offset for masks in places.values() if _needs_reading(masks) for offset in masks]
    for offset, table in read_l2(source, header, wanted):
        clusters = {entry & (OFFSET_MASK | COMPRESSED) for entry in table}
        if max(clusters) >= COMPRESSED:
            raise _Compressed
        clusters.discard(0)
        place = home[offset]
        read = waiting.setdefault(place, {})
        read[offset] = clusters
        if len(read) == len(places[place]):
            counts.update(_compare(places[place], waiting.pop(place)))
    return counts


def _compare(masks: dict[int, int], read: dict[int, set[int]]) -> dict[int, int]:
    """How many data clusters of one place have which mask."""
    groups: dict[int, set[int]] = {}
    for offset, clusters in read.items():
        mask, rest, split = masks[offset], clusters, dict[int, set[int]]()
        for others, group in groups.items():
            shared = group & rest
            rest = rest - shared
            split[others | mask] = split.get(others | mask, set()) | shared
            split[others] = split.get(others, set()) | (group - shared)
        split[mask] = split.get(mask, set()) | rest
        groups = split
    return {mask: len(group) for mask, group in groups.items()}


def _by_host_cluster(
    source: Source, header: Header, places: dict[int, dict[int, int]]
) -> Counter[int]:
    """Data clusters by mask, counted over the whole image."""
    whole: dict[int, int] = {}
    masks = {offset: mask for place in places.values() for offset, mask in place.items()}
    for offset, table in read_l2(source, header, masks):
        mask = masks[offset]
        for entry in table:
            if entry & COMPRESSED:
                touched: range | tuple[int, ...] = host_clusters(entry, header)
            else:
                touched = ((entry & OFFSET_MASK) >> header.cluster_bits,)
            for cluster in touched:
                if cluster:
                    whole[cluster] = whole.get(cluster, 0) | mask
    return Counter(whole.values())
