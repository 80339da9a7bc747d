"""Chains: the images below each drive of a machine, and which checkpoint each of them is owed to.

A checkpoint's drive names the file it froze, its *held file*. The automatic file that stands on it
has what was written since, and is charged to that checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from snapaudit.hypervisors.hyperv import paths
from snapaudit.hypervisors.hyperv.cluster import Found
from snapaudit.hypervisors.hyperv.images import Images
from snapaudit.hypervisors.hyperv.rows import CheckpointRow, Drive
from snapaudit.model.inventory import LayerRole

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Images from the base up. ``trouble`` says where following them ended too early, if it did.

    ``lost`` is the image that is known to be gone.
    """

    keys: tuple[str, ...]
    trouble: str | None = None
    lost: str | None = None

    @property
    def top(self) -> str:
        """The image that is written to."""
        return self.keys[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A drive with a file, by its slot: paths change when checkpoints come and go, slots do not."""

    label: str
    drive: Drive
    chain: Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine with all its chains.

    ``branches`` are the chains of what its checkpoints hold, ``holders`` the checkpoints by what
    they hold. Each automatic file of its chains is in one of three: in ``owners``, with the
    checkpoint that it is charged to; in ``strays``, since it stands on what none of its checkpoints
    holds; in ``unexplained``, since nobody knows what it stands on.
    """

    found: Found
    disks: tuple[Disk, ...]
    branches: tuple[Chain, ...]
    holders: Mapping[str, tuple[str, ...]]
    owners: Mapping[str, str]
    strays: tuple[str, ...]
    unexplained: tuple[str, ...]

    @property
    def id(self) -> str:
        """The machine's GUID."""
        return self.found.id

    @property
    def chains(self) -> tuple[Chain, ...]:
        """Those of its drives, then those of its checkpoints."""
        return (*(disk.chain for disk in self.disks), *self.branches)

    @property
    def keys(self) -> frozenset[str]:
        """Every image of every chain."""
        return frozenset(key for chain in self.chains for key in chain.keys)


def label(drive: Drive) -> str:
    """``SCSI 0:1``: type, number and location of the controller."""
    kind, number, location = drive.controller
    return f"{kind} {number}:{location}"


def build(found: Found, images: Images) -> Machine:
    """Follow every chain of a machine, and charge what the platform made to its checkpoints."""
    disks = tuple(_disks(found, images))
    holders = _holders(found, images)
    branches = tuple(chain(key, images) for key in holders)
    followed = (*(disk.chain for disk in disks), *branches)
    keys = dict.fromkeys(key for one in followed for key in one.keys)
    automatic = [images.by_key[key] for key in keys if images.by_key[key].is_automatic]
    owners = {one.key: holders[one.parent][0] for one in automatic if one.parent in holders}
    others = [one for one in automatic if one.key not in owners]
    # A machine without checkpoints explains no automatic file, whatever that stands on.
    is_bare = not found.checkpoints
    return Machine(
        found=found,
        disks=disks,
        branches=branches,
        holders=holders,
        owners=owners,
        strays=tuple(one.key for one in others if one.parent is not None or is_bare),
        unexplained=tuple(one.key for one in others if one.parent is None and not is_bare),
    )


def chain(top: str, images: Images) -> Chain:
    """Everything below an image, as far as it can be followed; links in a circle are cut."""
    line, seen = [top], {top}
    while True:
        image = images.by_key[line[-1]]
        if image.exists is False:
            return _ended(line, f"{image.path} is gone", lost=image.key)
        if not image.is_read:
            return _ended(line, f"what {image.path} stands on could not be read")
        if image.parent is None:
            return _ended(line, None)
        if image.parent in seen:
            return _ended(line, f"{image.path} stands on itself, by way of others")
        seen.add(image.parent)
        line.append(image.parent)


def _ended(line: list[str], trouble: str | None, lost: str | None = None) -> Chain:
    return Chain(keys=tuple(reversed(line)), trouble=trouble, lost=lost)


def _disks(found: Found, images: Images) -> Iterator[Disk]:
    for drive in found.row.drives:
        if drive.path:
            top = images.scope.key(found.node, drive.path)
            yield Disk(label=label(drive), drive=drive, chain=chain(top, images))


def held(checkpoint: CheckpointRow, found: Found, images: Images) -> tuple[str, ...]:
    """The files that a checkpoint froze, in the order of its drives."""
    named = (drive.path for drive in checkpoint.drives if drive.path)
    return tuple(dict.fromkeys(images.scope.key(found.node, path) for path in named))


def _holders(found: Found, images: Images) -> dict[str, tuple[str, ...]]:
    holding: dict[str, list[str]] = {}
    for checkpoint in sorted(found.checkpoints, key=_age):
        for key in held(checkpoint, found, images):
            holding.setdefault(key, []).append(checkpoint.id)
    return {key: tuple(ids) for key, ids in holding.items()}


def _age(checkpoint: CheckpointRow) -> tuple[datetime, str]:
    return (checkpoint.created_at or _NEVER, checkpoint.id)


def own(disk: Disk) -> tuple[str, ...]:
    """The images of the machine's own: the last plain one and all above it.

    What lies below that is a gold image, made for several machines.
    """
    keys = disk.chain.keys
    last = max((n for n, key in enumerate(keys) if not paths.is_automatic(key)), default=0)
    return keys[last:]


def roles(disk: Disk, machine: Machine, *, is_told: bool) -> Iterator[LayerRole]:
    """The part each image plays, base first.

    ``is_told``: all checkpoints of the machine are known, so that what none explains is a phantom.
    """
    ours = own(disk)
    for key in disk.chain.keys:
        if key not in ours:
            yield LayerRole.TEMPLATE
        elif not paths.is_automatic(key):
            yield LayerRole.BASE
        else:
            is_phantom = is_told and key in machine.strays
            yield LayerRole.PHANTOM if is_phantom else LayerRole.DELTA


def tops(machines: Iterable[Machine]) -> dict[str, tuple[str, ...]]:
    """The images that are written to, each with the machines that do."""
    found: dict[str, list[str]] = {}
    for machine in machines:
        for disk in machine.disks:
            found.setdefault(disk.chain.top, []).append(machine.id)
    return {key: tuple(ids) for key, ids in found.items()}
