"""Raw answers of a daemon, made to order: what the client would have read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from snapaudit.hypervisors.libvirt.raw import RawDomain, RawHost, RawPool

_MIRROR = "<mirror type='file' job='active-commit'/>"
CAPABILITIES = "<capabilities><host><uuid>host-uuid</uuid></host></capabilities>"


def chain_xml(paths: Sequence[str], *, complete: bool = True) -> str:
    """Nested backing stores, top first."""
    if not paths:
        return "<backingStore/>" if complete else ""
    inner = chain_xml(paths[1:], complete=complete)
    return (
        f"<backingStore type='file'><format type='qcow2'/><source file={quoteattr(paths[0])}/>"
        f"{inner}</backingStore>"
    )


def disk_xml(*paths: str, target: str = "vda", complete: bool = True, mirror: bool = False) -> str:
    return (
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        f"<source file={quoteattr(paths[0])}/>{chain_xml(paths[1:], complete=complete)}"
        f"{_MIRROR if mirror else ''}"
        f"<target dev='{target}' bus='virtio'/></disk>"
    )


def domain_xml(name: str, *disks: str, extra: str = "") -> str:
    return (
        f"<domain type='kvm'><name>{escape(name)}</name><uuid>uuid-{escape(name)}</uuid>"
        f"<devices>{''.join(disks)}{extra}</devices></domain>"
    )


def snapshot_xml(
    name: str,
    *,
    parent: str | None = None,
    state: str = "shutoff",
    created: int = 1_700_000_000,
    memory: str = "no",
    memory_file: str | None = None,
    overlays: dict[str, str] | None = None,
    internal: Sequence[str] = (),
    domain: str = "",
) -> str:
    disks = "".join(
        f"<disk name='{target}' snapshot='external' type='file'>"
        f"<source file={quoteattr(path)}/></disk>"
        for target, path in (overlays or {}).items()
    )
    disks += "".join(f"<disk name='{target}' snapshot='internal'/>" for target in internal)
    in_file = f" file={quoteattr(memory_file)}" if memory_file else ""
    above = f"<parent><name>{escape(parent)}</name></parent>" if parent else ""
    return (
        f"<domainsnapshot><name>{escape(name)}</name><state>{state}</state>{above}"
        f"<creationTime>{created}</creationTime><memory snapshot='{memory}'{in_file}/>"
        f"<disks>{disks}</disks>{domain}</domainsnapshot>"
    )


def volume_xml(
    path: str,
    *,
    used: int = 1000,
    capacity: int = 10_000,
    backing: str | None = None,
    image: str = "qcow2",
) -> str:
    stands_on = f"<backingStore><path>{escape(backing)}</path></backingStore>" if backing else ""
    return (
        f"<volume type='file'><name>{escape(path.rsplit('/', 1)[-1])}</name>"
        f"<key>{escape(path)}</key>"
        f"<capacity unit='bytes'>{capacity}</capacity><allocation unit='bytes'>{used}</allocation>"
        f"<target><path>{escape(path)}</path><format type='{image}'/></target>{stands_on}</volume>"
    )


def raw_domain(name: str, *disks: str, running: bool = False, **changes: Any) -> RawDomain:
    xml = domain_xml(name, *disks)
    fields: dict[str, Any] = {
        "uuid": f"uuid-{name}",
        "name": name,
        "state": 1 if running else 5,
        "reason": 1,
        "persistent": True,
        "managed_save": False,
        "job": 0,
        "xml": xml,
        "inactive_xml": xml if running else None,
        "blocks": {},
        "snapshots": [],
        "current": None,
        "checkpoints": [],
        "trouble": [],
    }
    return RawDomain(**{**fields, **changes})  # type: ignore[typeddict-item] # a test's own fields


def raw_pool(*volumes: str, name: str = "images", path: str = "/vm", **changes: Any) -> RawPool:
    fields: dict[str, Any] = {
        "name": name,
        "active": True,
        "refreshed": False,
        "xml": (
            f"<pool type='dir'><name>{name}</name><uuid>pool-{name}</uuid>"
            "<capacity unit='bytes'>100000</capacity><available unit='bytes'>40000</available>"
            f"<target><path>{path}</path></target></pool>"
        ),
        "volumes": list(volumes),
        "trouble": [],
    }
    return RawPool(**{**fields, **changes})  # type: ignore[typeddict-item] # a test's own fields


def raw_host(*domains: RawDomain, pools: Sequence[RawPool] = (), **changes: Any) -> RawHost:
    fields: dict[str, Any] = {
        "hostname": "kvm1",
        "driver": "QEMU",
        "library_version": 9_000_000,
        "hypervisor_version": 7_002_000,
        "capabilities": CAPABILITIES,
        "domains": list(domains),
        "pools": list(pools),
        "trouble": [],
    }
    return RawHost(**{**fields, **changes})  # type: ignore[typeddict-item] # a test's own fields
