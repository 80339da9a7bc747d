"""Files in the storage pools that no machine, chain or snapshot of this host uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from snapaudit.hypervisors.libvirt.files import Files, is_saved_memory
from snapaudit.hypervisors.libvirt.graph import Graph
from snapaudit.hypervisors.libvirt.parsed import ParsedHost, Pool
from snapaudit.hypervisors.libvirt.sizes import Images
from snapaudit.hypervisors.libvirt.storage_xml import VolumeXml
from snapaudit.model.inventory import StrayFile, StrayKind

# Pools that several hosts can reach: a file unused here may be in use there.
_SHARED_KINDS = frozenset({"netfs", "gluster", "rbd", "iscsi", "iscsi-direct", "sheepdog", "scsi"})
# What lies beside disks without being one. Everything else that is unused is shown.
_NO_DISKS = frozenset(
    (".iso", ".xml", ".txt", ".log", ".json", ".md5", ".sha256", ".asc", ".sig", ".fd", ".rom")
)
_MEMORY_ENDINGS = frozenset((".mem", ".ram", ".memory", ".vmstate", ".save", ".vmsn"))


def find(host: ParsedHost, graph: Graph, images: Images) -> Iterator[StrayFile]:
    """Every unused file, pool by pool. Ask only when every domain could be read."""
    used = _used(host, graph)
    by_name = {name for d in host.domains for one in d.definitions for name in one.volumes}
    for pool in host.pools:
        for volume in pool.volumes:
            path = graph.resolve(volume.path)
            is_there = images.facts(path).exists is not False
            is_used = path in used or (pool.pool.name, volume.name) in by_name
            if is_there and not is_used and not _is_other(volume):
                yield _stray(pool, volume, path, images)


def _used(host: ParsedHost, graph: Graph) -> set[str]:
    named = {
        file for d in host.domains for definition in d.definitions for file in definition.files
    }
    for domain in host.domains:
        for snapshot in domain.snapshots:
            named |= set(snapshot.frozen.values())
            named |= {disk.overlay for disk in snapshot.disks if disk.overlay}
            named |= {snapshot.memory_file} if snapshot.memory_file else set()
    tops = {graph.resolve(path) for path in named if path} | set(graph.tops)
    return {path for top in tops for path in graph.chain(top).paths}


def _is_other(volume: VolumeXml) -> bool:
    if volume.kind not in ("file", "block", "network"):
        return True
    is_image = volume.format not in (None, "raw")
    suffix = PurePosixPath(volume.name).suffix.lower()
    return volume.format == "iso" or (not is_image and suffix in _NO_DISKS)


def _stray(pool: Pool, volume: VolumeXml, path: str, images: Images) -> StrayFile:
    kind = _kind(volume, path, images.files)
    facts = images.facts(path)
    return StrayFile(
        id=path,
        name=volume.name,
        path=path,
        kind=kind,
        datastore_id=pool.pool.id,
        size_bytes=facts.used_bytes,
        reason=_reason(pool, volume, kind),
        changed_at=facts.changed_at or volume.changed_at,
    )


def _kind(volume: VolumeXml, path: str, files: Files) -> StrayKind:
    if volume.backing is not None:
        return StrayKind.OVERLAY
    if volume.format not in (None, "raw"):
        return StrayKind.VOLUME
    named_so = PurePosixPath(volume.name).suffix.lower() in _MEMORY_ENDINGS
    return StrayKind.MEMORY if named_so or is_saved_memory(files, path) else StrayKind.VOLUME


def _reason(pool: Pool, volume: VolumeXml, kind: StrayKind) -> str:
    what = {
        StrayKind.OVERLAY: f"an overlay of {volume.backing.path if volume.backing else '?'}",
        StrayKind.MEMORY: "saved memory of a snapshot",
        StrayKind.VOLUME: "a disk image",
    }[kind]
    reason = f"{what} that no machine, chain or snapshot of this host uses"
    if pool.pool.kind in _SHARED_KINDS:
        reason += f"; the pool ({pool.pool.kind}) may be shared with a host that does"
    return reason
