"""What every image really occupies on its datastore, from the best source there is.

The fields of libvirt's bulk figures change their meaning with the state of the machine: what is
used on disk is ``physical`` while it runs and ``allocation`` while it is off; the other one is the
highest offset written, or the length of the file. Observed on libvirt 9.0 with QEMU 7.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snapaudit.hypervisors.libvirt.files import FileFacts, Files
from snapaudit.hypervisors.libvirt.parsed import Domain, ParsedHost
from snapaudit.hypervisors.libvirt.storage_xml import VolumeXml


@dataclass(frozen=True, slots=True)
class Images:
    """Size, existence and place of every image by its path."""

    files: Files
    figures: Mapping[str, int]
    capacities: Mapping[str, int]
    volumes: Mapping[str, VolumeXml]
    folders: Mapping[str, str]
    """Pool ids by the folder of the pool."""
    owners: Mapping[str, str]
    """Pool ids by the path of a volume."""
    fresh: frozenset[str]
    """The pools whose list of volumes is known to be true now."""

    def facts(self, path: str) -> FileFacts:
        """The file itself first, then the daemon's figures, then the storage pool's."""
        seen = self.files.look(path)
        if seen.exists is False or seen.used_bytes is not None:
            return seen
        if path in self.figures:
            return FileFacts(exists=True, used_bytes=self.figures[path])
        volume = self.volumes.get(path)
        if volume is None:
            return FileFacts(exists=False if self._would_be_listed(path) else None)
        return FileFacts(
            exists=True,
            used_bytes=volume.allocation_bytes,
            is_device=volume.kind == "block",
            changed_at=volume.changed_at,
        )

    def used(self, path: str) -> int | None:
        """Bytes occupied, None when nobody told."""
        return self.facts(path).used_bytes

    def capacity(self, path: str) -> int | None:
        """The virtual size of an image."""
        volume = self.volumes.get(path)
        return self.capacities.get(path, volume.capacity_bytes if volume else None)

    def datastore(self, path: str) -> str | None:
        """The pool an image lies in: by its volume, else by its folder."""
        return self.owners.get(path) or self.folders.get(path.rpartition("/")[0])

    def _would_be_listed(self, path: str) -> bool:
        return self.folders.get(path.rpartition("/")[0]) in self.fresh


def build(host: ParsedHost, files: Files, virtual_sizes: Mapping[str, int]) -> Images:
    """All figures of a host. ``virtual_sizes``: what the images say of themselves."""
    figures: dict[str, int] = {}
    capacities = dict(virtual_sizes)
    for domain in host.domains:
        _take_figures(domain, files, figures, capacities)
    active = [pool for pool in host.pools if pool.raw["active"]]
    volumes = {files.resolve(v.path): v for pool in active for v in pool.volumes}
    owners = {files.resolve(v.path): pool.pool.id for pool in active for v in pool.volumes}
    folders = {files.resolve(p.pool.path): p.pool.id for p in active if p.pool.path}
    fresh = frozenset(pool.pool.id for pool in active if pool.is_complete)
    return Images(files, figures, capacities, volumes, folders, owners, fresh)


def _take_figures(
    domain: Domain, files: Files, figures: dict[str, int], capacities: dict[str, int]
) -> None:
    """A missing figure stays missing: a lost image keeps its name there and loses its sizes."""
    blocks = domain.raw["blocks"]
    meaning = "physical" if domain.is_running else "allocation"
    for number in range(int(blocks.get("block.count", 0))):
        path = blocks.get(f"block.{number}.path")
        if not isinstance(path, str):
            continue
        used = blocks.get(f"block.{number}.{meaning}")
        capacity = blocks.get(f"block.{number}.capacity")
        if isinstance(used, int):
            figures[files.resolve(path)] = used
        if isinstance(capacity, int):
            capacities[files.resolve(path)] = capacity
