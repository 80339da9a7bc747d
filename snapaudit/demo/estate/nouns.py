"""The nouns in which the estate is described: sites, shelves, boxes, shots.

Times count back from now in weeks: a shot ``taken`` 3.5 is 24 days old, and one that has ``gone``
2.0 was deleted a fortnight ago. Sizes are GiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from snapaudit.model.inventory import Attribute, PowerState


class Sizing(Enum):
    """How surely a platform tells what a deletion gives back."""

    EXACT = "exact: image tables"
    ALLOCATION = "allocation; a merge may take some of it"
    UPPER = "upper bound: the size of the file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A snapshot that grows every week until it is deleted, at most to ``full`` GiB.

    ``{taken}`` in the name is the day it was taken. ``unsized``: nobody tells how large it is.
    """

    name: str
    taken: float
    gone: float | None = None
    note: str = ""
    start: float = 1.0
    weekly: float = 0.0
    full: float = 10_000.0
    memory: bool = False
    creator: str | None = None
    protection: str | None = None
    unsized: bool = False
    after: int | None = None

    def is_there(self, week: float) -> bool:
        """Whether it exists so many weeks ago."""
        return self.taken >= week and (self.gone is None or self.gone < week)

    def gib(self, week: float) -> float:
        """How large it is so many weeks ago."""
        return min(self.full, self.start + self.weekly * (self.taken - week))


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A virtual machine on one shelf, with its shots oldest first, each taken after the one before.

    ``phantom``: GiB of a delta that no snapshot explains, since so many weeks.
    """

    name: str
    shelf: str
    disk: float
    shots: tuple[Shot, ...] = ()
    power: PowerState = PowerState.ON
    tags: tuple[str, ...] = ()
    notes: str = ""
    attributes: tuple[Attribute, ...] = ()
    folder: str | None = None
    is_template: bool = False
    protections: tuple[str, ...] = ()
    phantom: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From so many weeks ago on, a shelf holds or has so many GiB more."""

    week: float
    gib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A datastore. ``base`` GiB lay on it half a year ago besides snapshots, ``weekly`` came since.

    ``steps`` are migrations and clean-ups, ``added`` is capacity that was bought, ``noise`` GiB of
    unrest from week to week.
    """

    id: str
    name: str
    kind: str
    capacity: float
    base: float
    weekly: float
    noise: float = 6.0
    provisioned: float | None = None
    steps: tuple[Step, ...] = ()
    added: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An endpoint with its hosts, shelves and boxes. ``absent`` says why it is not seen today."""

    endpoint: str
    hypervisor: str
    manager: str
    kind: str
    sizing: Sizing
    version: str
    hosts: tuple[str, ...]
    cluster: str | None
    shelves: tuple[Shelf, ...]
    boxes: tuple[Box, ...]
    lab: bool = False
    absent: str | None = None
    blind_spots: tuple[str, ...] = ()


def owned(team: str) -> tuple[Attribute, ...]:
    """The custom attribute that names whom to ask."""
    return (Attribute(name="Owner", value=team),)


def rotating(
    name: str, *, every: float, keep: int, start: float, weekly: float, creator: str | None = None
) -> tuple[Shot, ...]:
    """A home-made backup: one shot every so many weeks, the oldest leaves when one arrives."""
    count = int(27 / every) + keep
    return tuple(
        Shot(
            name=name,
            taken=0.15 + every * back,
            gone=None if back < keep else 0.15 + every * (back - keep),
            start=start,
            weekly=weekly,
            creator=creator,
        )
        for back in reversed(range(count))
    )


def patch_days(*, lingers: float) -> tuple[Shot, ...]:
    """One shot every four weeks, deleted once the patches have proven themselves, or a bit late."""
    return tuple(
        Shot(
            name="patch day {taken}",
            taken=4.2 + 4 * back,
            gone=max(0.01, 4 * back + 4 - lingers),
            start=3,
            weekly=5,
            note="monthly patches",
            creator="CORP\\patching",
        )
        for back in reversed(range(-1, 6))
    )


def plain(prefix: str, count: int, shelf: str, disk: float, **told: str) -> tuple[Box, ...]:
    """Machines without snapshots, which is how most of them are."""
    folder = told.get("folder")
    return tuple(
        Box(name=f"{prefix}{number:02}", shelf=shelf, disk=disk, folder=folder)
        for number in range(1, count + 1)
    )
