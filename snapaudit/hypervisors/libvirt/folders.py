"""Completes the storage pools' lists from the folders themselves, where those are in reach.

A pool's list is libvirt's copy from the last refresh. Overlays that libvirt itself made since are
not in it, nor is any file that somebody else put there, and files that are gone still are.
"""

from __future__ import annotations

from dataclasses import replace
from posixpath import basename

from snapaudit.hypervisors.libvirt.files import Files
from snapaudit.hypervisors.libvirt.parsed import ParsedHost, Pool
from snapaudit.hypervisors.libvirt.qcow2 import Header, Qcow2Error, Source, read_header
from snapaudit.hypervisors.libvirt.storage_xml import VolumeXml
from snapaudit.hypervisors.libvirt.xml import ImageXml

FOLDER_KINDS = frozenset({"dir", "fs", "netfs"})


def completed(host: ParsedHost, files: Files) -> ParsedHost:
    """The host with each pool's volumes as they are now, and those pools called complete."""
    return replace(host, pools=tuple(_completed(pool, files) for pool in host.pools))


def _completed(pool: Pool, files: Files) -> Pool:
    folder = pool.pool.path
    if folder is None or pool.pool.kind not in FOLDER_KINDS or not pool.raw["active"]:
        return pool
    there = files.listing(folder)
    if there is None:
        return pool
    listed = {files.resolve(volume.path) for volume in pool.volumes}
    gone = listed - {files.resolve(path) for path in there}
    kept = [v for v in pool.volumes if files.resolve(v.path) not in gone]
    added = [_volume(path, files) for path in there if files.resolve(path) not in listed]
    in_order = sorted((*kept, *added), key=lambda volume: volume.path)
    return replace(pool, volumes=tuple(in_order), is_complete=True)


def _volume(path: str, files: Files) -> VolumeXml:
    """A file libvirt has not listed, as it would describe it after a refresh."""
    source, facts = files.open(path), files.look(path)
    header = _header(source)
    below = header.backing_file if header is not None else None
    return VolumeXml(
        name=basename(path),
        path=path,
        kind="file",
        format="raw" if header is None else "qcow2",
        capacity_bytes=_capacity(source, header),
        allocation_bytes=facts.used_bytes,
        length_bytes=None,
        backing=ImageXml(path=below, format=None) if below else None,
        changed_at=facts.changed_at,
    )


def _capacity(source: Source | str, header: Header | None) -> int | None:
    if header is not None:
        return header.virtual_size
    return None if isinstance(source, str) else source.size


def _header(source: Source | str) -> Header | None:
    if isinstance(source, str):
        return None
    try:
        return read_header(source)
    except (Qcow2Error, OSError):
        return None
