"""A disk's line of images as layers of the model, such as the garbage collector cannot change.

The collector merges hidden images whenever it likes, and which UUID remains depends on the way it
takes. So a layer is named after what stays: the disk, or the disk snapshot whose deletion makes the
layer go. It stands for all images from where that snapshot hangs up to where the next one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.hypervisors.xen.lines import Disk, Mark
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import VdiRecord
from snapaudit.hypervisors.xen.stores import is_shown
from snapaudit.model.inventory import DiskLayer, LayerRole, VirtualDisk


def virtual_disk(disk: Disk, pool: Pool, *, shows_waiting: bool) -> VirtualDisk:
    """The disk, base first. ``shows_waiting``: with each image that waits for the collector."""
    return VirtualDisk(
        id=disk.leaf.uuid,
        label=disk.position,
        capacity_bytes=disk.leaf.virtual_size,
        layers=tuple(_layers(disk, pool, shows_waiting=shows_waiting)),
    )


def _layers(disk: Disk, pool: Pool, *, shows_waiting: bool) -> Iterator[DiskLayer]:
    images = disk.line.images
    begin = 0
    for at in disk.shared:
        yield _layer(images[begin], LayerRole.TEMPLATE, images[begin : at + 1], pool)
        begin = at + 1
    waiting = disk.waiting(pool) if shows_waiting else ()
    marks: tuple[Mark | None, ...] = (None, *disk.marks)
    for number, mark in enumerate(marks):
        end = disk.marks[number].at + 1 if number < len(disk.marks) else len(images)
        segment = images[begin:end]
        begin = max(begin, end)
        phantoms = [image for image in segment if image in waiting]
        yield from (_layer(image, LayerRole.PHANTOM, [image], pool) for image in phantoms)
        yield _segment(disk, mark, [image for image in segment if image not in phantoms], pool)


def _segment(disk: Disk, mark: Mark | None, images: list[VdiRecord], pool: Pool) -> DiskLayer:
    if mark is None:
        return _layer(disk.leaf, LayerRole.BASE, images, pool)
    role = LayerRole.PHANTOM if mark.snapshot_id is None else LayerRole.DELTA
    return _layer(mark.leaf, role, [mark.leaf, *images], pool, mark.snapshot_id)


def _layer(
    named: VdiRecord,
    role: LayerRole,
    images: Iterable[VdiRecord],
    pool: Pool,
    snapshot_id: str | None = None,
) -> DiskLayer:
    sr = pool.sr_of(named)
    is_attached = bool(pool.attached.get(named.sr or ""))
    return DiskLayer(
        path=path_of(named, pool),
        datastore_id=sr.uuid if sr is not None and is_shown(sr) else None,
        size_bytes=total(images),
        role=role,
        snapshot_id=snapshot_id,
        format=named.format,
        exists=False if named.missing else True if is_attached else None,
    )


def path_of(image: VdiRecord, pool: Pool) -> str:
    """Storage repository and image, each by its UUID."""
    sr = pool.sr_of(image)
    return f"{sr.uuid if sr is not None else '?'}/{image.uuid}"


def total(images: Iterable[VdiRecord]) -> int | None:
    """What images occupy together; None as soon as one of them is not known."""
    sizes = [size_of(image) for image in images]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def size_of(image: VdiRecord) -> int | None:
    """What an image occupies; of one that its storage misses nobody knows."""
    return None if image.missing else image.size
