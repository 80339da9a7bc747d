"""The nouns in which the demo fleet is described: machines, disks, snapshots, images.

Sizes are in GiB and ages count back from the moment of staging, so the description never grows old.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

ROOT = "/srv/vm"


class Power(IntEnum):
    """What a machine does now, in libvirt's own numbers (virDomainState)."""

    ON = 1
    PAUSED = 3
    OFF = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A file in a pool. ``backing`` is the path of the image it stands on."""

    pool: str
    file: str
    size_gib: float
    used_gib: float
    format: str = "qcow2"
    backing: str | None = None

    @property
    def path(self) -> str:
        """Where the file lies; pool and file name make it unique."""
        return in_pool(self.pool, self.file)


@dataclass(frozen=True, slots=True)
class Overlay:
    """An image on top of a disk's chain that no snapshot names."""

    file: str
    used_gib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A machine's disk: its first image, and what lies on top without being registered."""

    pool: str
    size_gib: float
    used_gib: float
    target: str = "vda"
    backing: str | None = None
    unregistered: tuple[Overlay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snap:
    """A snapshot. A negative ``age`` lies in the future.

    With ``writes_gib`` it is external and each overlay holds that much; without, it is internal.
    With ``ram_gib`` it keeps the memory. ``targets`` are the disks it covers (None: all), ``after``
    is its parent (None: the one before it in the list). Name and note may hold ``{taken}``,
    ``{seconds}`` and ``{keep}``; the last is as far from now as ``keep`` says. ``unix_seconds`` is
    what a wrong clock wrote as the creation time; libvirt keeps no time for 0.
    """

    name: str
    age: timedelta
    note: str = ""
    writes_gib: float | None = None
    ram_gib: float | None = None
    targets: tuple[str, ...] | None = None
    after: str | None = None
    keep: timedelta = timedelta(0)
    unix_seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A virtual machine. The last snapshot of the list is the current one.

    ``records_chain`` says that the definition lists all images below the top one, as libvirt does
    for a machine that runs; one that is off may list the top image alone.
    """

    name: str
    title: str
    disks: tuple[Disk, ...]
    snaps: tuple[Snap, ...] = ()
    power: Power = Power.ON
    records_chain: bool = True
    iso: str | None = None

    def lineage(self) -> Iterator[tuple[str | None, Snap]]:
        """Every snapshot with the name of its parent, parents first."""
        before = None
        for snap in self.snaps:
            yield snap.after or before, snap
            before = snap.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """All of it; ``spares`` are files that no machine uses."""

    pools: tuple[str, ...]
    machines: tuple[Machine, ...]
    spares: tuple[Image, ...]


def in_pool(pool: str, file: str) -> str:
    """The path of a file in a pool."""
    return f"{ROOT}/{pool}/{file}"


def days(number: float) -> timedelta:
    """So many days."""
    return timedelta(days=number)


def hours(number: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=number)


def series(
    name: str,
    note: str = "",
    *,
    count: int,
    every: timedelta,
    newest: timedelta,
    writes_gib: float | None = None,
) -> tuple[Snap, ...]:
    """Snapshots taken at regular intervals, oldest first; the dates in their names differ."""
    return tuple(
        Snap(name=name, note=note, age=newest + every * back, writes_gib=writes_gib)
        for back in reversed(range(count))
    )
