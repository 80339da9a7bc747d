"""Lays the demo fleet out in files: which image stands on which, and what each snapshot froze."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from snapaudit.demo.blueprint import Disk, Image, Machine, Snap, in_pool

MEMORY_POOL = "ram"
_UNFIT = re.compile(r"[^\w.+-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A snapshot in files: the paths it froze, and what it made, by target."""

    images: Mapping[str, str]
    overlays: Mapping[str, Image]
    memory: Image | None

    @property
    def leaves(self) -> Mapping[str, str]:
        """The path each disk writes to from then on."""
        return {**self.images, **{target: image.path for target, image in self.overlays.items()}}

    @property
    def files(self) -> tuple[Image, ...]:
        """Everything the snapshot made."""
        return (*self.overlays.values(), *([self.memory] if self.memory else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One machine's files: the image each disk writes to, and what each snapshot stands for."""

    active: Mapping[str, str]
    snaps: Mapping[str, Frozen]
    images: tuple[Image, ...]


def lay_out(machine: Machine) -> Layout:
    """The files of a machine whose names are final."""
    bases = {disk.target: _base(machine, disk) for disk in machine.disks}
    first = {target: image.path for target, image in bases.items()}
    snaps = _frozen(machine, first)
    last = snaps[machine.snaps[-1].name].leaves if machine.snaps else first
    loose = {disk.target: tuple(_unregistered(disk, last[disk.target])) for disk in machine.disks}
    tops = {target: overlays[-1].path for target, overlays in loose.items() if overlays}
    made = (image for frozen in snaps.values() for image in frozen.files)
    added = (image for overlays in loose.values() for image in overlays)
    return Layout(active={**last, **tops}, snaps=snaps, images=(*bases.values(), *made, *added))


def _frozen(machine: Machine, first: Mapping[str, str]) -> dict[str, Frozen]:
    snaps: dict[str, Frozen] = {}
    for parent, snap in machine.lineage():
        images = snaps[parent].leaves if parent else first
        snaps[snap.name] = Frozen(
            images=images,
            overlays=dict(_overlays(machine, snap, images)),
            memory=_memory(machine, snap),
        )
    return snaps


def chain(images: Mapping[str, Image], top: str) -> Iterator[str]:
    """The paths of a chain from its top down; a path that no pool knows is the last."""
    path: str | None = top
    while path is not None:
        yield path
        image = images.get(path)
        path = image.backing if image else None


def by_path(images: Iterable[Image]) -> dict[str, Image]:
    """The images under their paths. Raises ValueError when two share one."""
    found: dict[str, Image] = {}
    for image in images:
        if image.path in found:
            raise ValueError(f"two files of the demo fleet are called {image.path}")
        found[image.path] = image
    return found


def _stem(machine: Machine, target: str) -> str:
    first = machine.disks[0].target == target
    return machine.name if first else f"{machine.name}-{target}"


def _base(machine: Machine, disk: Disk) -> Image:
    return Image(
        pool=disk.pool,
        file=f"{_stem(machine, disk.target)}.qcow2",
        size_gib=disk.size_gib,
        used_gib=disk.used_gib,
        backing=disk.backing,
    )


def _overlays(
    machine: Machine, snap: Snap, frozen: Mapping[str, str]
) -> Iterator[tuple[str, Image]]:
    if snap.writes_gib is None:
        return
    for disk in machine.disks:
        if snap.targets is None or disk.target in snap.targets:
            # libvirt puts the snapshot's name in the place of the image's ending.
            file = f"{_stem(machine, disk.target)}.{_UNFIT.sub('_', snap.name)}"
            yield disk.target, _on_top(disk, file, snap.writes_gib, frozen[disk.target])


def _unregistered(disk: Disk, top: str) -> Iterator[Image]:
    for overlay in disk.unregistered:
        yield _on_top(disk, overlay.file, overlay.used_gib, top)
        top = in_pool(disk.pool, overlay.file)


def _on_top(disk: Disk, file: str, used_gib: float, backing: str) -> Image:
    return Image(
        pool=disk.pool, file=file, size_gib=disk.size_gib, used_gib=used_gib, backing=backing
    )


def _memory(machine: Machine, snap: Snap) -> Image | None:
    if snap.ram_gib is None or snap.writes_gib is None:
        return None
    return Image(
        pool=MEMORY_POOL,
        file=f"{machine.name}.{snap.name}.ram",
        size_gib=snap.ram_gib,
        used_gib=snap.ram_gib,
        format="raw",
    )
