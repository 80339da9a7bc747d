"""What a snapshot holds, and between which bounds its deletion gives back.

How much of a base copy was written over since is known to nobody but the collector that merges it.
So there is a lower bound, what the snapshot's own leaf occupies, and an upper one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.hypervisors.xen.layers import size_of
from snapaudit.hypervisors.xen.lines import line_of
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import VdiRecord
from snapaudit.hypervisors.xen.stores import collects_nothing
from snapaudit.model.inventory import ByteRange

_BASIS = "own images; at most the overlap of each base copy with the only image left on it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A snapshot's sizes; see `Snapshot`."""

    size_bytes: int | None
    pinned_bytes: int | None
    reclaimable_bytes: ByteRange


@dataclass(frozen=True, slots=True)
class Gain:
    """What deleting one disk snapshot gives back; None where a size on the way is unknown."""

    least: int | None
    most: int | None
    pinned: int | None


def measured(
    written: int | None, leaves: list[VdiRecord], memory: VdiRecord | None, pool: Pool, reason: str
) -> Measured:
    """Of a snapshot with these disks and this memory image.

    ``written`` is what its disks hold since it was taken; ``reason`` is why that is not known.
    """
    gains = [gain(leaf, pool) for leaf in leaves]
    image = 0 if memory is None else size_of(memory)
    least = _sum([each.least for each in gains], image)
    most = _sum([each.most for each in gains], image)
    return Measured(
        size_bytes=_sum([written], image),
        pinned_bytes=_sum([each.pinned for each in gains], 0),
        reclaimable_bytes=ByteRange(
            min=least or 0,
            max=most,
            basis=f"unknown: {reason}" if most is None or written is None else _basis(leaves, pool),
        ),
    )


def _basis(leaves: list[VdiRecord], pool: Pool) -> str:
    stores = (pool.sr_of(leaf) for leaf in leaves)
    reasons = (collects_nothing(sr) for sr in stores if sr is not None)
    return next((f"own images alone: {reason}" for reason in reasons if reason), _BASIS)


def _sum(parts: list[int | None], more: int | None) -> int | None:
    known = [part for part in (*parts, more) if part is not None]
    return sum(known) if len(known) == len(parts) + 1 else None


def gain(leaf: VdiRecord, pool: Pool) -> Gain:
    """Of deleting one disk snapshot.

    Hidden images on which nothing else stands go with it. One on which a single other image is left
    is merged with that: at most the smaller of the two comes back.
    """
    own = size_of(leaf)
    sr = pool.sr_of(leaf)
    if own is None or (sr is not None and collects_nothing(sr)):
        return Gain(own, own, own and 0)
    most = None if line_of(leaf, pool).trouble else own
    for image, others in _below(leaf, pool):
        part = _part(image, others)
        most = None if most is None or part is None else most + part
    return Gain(own, most, _pinned(leaf, pool))


def _below(leaf: VdiRecord, pool: Pool) -> Iterator[tuple[VdiRecord, list[VdiRecord]]]:
    """The hidden images that the deletion reaches, each with what else stands on it."""
    at, seen = leaf, {leaf.uuid}
    while at.parent is not None:
        image = pool.vdi_by_uuid.get(at.parent)
        if image is None or image.managed or image.uuid in seen:
            return
        seen.add(image.uuid)
        others = [each for each in pool.children[image.uuid] if each.uuid != at.uuid]
        yield image, others
        if others:
            return
        at = image


def _part(image: VdiRecord, others: list[VdiRecord]) -> int | None:
    size = size_of(image)
    match others:
        case []:
            return size
        case [other]:
            beside = size_of(other)
            return None if size is None or beside is None else min(size, beside)
        case _:
            return 0


def _pinned(leaf: VdiRecord, pool: Pool) -> int | None:
    """The base copy, where not several others need it too."""
    base = pool.vdi_by_uuid.get(leaf.parent or "")
    if base is None or len(pool.children[base.uuid]) > 2:
        return 0
    return size_of(base)
