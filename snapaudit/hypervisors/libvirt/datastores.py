"""Storage pools as datastores, with their fill level and how far it can be trusted."""

from __future__ import annotations

from snapaudit.hypervisors.libvirt.files import Files
from snapaudit.hypervisors.libvirt.graph import Graph
from snapaudit.hypervisors.libvirt.parsed import Pool
from snapaudit.hypervisors.libvirt.sizes import Images
from snapaudit.model.inventory import Datastore

_FOLDER_KINDS = frozenset({"dir", "fs", "netfs"})


def datastore(
    pool: Pool, graph: Graph, images: Images, *, host_id: str, always_fresh: bool
) -> Datastore:
    """One pool. Its fill level comes from the file system itself where that is in reach."""
    is_folder = pool.pool.kind in _FOLDER_KINDS and pool.pool.path is not None
    live = _live(images.files, pool) if is_folder else None
    capacity, free = live or (pool.pool.capacity_bytes, pool.pool.available_bytes)
    active = pool.raw["active"]
    return Datastore(
        id=pool.pool.id,
        name=pool.pool.name,
        kind=pool.pool.kind,
        capacity_bytes=capacity if active else None,
        free_bytes=free if active else None,
        provisioned_bytes=_provisioned(pool, graph, images) if active else None,
        accessible=active,
        host_ids=(host_id,),
        path=pool.pool.path,
        stale_reason=_stale_reason(pool, graph, images, live=live is not None or always_fresh),
    )


def _live(files: Files, pool: Pool) -> tuple[int, int] | None:
    return files.free_bytes(pool.pool.path or "/") if pool.raw["active"] else None


def _provisioned(pool: Pool, graph: Graph, images: Images) -> int | None:
    """What its images can grow to: those still written to up to their capacity, others not at all.

    None when one of them does not tell.
    """
    total = 0
    for volume in pool.volumes:
        path = graph.resolve(volume.path)
        used = images.used(path)
        if used is None:
            return None
        is_frozen = bool(graph.children.get(path))
        total += used if is_frozen else max(used, volume.capacity_bytes or 0)
    return total


def _stale_reason(pool: Pool, graph: Graph, images: Images, *, live: bool) -> str | None:
    if not pool.raw["active"]:
        return "the pool is not active: nothing in it could be listed"
    if pool.pool.id in images.fresh:
        return None
    listed = {graph.resolve(volume.path) for volume in pool.volumes}
    absent = [
        path
        for path in {*graph.tops, *graph.backing}
        if images.datastore(path) == pool.pool.id and path not in listed
    ]
    what = "the list of volumes" if live else "the list of volumes and the fill level"
    proof = f"; {len(absent)} image(s) in use are not in it" if absent else ""
    return f"{what} is libvirt's copy from the last refresh of the pool{proof}"
