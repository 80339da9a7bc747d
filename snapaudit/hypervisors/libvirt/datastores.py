"""Storage pools as datastores, with their fill level and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.hypervisors.libvirt.files import Files
from snapaudit.hypervisors.libvirt.folders import FOLDER_KINDS
from snapaudit.hypervisors.libvirt.graph import Graph
from snapaudit.hypervisors.libvirt.parsed import Pool
from snapaudit.hypervisors.libvirt.sizes import Images
from snapaudit.model.inventory import Datastore


def datastore(pool: Pool, graph: Graph, images: Images, *, host_id: str) -> Datastore:
    """One pool. Its fill level comes from the file system itself where that is in reach."""
    is_folder = pool.pool.kind in FOLDER_KINDS and pool.pool.path is not None
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
        stale_reason=_stale_reason(pool, graph, images, live=live is not None),
    )


def _live(files: Files, pool: Pool) -> tuple[int, int] | None:
    return files.free_bytes(pool.pool.path or "/") if pool.raw["active"] else None


def _provisioned(pool: Pool, graph: Graph, images: Images) -> int | None:
    """What its images can grow to: those still written to up to their capacity, others not at all.

    None when one of them does not tell.
    """
    total = 0
    listed = {graph.resolve(volume.path) for volume in pool.volumes}
    for path in listed | set(_unlisted(pool, graph, images, listed)):
        used, is_frozen = images.used(path), bool(graph.children.get(path))
        capacity = used if is_frozen else images.capacity(path)
        if used is None or capacity is None:
            return None
        total += max(used, capacity)
    return total


def _unlisted(pool: Pool, graph: Graph, images: Images, listed: set[str]) -> Iterator[str]:
    """Images in use that lie in the pool's folder while the pool's list lacks them."""
    for path in sorted({*graph.tops, *graph.backing} - listed):
        if images.datastore(path) == pool.pool.id and images.facts(path).exists is not False:
            yield path


def _stale_reason(pool: Pool, graph: Graph, images: Images, *, live: bool) -> str | None:
    if not pool.raw["active"]:
        return "the pool is not active: nothing in it could be listed"
    if pool.pool.id in images.fresh:
        return None
    listed = {graph.resolve(volume.path) for volume in pool.volumes}
    absent = list(_unlisted(pool, graph, images, listed))
    what = "the list of volumes" if live else "the list of volumes and the fill level"
    proof = f"; {len(absent)} image(s) in use are not in it" if absent else ""
    return f"{what} is libvirt's copy from the last refresh of the pool{proof}"
