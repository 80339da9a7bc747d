"""The line of images that a disk stands on, and where its snapshots hang on that line.

A snapshot of a disk makes three images of one: a hidden base copy with the data until then, the
disk's own leaf for what is written from then on, and the snapshot's leaf, which holds next to
nothing. Both leaves stand on the base copy (``sm_config:vhd-parent``). The garbage collector of the
storage repository merges a hidden image into the one it stands on as soon as nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import VdiRecord

DEEPEST = 30
"""The number of steps down a line at which the storage refuses another snapshot."""

_CHAINED = frozenset({"ext", "file", "nfs", "smb", "cifs", "lvm", "lvmoiscsi", "lvmohba"})
_CHAINED |= {"lvmofcoe", "gfs2", "largeblock", "cephfs", "glusterfs", "xfs", "moosefs", "iso"}


@dataclass(frozen=True, slots=True)
class Line:
    """Images from the base to the leaf. ``trouble``: why the line is not known to its base."""

    images: tuple[VdiRecord, ...]
    trouble: str | None

    @property
    def depth(self) -> int:
        """How many steps lead down from the leaf."""
        return len(self.images) - 1


def line_of(leaf: VdiRecord, pool: Pool) -> Line:
    """Follow ``vhd-parent`` down. In wrong records it leads to nothing, or in a circle.

    Seen on real pools: a leaf that keeps naming an image which was merged away.
    """
    line, seen, at = [leaf], {leaf.uuid}, leaf
    while at.parent is not None:
        below = pool.vdi_by_uuid.get(at.parent)
        if below is None:
            return Line(tuple(line[::-1]), f"{at.uuid} stands on {at.parent}, which is not there")
        if below.uuid in seen:
            return Line(tuple(line[::-1]), f"{at.uuid} stands on itself by way of {below.uuid}")
        seen.add(below.uuid)
        line.append(below)
        at = below
    return Line(tuple(line[::-1]), _unchained(leaf, pool))


def _unchained(leaf: VdiRecord, pool: Pool) -> str | None:
    """Storage that keeps its snapshots elsewhere than in such lines tells nothing of them."""
    sr = pool.sr_of(leaf)
    if sr is not None and sr.type in _CHAINED:
        return None
    kind = sr.type if sr is not None else "unknown"
    return f"storage of type {kind} does not tell what its images stand on"


@dataclass(frozen=True, slots=True)
class Own:
    """The images of one machine by UUID: its disks, and its disk snapshots with their snapshots.

    A disk snapshot that no snapshot uses is left over, and has none.
    """

    disks: frozenset[str]
    snapshots: Mapping[str, str | None]

    def __contains__(self, uuid: object) -> bool:
        return uuid in self.disks or uuid in self.snapshots


@dataclass(frozen=True, slots=True)
class Mark:
    """A disk snapshot that hangs on a line: at which image of it, and whose it is.

    ``snapshot_id`` None: no snapshot of the machine uses it, it is left over.
    """

    at: int
    leaf: VdiRecord
    snapshot_id: str | None


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk of a machine: its line, the snapshots on it in their order, and what is shared.

    ``shared`` are places on the line, below all of the machine's own snapshots, on which images of
    others stand too.
    """

    position: str
    leaf: VdiRecord
    line: Line
    marks: tuple[Mark, ...]
    shared: tuple[int, ...]

    def mark_of(self, leaf: VdiRecord) -> Mark | None:
        """Where a disk snapshot hangs."""
        return next((mark for mark in self.marks if mark.leaf.uuid == leaf.uuid), None)

    def waiting(self, pool: Pool) -> tuple[VdiRecord, ...]:
        """Hidden images on which only another hidden one stands: work for the garbage collector."""
        return tuple(image for image in self.line.images[:-1] if _waits(image, pool))


def _waits(image: VdiRecord, pool: Pool) -> bool:
    above = pool.children.get(image.uuid, ())
    return not image.managed and len(above) == 1 and not above[0].managed


def disk_of(position: str, leaf: VdiRecord, own: Own, pool: Pool) -> Disk:
    """Understand one disk of a machine whose images these are."""
    line = line_of(leaf, pool)
    marks = sorted(_marks(line, own, pool), key=_in_time)
    first = marks[0].at if marks else line.depth
    shared = tuple(at for at in range(first) if others_on(line, at, own, pool))
    return Disk(position, leaf, line, tuple(marks), shared)


def _marks(line: Line, own: Own, pool: Pool) -> Iterator[Mark]:
    on_line = {image.uuid for image in line.images}
    for at, image in enumerate(line.images[:-1]):
        for child in pool.children.get(image.uuid, ()):
            if child.uuid in own.snapshots and child.uuid not in on_line:
                yield Mark(at, child, own.snapshots[child.uuid])


def _in_time(mark: Mark) -> tuple[int, bool, str, str]:
    taken = mark.leaf.snapshot_time
    return (mark.at, taken is None, taken.isoformat() if taken else "", mark.leaf.uuid)


def others_on(line: Line, at: int, own: Own, pool: Pool) -> tuple[VdiRecord, ...]:
    """The leaves of others that stand on an image beside the line.

    A hidden image on which nothing stands is garbage that has not been collected yet.
    """
    seen = {image.uuid for image in line.images[at:]}
    waiting = list(pool.children.get(line.images[at].uuid, ()))
    found: list[VdiRecord] = []
    while waiting:
        image = waiting.pop()
        if image.uuid in seen:
            continue
        seen.add(image.uuid)
        waiting.extend(pool.children.get(image.uuid, ()))
        if image.managed and image.uuid not in own:
            found.append(image)
    return tuple(sorted(found, key=lambda image: image.uuid))
