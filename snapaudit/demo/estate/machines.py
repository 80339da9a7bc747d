"""One machine of the estate at one week, with its chain of images and its snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from snapaudit.demo.estate.nouns import Box, Shot, Site, Sizing
from snapaudit.model.inventory import (
    ByteRange,
    DiskLayer,
    LayerRole,
    PowerState,
    Snapshot,
    VirtualDisk,
    VirtualMachine,
)

_GIB = 2**30
_FILLED = 0.7
_SURE = {Sizing.EXACT: 1.0, Sizing.ALLOCATION: 0.8, Sizing.UPPER: 0.0}
_UNSIZED = ByteRange(min=0, max=None, basis="unknown: nobody told how large it is")


def machine(site: Site, number: int, box: Box, week: int, now: datetime) -> VirtualMachine:
    """The machine as its endpoint showed it so many weeks ago."""
    present = tuple((place, shot) for place, shot in enumerate(box.shots) if shot.is_there(week))
    snapshots = tuple(_snapshots(site, number, present, week, now))
    is_haunted = box.phantom is not None and box.phantom[1] >= week
    return VirtualMachine(
        id=f"vm-{1000 + number}",
        name=box.name,
        host_id=site.hosts[number % len(site.hosts)],
        power_state=box.power,
        disks=(_disk(box, snapshots, week),),
        snapshots=snapshots,
        current_snapshot_id=snapshots[-1].id if snapshots else None,
        consolidation_needed=is_haunted,
        busy=False,
        is_template=box.is_template,
        tags=box.tags,
        notes=box.notes,
        folder=box.folder,
        attributes=box.attributes,
        protections=box.protections,
    )


def _snapshots(
    site: Site,
    number: int,
    present: tuple[tuple[int, Shot], ...],
    week: int,
    now: datetime,
) -> Iterator[Snapshot]:
    parent = None
    for place, shot in present:
        taken = now - timedelta(weeks=shot.taken)
        size = None if shot.unsized else round(shot.gib(week) * _GIB)
        identity = f"snapshot-{1000 + number}-{place}"
        yield Snapshot(
            id=identity,
            name=shot.name.replace("{taken}", f"{taken:%Y-%m-%d}"),
            description=shot.note,
            kind=site.kind,
            created_at=taken,
            parent_id=parent,
            power_state=PowerState.ON if shot.memory else PowerState.OFF,
            has_memory=shot.memory,
            size_bytes=size,
            pinned_bytes=size,
            reclaimable_bytes=_gain(site.sizing, size),
            is_quiesced=False,
            creator=shot.creator,
            protections=(shot.protection,) if shot.protection else (),
        )
        parent = identity


def _gain(sizing: Sizing, size: int | None) -> ByteRange:
    if size is None:
        return _UNSIZED
    return ByteRange(min=round(size * _SURE[sizing]), max=size, basis=sizing.value)


def _disk(box: Box, snapshots: tuple[Snapshot, ...], week: int) -> VirtualDisk:
    base = DiskLayer(
        path=f"/{box.shelf}/{box.name}/{box.name}.img",
        datastore_id=box.shelf,
        size_bytes=round(box.disk * _FILLED * _GIB),
        role=LayerRole.BASE,
        exists=True,
    )
    deltas = (
        DiskLayer(
            path=f"/{box.shelf}/{box.name}/{box.name}-{one.id.rpartition('-')[2]}.img",
            datastore_id=box.shelf,
            size_bytes=one.size_bytes,
            role=LayerRole.DELTA,
            snapshot_id=one.id,
            exists=True,
        )
        for one in snapshots
    )
    return VirtualDisk(
        id="disk-1",
        label="disk 1",
        capacity_bytes=round(box.disk * _GIB),
        layers=(base, *deltas, *_phantom(box, week)),
    )


def _phantom(box: Box, week: int) -> Iterator[DiskLayer]:
    if box.phantom is None or box.phantom[1] < week:
        return
    yield DiskLayer(
        path=f"/{box.shelf}/{box.name}/{box.name}-phantom.img",
        datastore_id=box.shelf,
        size_bytes=round(box.phantom[0] * _GIB),
        role=LayerRole.PHANTOM,
        exists=True,
    )
