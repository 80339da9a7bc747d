"""Deltas that no snapshot explains, and what else a machine's chains tell of its images.

The server's mark may lag behind, and releases before API 5.0 have none: chains decide together with
it. A chain longer than the tree explains needs consolidation; one that is explained does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from snapaudit.hypervisors.vsphere.chains import Chains, Units
from snapaudit.hypervisors.vsphere.clones import Index
from snapaudit.hypervisors.vsphere.machine import Machine
from snapaudit.hypervisors.vsphere.names import folder_of, is_delta
from snapaudit.hypervisors.vsphere.sizes import DESCRIPTOR
from snapaudit.model.inventory import LayerRole

DISABLED = "disabledMethod"
CONSOLIDATE = "ConsolidateVMDisks_Task"


class Image(NamedTuple):
    """One image of a disk's running chain. ``is_proven``: it is certainly the machine's own."""

    disk: int
    unit: tuple[int, ...]
    path: str | None
    role: LayerRole
    snapshot: str | None
    is_proven: bool


def images(machine: Machine, chains: Chains, others: Index) -> dict[int, tuple[Image, ...]]:
    """Every disk's images with their roles, base first."""
    return {
        disk: tuple(_images(machine, chains, others, disk, units))
        for disk, units in chains.now.items()
    }


def _images(
    machine: Machine, chains: Chains, others: Index, disk: int, units: Units
) -> Iterator[Image]:
    paths = [path_of(chains, unit) for unit in units]
    base, is_proven = _own_base(machine, chains, disk, units, paths)
    causes = _causes(chains, disk, units)
    is_lone = _is_lone_delta(machine, chains, others, base, paths)
    for at, unit in enumerate(units):
        role = LayerRole.TEMPLATE if at < base else LayerRole.BASE
        if at in causes:
            role = LayerRole.DELTA
        elif disk not in chains.independent and (at > base or (at == base and is_lone)):
            role = LayerRole.PHANTOM
        yield Image(disk, unit, paths[at], role, causes.get(at), is_proven and at >= base)


def path_of(chains: Chains, unit: tuple[int, ...]) -> str | None:
    """The file an image goes by: its descriptor."""
    first = chains.files.get(unit[0]) if unit else None
    if first is not None and first.type == DESCRIPTOR:
        return first.name
    files = [chains.files[key] for key in unit if key in chains.files]
    described = (file.name for file in files if file.type == DESCRIPTOR)
    return next(described, files[0].name if files else None)


def _causes(chains: Chains, disk: int, units: Units) -> dict[int, str]:
    """Which snapshot each image was written for: it stands right above what that one froze.

    Of several that froze the same, the latest is meant: nothing was written between them.
    """
    found: dict[int, str] = {}
    for snapshot in chains.snapshots:
        frozen = chains.frozen_by(snapshot.moid).get(disk, ())
        if frozen and len(frozen) < len(units) and units[: len(frozen)] == frozen:
            found[len(frozen)] = snapshot.moid
    return found


def _own_base(
    machine: Machine, chains: Chains, disk: int, units: Units, paths: list[str | None]
) -> tuple[int, bool]:
    """Where a disk's own part begins, and whether that is proven.

    A linked clone stands on images of another machine; its own base is the first in its own folder.
    What one of its snapshots has frozen last is its own too, wherever it lies.
    """
    home = folder_of(machine.home) if machine.home else None
    if paths and paths[0] and folder_of(paths[0]) == home:
        return 0, True
    frozen = (chains.frozen_by(one.moid).get(disk, ()) for one in chains.snapshots)
    own = [len(line) - 1 for line in frozen if line and units[: len(line)] == line]
    own += [at for at, path in enumerate(paths) if path and folder_of(path) == home][:1]
    if own:
        return min(own), True
    top = folder_of(paths[-1]) if paths and paths[-1] else None
    beside = (at for at, path in enumerate(paths) if path is None or folder_of(path) == top)
    return next(beside, 0), False


def _is_lone_delta(
    machine: Machine,
    chains: Chains,
    others: Index,
    base: int,
    paths: list[str | None],
) -> bool:
    """Whether what passes for the disk's own base has the name of a delta, and no tree is there.

    On an image of another machine it is a linked clone's own base, whatever its name.
    """
    path = paths[base] if paths else None
    if path is None or not is_delta(path) or chains.snapshots:
        return False
    below = paths[base - 1] if base else None
    return below is None or not others.others(machine, below)


def is_needed(machine: Machine, found: dict[int, tuple[Image, ...]] | None) -> bool | None:
    """Whether the disks need consolidation, by the server's mark or by the chains.

    None: neither tells. Without a mark (before API 5.0) chains that are explained mean no.
    """
    mark = machine.flag("runtime.consolidationNeeded")
    if mark or any(True for _ in phantoms(found)):
        return True
    if machine.is_unread("runtime.consolidationNeeded") or machine.is_unread("layoutEx"):
        return None
    return False if found is not None else None


def phantoms(found: dict[int, tuple[Image, ...]] | None) -> Iterator[tuple[Image, Image | None]]:
    """The deltas that no snapshot explains, each with the image below it."""
    for line in (found or {}).values():
        below: Image | None = None
        for image in line:
            if image.role is LayerRole.PHANTOM:
                yield image, below
            below = image


def protections(
    machine: Machine, found: dict[int, tuple[Image, ...]] | None, others: Index
) -> Iterator[str]:
    """What forbids merging those deltas, beside what holds for the whole machine."""
    if CONSOLIDATE in machine.words(DISABLED):
        yield f"method-disabled: {CONSOLIDATE} is switched off for it at the moment"
    for image, below in phantoms(found):
        for path in (image.path, below.path if below else None):
            users = others.others(machine, path) if path else ()
            if users:
                yield f"shared-backing: {others.named(users)} also stands on {path}"


def doubt(found: dict[int, tuple[Image, ...]] | None) -> str | None:
    """Why it is not certain that the images below are this machine's own; None when it is."""
    for image, below in phantoms(found):
        if below is None:
            return f"{image.path} has the name of a delta, and nothing is known below it"
        if not below.is_proven:
            return (
                f"nothing proves that {below.path} is its own and not the base of a clone: it lies "
                "outside the machine's folder, and no snapshot of it was taken there"
            )
    return None
