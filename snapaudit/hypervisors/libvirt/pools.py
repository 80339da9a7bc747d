"""Reads all storage pools and their volumes.

A pool's list of volumes and its fill level are the daemon's cache. Only a refresh makes them true,
and that needs a writable connection, so it is asked for by the endpoint's configuration.
"""

from __future__ import annotations

from typing import Any

from snapaudit.hypervisors.libvirt.crew import Crew
from snapaudit.hypervisors.libvirt.failures import is_gone, text_of
from snapaudit.hypervisors.libvirt.raw import RawPool


def read(
    sdk: Any, connection: Any, threads: Crew, trouble: list[str], *, refresh: bool
) -> list[RawPool]:
    """Every pool the account may see, with its volumes where it is active.

    ``trouble`` gains a line when the driver has no pools at all. Raises libvirtError when the
    connection is lost.
    """
    try:
        listed = connection.listAllStoragePools(0)
        active = connection.listAllStoragePools(sdk.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
    except sdk.libvirtError as error:
        if not connection.isAlive():
            raise
        trouble.append(f"storage pools: {text_of(error)}")
        return []
    running = {pool.UUIDString() for pool in active}
    found = []
    for pool in listed:
        raw = RawPool(
            name=pool.name(),
            active=pool.UUIDString() in running,
            refreshed=False,
            xml="",
            volumes=[],
            trouble=[],
        )
        if _fill(sdk, connection, threads, pool, raw, refresh=refresh):
            found.append(raw)
    return found


def _fill(
    sdk: Any,
    connection: Any,
    threads: Crew,
    pool: Any,
    raw: RawPool,
    *,
    refresh: bool,
) -> bool:
    """Whether the pool was still there to be read."""
    try:
        if raw["active"] and refresh:
            raw["refreshed"] = _refresh(sdk, pool, raw["trouble"])
        raw["xml"] = pool.XMLDesc(0)
        if raw["active"]:
            raw["volumes"] = _volumes(sdk, threads, pool, raw["trouble"])
    except sdk.libvirtError as error:
        if not connection.isAlive():
            raise
        raw["trouble"].append(text_of(error))
        return not is_gone(error)
    return True


def _refresh(sdk: Any, pool: Any, trouble: list[str]) -> bool:
    try:
        pool.refresh(0)
    except sdk.libvirtError as error:
        trouble.append(f"refresh: {text_of(error)}")
        return False
    return True


def _volumes(sdk: Any, threads: Crew, pool: Any, trouble: list[str]) -> list[str]:
    def one(volume: Any) -> str | None:
        try:
            return str(volume.XMLDesc(0))
        except sdk.libvirtError as error:
            # A file that went away since the last refresh is no trouble: the list is a cache.
            if not is_gone(error):
                trouble.append(f"volume {volume.name()}: {text_of(error)}")
            return None

    return [text for text in threads.map(one, pool.listAllVolumes(0)) if text is not None]
