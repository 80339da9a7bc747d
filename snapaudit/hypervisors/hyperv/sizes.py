"""Sizes: what a checkpoint occupies, what deleting it gives back, and the room its merge takes.

The gain depends on how many files stand on what it holds. None: the held file goes, nothing is
merged. One: that file is merged into the held one. Several: nothing can be merged yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from snapaudit.hypervisors.hyperv.chains import Machine, held
from snapaudit.hypervisors.hyperv.images import FIXED, Image, Images, known
from snapaudit.hypervisors.hyperv.rows import CheckpointRow
from snapaudit.model.inventory import ByteRange

# Tables of a dynamic disk, in thousandths of its virtual size.
_TABLES = 2
_NOTHING = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file that a checkpoint holds. ``children``: all that stands on it, of any machine.

    ``own`` are the automatic files of this machine among them that are charged to the checkpoint.
    ``is_alone``: no other checkpoint holds it. ``is_written``: a machine writes to it.
    """

    held: Image
    children: tuple[Image, ...]
    own: tuple[Image, ...]
    is_alone: bool
    is_written: bool

    @property
    def merging(self) -> Image | None:
        """The file that deleting the checkpoint merges into the held one, if it merges any."""
        is_one = len(self.children) == len(self.own) == 1
        return self.own[0] if is_one and self.is_alone else None

    @property
    def removed(self) -> Image | None:
        """The held file, where deleting the checkpoint removes it: the end of a dead branch."""
        is_end = not self.children and self.is_alone and not self.is_written
        return self.held if is_end and self.held.is_automatic else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Figures of one checkpoint in bytes; None where a part of them is unknown.

    ``delta_bytes`` has been written since it was taken, ``kept_bytes`` counts its configuration and
    saved memory too.
    """

    delta_bytes: int | None
    kept_bytes: int | None
    pinned_bytes: int | None
    gain: ByteRange


def parts(
    checkpoint: CheckpointRow, machine: Machine, images: Images, written: Iterable[str]
) -> tuple[Part, ...]:
    """The held files of a checkpoint. ``written``: the images that some machine writes to."""
    return tuple(
        _part(key, checkpoint, machine, images, is_written=key in written)
        for key in held(checkpoint, machine.found, images)
    )


def _part(
    key: str, checkpoint: CheckpointRow, machine: Machine, images: Images, *, is_written: bool
) -> Part:
    holders = machine.holders[key]
    children = images.on(key)
    return Part(
        held=images.by_key[key],
        children=tuple(images.by_key[child] for child in children),
        own=tuple(images.by_key[c] for c in children if machine.owners.get(c) == checkpoint.id),
        is_alone=len(holders) == 1,
        is_written=is_written,
    )


def measured(
    checkpoint: CheckpointRow, machine: Machine, images: Images, found: tuple[Part, ...]
) -> Sizes:
    """The figures of a checkpoint. One file of unknown origin makes all of them unknown."""
    system = known(checkpoint.system_bytes)
    if machine.unexplained:
        path = images.by_key[machine.unexplained[0]].path
        return _unknown(f"unknown: whose {path} is cannot be told", system)
    delta = _sum(image.size_bytes for part in found for image in part.own)
    gain = _total([*(_gain(part) for part in found), _system_gain(system)])
    return Sizes(
        delta_bytes=delta,
        kept_bytes=None if delta is None or system is None else delta + system,
        pinned_bytes=gain.min if gain.min == gain.max else None,
        gain=gain,
    )


def _unknown(basis: str, system: int | None) -> Sizes:
    gain = ByteRange(min=system or _NOTHING, max=None, basis=basis)
    return Sizes(delta_bytes=None, kept_bytes=None, pinned_bytes=None, gain=gain)


def _sum(sizes: Iterable[int | None]) -> int | None:
    found = list(sizes)
    told = [size for size in found if size is not None]
    return sum(told) if len(told) == len(found) else None


def _gain(part: Part) -> ByteRange:
    merging, removed = part.merging, part.removed
    if removed is not None:
        return _exactly(removed, "nothing stands on what it holds, so that file goes")
    if merging is not None and part.held.kind == FIXED:
        return _exactly(merging, "one file is merged into a fixed disk")
    if merging is not None:
        return _up_to(merging, "one file is merged into what it holds")
    if len(part.children) > 1:
        return _none(f"{len(part.children)} files stand on what it holds: none can be merged yet")
    if not part.is_alone:
        return _none("another checkpoint holds the same file")
    return _none("nothing is merged")


def _none(basis: str) -> ByteRange:
    return ByteRange(min=_NOTHING, max=_NOTHING, basis=basis)


def _exactly(image: Image, basis: str) -> ByteRange:
    if image.size_bytes is None:
        return _up_to(image, basis)
    return ByteRange(min=image.size_bytes, max=image.size_bytes, basis=basis)


def _up_to(image: Image, basis: str) -> ByteRange:
    if image.size_bytes is None:
        return ByteRange(
            min=_NOTHING, max=None, basis=f"unknown: nobody told how large {image.path} is"
        )
    return ByteRange(min=_NOTHING, max=image.size_bytes, basis=basis)


def _system_gain(system: int | None) -> ByteRange:
    if system is None:
        return ByteRange(
            min=_NOTHING, max=None, basis="unknown: its system files were not measured"
        )
    return ByteRange(min=system, max=system, basis="configuration and saved memory")


def _total(gains: list[ByteRange]) -> ByteRange:
    highs = [gain.max for gain in gains if gain.max is not None]
    unknown = [gain.basis for gain in gains if gain.max is None]
    bases = dict.fromkeys(unknown or (gain.basis for gain in gains))
    return ByteRange(
        min=sum(gain.min for gain in gains),
        max=None if unknown else sum(highs),
        basis="; ".join(bases),
    )


def need(part: Part) -> int | None:
    """The room that deleting it takes on the held file's volume, before anything is given back.

    None where it is unknown: nobody told how large the file is that would be merged.
    """
    merging = part.merging
    if merging is None or part.held.kind == FIXED:
        return _NOTHING
    room = growth(part.held)
    return merging.size_bytes if room is None else _least(merging.size_bytes, room)


def _least(size: int | None, room: int) -> int | None:
    return None if size is None else min(size, room)


def growth(image: Image) -> int | None:
    """What a dynamic disk may still grow by: up to its virtual size and the tables for it."""
    if image.capacity_bytes is None or image.size_bytes is None:
        return None
    tables = -(-image.capacity_bytes * _TABLES // 1000)
    return max(_NOTHING, image.capacity_bytes + tables - image.size_bytes)


def needs(found: Iterable[Part]) -> Iterator[tuple[str, int | None]]:
    """Every held file that a merge writes to, with the room it takes there."""
    for part in found:
        if part.merging is not None:
            yield part.held.key, need(part)
