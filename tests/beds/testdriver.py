"""A host of libvirt's own test driver, described by a file: nothing runs and no daemon is needed.

It keeps what it is told about domains, snapshots and volumes, and invents the sizes of disks, so it
serves for reading and not for merging. Sources: libvirt's pages on the test driver and on formats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_NAMESPACE = "http://libvirt.org/schemas/domain/test/1.0"
_RUNNING, _OFF = 1, 5


def write_host(folder: Path, *parts: str) -> str:
    """Write machines and pools into a file there, and return the URI that opens a copy of it.

    Snapshots stand inline and carry a description of their machine: by reference they end the
    process in libvirt 9.0 and 11.3, and without the description the library warns on stderr.
    """
    file = folder.resolve() / "host.xml"
    file.write_text(f"<node>{''.join(parts)}</node>")
    return f"test://{file}"


def machine_xml(name: str, images: Sequence[str], *snapshots: str, running: bool = False) -> str:
    """A domain with one disk; ``images`` are the files of its chain, top first."""
    state = _RUNNING if running else _OFF
    return (
        f"<domain type='test' xmlns:test='{_NAMESPACE}'>{_machine_parts(name, images)}"
        f"<test:runstate>{state}</test:runstate>{''.join(snapshots)}</domain>"
    )


def snapshot_xml(
    name: str,
    machine: str,
    *,
    unix_seconds: int,
    parent: str | None = None,
    overlay: str | None = None,
    current: bool = False,
) -> str:
    """A snapshot of a machine's only disk: external with an overlay, internal without one."""
    above = f"<parent><name>{escape(parent)}</name></parent>" if parent else ""
    disk = "<disk name='vda' snapshot='internal'/>"
    if overlay:
        source = f"<driver type='qcow2'/><source file={quoteattr(overlay)}/>"
        disk = f"<disk name='vda' snapshot='external' type='file'>{source}</disk>"
    return (
        f"<test:domainsnapshot><name>{escape(name)}</name>{above}"
        f"<creationTime>{unix_seconds}</creationTime>"
        f"<state>{'disk-snapshot' if overlay else 'shutoff'}</state><memory snapshot='no'/>"
        f"<disks>{disk}</disks><domain type='test'>{_machine_parts(machine, ['/frozen'])}</domain>"
        f"<active>{int(current)}</active></test:domainsnapshot>"
    )


def pool_xml(name: str, folder: str, volumes: Mapping[str, int]) -> str:
    """A pool of files, each with the bytes it uses. Its own size is always 100 GiB."""
    rows = "".join(
        f"<volume type='file'><name>{escape(volume)}</name><capacity>{used}</capacity>"
        f"<allocation>{used}</allocation><target><format type='qcow2'/></target></volume>"
        for volume, used in volumes.items()
    )
    target = f"<target><path>{escape(folder)}</path></target>"
    return f"<pool type='dir'><name>{escape(name)}</name>{target}{rows}</pool>"


def _machine_parts(name: str, images: Sequence[str]) -> str:
    return (
        f"<name>{escape(name)}</name><memory>1048576</memory><os><type>hvm</type></os><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        f"<source file={quoteattr(images[0])}/>{_backing_xml(images[1:])}"
        "<target dev='vda' bus='virtio'/></disk></devices>"
    )


def _backing_xml(images: Sequence[str]) -> str:
    if not images:
        return "<backingStore/>"
    return (
        f"<backingStore type='file'><format type='qcow2'/><source file={quoteattr(images[0])}/>"
        f"{_backing_xml(images[1:])}</backingStore>"
    )
