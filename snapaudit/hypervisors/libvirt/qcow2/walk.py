"""Which clusters each state of an image refers to, and so what deleting a snapshot frees.

A cluster is freed by deleting a snapshot when nothing but that snapshot refers to it: guest data,
memory (which lies behind the end of the virtual disk), L2 tables and its own L1 table.

The image of a running machine may be read: the tables of a snapshot do not change while it exists.
Those of the present state may lag behind until the guest flushes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from snapaudit.hypervisors.libvirt.qcow2.compressed import add_compressed
from snapaudit.hypervisors.libvirt.qcow2.header import Header, Qcow2Error, read_header
from snapaudit.hypervisors.libvirt.qcow2.places import Place, is_shared, pieces, places
from snapaudit.hypervisors.libvirt.qcow2.snapshots import Entry, read_entries
from snapaudit.hypervisors.libvirt.qcow2.source import Source
from snapaudit.hypervisors.libvirt.qcow2.tables import has_compressed, read_l1, standard_clusters
from snapaudit.hypervisors.libvirt.qcow2.tally import Tally

_MOST_SNAPSHOTS = 4096
_MOST_L1_ENTRIES = 4 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSizes:
    """One internal snapshot. Sizes in bytes of whole clusters, tables included.

    ``exclusive_bytes``: freed by deleting only it. ``not_in_active_bytes``: what it refers to and
    the present state does not, that is what was written over since, and its memory. ``stamp`` is
    its date and the guest's clock to the nanosecond.
    """

    id: str
    name: str
    created_at: datetime | None
    stamp: str
    vm_state_bytes: int
    exclusive_bytes: int
    not_in_active_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSizes:
    """One image. ``held_by_snapshots_bytes``: freed by deleting all of its snapshots."""

    snapshots: tuple[SnapshotSizes, ...]
    held_by_snapshots_bytes: int


@dataclass(frozen=True, slots=True)
class _Content:
    """What must be the same after the walk as before."""

    header: Header
    entries: tuple[Entry, ...]

    @property
    def anchors(self) -> tuple[object, ...]:
        """Where the walk begins; flags in the header may change at any time."""
        return self.header.l1_offset, self.header.l1_size, self.entries


def measure(source: Source) -> ImageSizes:
    """Measure every snapshot inside an image.

    Raises OSError when it cannot be read, and Qcow2Error when it is damaged, keeps its data in
    another file, is too large to be walked, or gained or lost a snapshot meanwhile.
    """
    content = _read(source)
    if not content.entries:
        return ImageSizes(snapshots=(), held_by_snapshots_bytes=0)
    try:
        tally = _walk(source, content)
    except Qcow2Error:
        _check_unchanged(source, content)
        raise
    _check_unchanged(source, content)
    size = content.header.cluster_size
    return ImageSizes(
        snapshots=tuple(
            _sizes(entry, tally.alone[state] * size, tally.not_in_active[state] * size)
            for state, entry in enumerate(content.entries, start=1)
        ),
        held_by_snapshots_bytes=tally.held * size,
    )


def _read(source: Source) -> _Content:
    header = read_header(source)
    if header.is_corrupt:
        raise Qcow2Error("it is marked as corrupt")
    if header.has_external_data:
        raise Qcow2Error("it keeps its data in another file")
    if header.snapshot_count > _MOST_SNAPSHOTS:
        raise Qcow2Error(f"it has {header.snapshot_count} snapshots, more than can be compared")
    return _Content(header, read_entries(source, header))


def _check_unchanged(source: Source, before: _Content) -> None:
    if _read(source).anchors != before.anchors:
        raise Qcow2Error("its snapshots changed while it was read")


def _sizes(entry: Entry, exclusive: int, not_in_active: int) -> SnapshotSizes:
    return SnapshotSizes(
        id=entry.id,
        name=entry.name,
        created_at=entry.created_at,
        stamp=entry.stamp,
        vm_state_bytes=entry.vm_state_bytes,
        exclusive_bytes=exclusive,
        not_in_active_bytes=not_in_active,
    )


def _walk(source: Source, content: _Content) -> Tally:
    header, size = content.header, source.size
    l1_tables, taken = _l1_tables(source, content)
    tally = Tally(len(l1_tables))
    for state, table in enumerate(l1_tables):
        tally.add_shared([state], -(-len(table) * 8 // header.cluster_size))
    compressed = False
    differing = _differing(places(l1_tables, header, taken, size), tally)
    for piece in pieces(source, header, differing):
        if not is_shared(piece):
            compressed = compressed or any(has_compressed(raw, header) for raw in piece)
            tally.add((s, standard_clusters(raw, header, size)) for raw, s in piece.items())
    if compressed:
        everywhere = places(l1_tables, header, taken, size)
        add_compressed(tally, pieces(source, header, everywhere), header, size)
    return tally


def _differing(everywhere: Iterable[Place], tally: Tally) -> Iterator[Place]:
    """The places worth reading; their tables are clusters too."""
    for place in everywhere:
        if not is_shared(place):
            tally.add((states, {offset}) for offset, states in place.items())
            yield place


def _l1_tables(source: Source, content: _Content) -> tuple[list[array[int]], set[int]]:
    """Those of the present state and of every snapshot, and the clusters they stand in."""
    wanted = [(content.header.l1_offset, content.header.l1_size)]
    wanted += [(entry.l1_offset, entry.l1_size) for entry in content.entries]
    if sum(entries for _, entries in wanted) > _MOST_L1_ENTRIES:
        raise Qcow2Error("its L1 tables are impossibly large together")
    taken = {0}
    for offset, entries in wanted:
        clusters = set(range(offset, offset + entries * 8, content.header.cluster_size))
        if not taken.isdisjoint(clusters):
            raise Qcow2Error("two of its tables stand in the same cluster")
        taken |= clusters
    return [read_l1(source, offset, entries) for offset, entries in wanted], taken
