"""What was staged, told by the one who staged it: tests compare a collector's answer with this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KIB = 2**10
FIRST_BYTES = 1024 * KIB  # every base image holds this much, at its beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedSnapshot:
    """A snapshot that libvirt knows.

    ``written_bytes`` is what went into its overlays; ``pinned_bytes`` the data that an internal one
    alone holds, tables and memory not counted.
    """

    name: str
    kind: str
    state: str
    parent: str | None = None
    overlays: Mapping[str, Path] = field(default_factory=dict)
    memory_file: Path | None = None
    has_memory: bool = False
    written_bytes: int | None = None
    pinned_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedMachine:
    """A domain; ``chains`` are the images of each disk, base first, files that are gone included.

    ``phantoms`` are overlays that no snapshot of libvirt explains, ``unregistered`` are snapshots
    that the image knows and libvirt does not, ``dataless`` the reverse.
    """

    name: str
    chains: Mapping[str, tuple[Path, ...]]
    power: str = "off"
    snapshots: tuple[StagedSnapshot, ...] = ()
    current: str | None = None
    phantoms: tuple[Path, ...] = ()
    unregistered: tuple[str, ...] = ()
    dataless: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    persistent: bool = True
    managed_save: bool = False
    mirror_ready: bool = False
    backup_running: bool = False
    missing: tuple[Path, ...] = ()

    def snapshot(self, name: str) -> StagedSnapshot:
        """The staged snapshot of that name."""
        return next(found for found in self.snapshots if found.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedStorage:
    """Two pools: ``pool`` was refreshed last of all, ``stale_pool`` before its files changed.

    ``listed`` is in the listing and there, ``unlisted`` is there only, ``vanished`` listed only.
    """

    pool: Path
    stale_pool: Path
    orphan: Path
    leftover_memory: Path
    listed: Path
    unlisted: Path
    vanished: Path

    @property
    def strays(self) -> frozenset[Path]:
        """Files of the refreshed pool that nothing uses."""
        return frozenset({self.orphan, self.leftover_memory})
