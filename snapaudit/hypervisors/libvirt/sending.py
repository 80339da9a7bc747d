"""Every call that changes anything on libvirt: a last look at what it is about, then the call.

A look that finds anything else than what the call was made for raises CallRefused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snapaudit.errors import CallRefused
from snapaudit.hypervisors.libvirt import calls, definitions, identity, offline, xml
from snapaudit.hypervisors.libvirt.calls import about
from snapaudit.hypervisors.libvirt.definitions import Swap
from snapaudit.hypervisors.libvirt.graph import beside
from snapaudit.hypervisors.libvirt.offline import OfflineMerge
from snapaudit.hypervisors.libvirt.qcow2 import LocalSource, Qcow2Error, read_header
from snapaudit.model.acting import Call


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that may be made now. ``merge`` tells how far it is, where it is one of qemu-img."""

    make: Callable[[], object]
    task_id: str
    merge: OfflineMerge | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The machine that a call is about. ``resolve`` gives one name for one file."""

    sdk: Any
    domain: Any
    resolve: Callable[[str], str]


def ready(call: Call, target: Target) -> Ready:
    """Look, and hand back the call to be made. Raises CallRefused and libvirt's own errors."""
    known = {
        calls.DELETE: _delete,
        calls.FORGET: _forget,
        calls.COMMIT: _commit,
        calls.PIVOT: _pivot,
        calls.REDEFINE: _redefine,
        calls.REDEFINE_SNAPSHOT: _redefine_snapshot,
        calls.MERGE_OFFLINE: _merge_offline,
        calls.REBASE: _rebase,
        calls.UNLINK: _unlink,
    }
    if call.name not in known:
        raise CallRefused(f"{call.name}: there is no such call on libvirt")
    return known[call.name](call, target)


# Snapshots -----------------------------------------------------------------------------------


def _snapshot(call: Call, target: Target) -> Any:
    """The snapshot of that name, if it still is the one that was meant."""
    name = about(call, "snapshot")
    found = target.domain.snapshotLookupByName(name)
    record = identity.of_record(about(call, "vm_id"), xml.snapshot(found.getXMLDesc()))
    if record != about(call, "identity"):
        raise CallRefused(f"the snapshot {name!r} is another one by now: nothing was sent")
    return found


def _delete(call: Call, target: Target) -> Ready:
    snapshot = _snapshot(call, target)
    return Ready(lambda: snapshot.delete(0), "delete")


def _forget(call: Call, target: Target) -> Ready:
    snapshot = _snapshot(call, target)
    record_only = target.sdk.VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY
    return Ready(lambda: snapshot.delete(record_only), "forget")


def _redefine_snapshot(call: Call, target: Target) -> Ready:
    sdk, snapshot = target.sdk, _snapshot(call, target)
    text = snapshot.getXMLDesc(sdk.VIR_DOMAIN_SNAPSHOT_XML_SECURE)
    flags = sdk.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE
    if xml.snapshot(text).state == "disk-snapshot":
        flags |= sdk.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
    if snapshot.isCurrent():
        flags |= sdk.VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT
    changed = definitions.rewritten(text, _swap(call), target.resolve)
    return Ready(lambda: target.domain.snapshotCreateXML(changed, flags), "redefine-snapshot")


# A running machine ---------------------------------------------------------------------------


def _commit(call: Call, target: Target) -> Ready:
    """Base and top are always named: without a base, libvirt merges down into the template."""
    sdk, disk = target.sdk, about(call, "disk")
    if not target.domain.isActive():
        raise CallRefused("the machine is off by now: nothing was sent")
    text = target.domain.XMLDesc(0)
    names = definitions.chain(text, disk)
    chain = [target.resolve(name) for name in names]
    pair = [about(call, "overlay"), about(call, "base")]
    if not any(chain[at : at + 2] == pair for at in range(len(chain))):
        raise CallRefused(f"disk {disk} no longer stands as it did: nothing was sent")
    if definitions.mirror(text, disk) is not None:
        raise CallRefused(f"a block job holds disk {disk}: nothing was sent")
    at = chain.index(pair[0])
    flags = sdk.VIR_DOMAIN_BLOCK_COMMIT_DELETE | sdk.VIR_DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES
    if at == 0:
        flags |= sdk.VIR_DOMAIN_BLOCK_COMMIT_ACTIVE
    rate, base, top = _number(call, "rate"), names[at + 1], names[at]
    return Ready(
        lambda: target.domain.blockCommit(disk, base, top, rate, flags), f"blockjob:{disk}"
    )


def _pivot(call: Call, target: Target) -> Ready:
    disk = about(call, "disk")
    mirror = definitions.mirror(target.domain.XMLDesc(0), disk)
    if mirror is None or not mirror.is_ready:
        raise CallRefused(f"no block job of disk {disk} is ready: nothing was sent")
    if target.resolve(mirror.path) != about(call, "base"):
        raise CallRefused(f"the block job of disk {disk} copies elsewhere: nothing was sent")
    flags = target.sdk.VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT
    return Ready(lambda: target.domain.blockJobAbort(disk, flags), f"blockjob:{disk}")


# A machine that is off -----------------------------------------------------------------------


def _merge_offline(call: Call, target: Target) -> Ready:
    _must_be_off(target)
    overlay, base = about(call, "overlay"), about(call, "base")
    _must_stand_on(overlay, base, target)
    merge = OfflineMerge(overlay, base, _number(call, "rate"))
    return Ready(merge.run, "qemu-img", merge)


def _rebase(call: Call, target: Target) -> Ready:
    _must_be_off(target)
    image, base, base_format = about(call, "image"), about(call, "base"), about(call, "base_format")
    _must_stand_on(image, about(call, "overlay"), target)
    return Ready(lambda: offline.rebase(image, base, base_format), "qemu-img")


def _redefine(call: Call, target: Target) -> Ready:
    """The definition of the next start. A disk that is in use is never pointed elsewhere."""
    flags = target.sdk.VIR_DOMAIN_XML_INACTIVE | target.sdk.VIR_DOMAIN_XML_SECURE
    text, swap = target.domain.XMLDesc(flags), _swap(call)
    tops = definitions.tops(text, target.resolve)
    if swap.overlay in tops and target.domain.isActive():
        raise CallRefused("the machine was started meanwhile: nothing was sent")
    changed = definitions.rewritten(text, swap, target.resolve)
    return Ready(lambda: target.domain.connect().defineXML(changed), "redefine")


def _unlink(call: Call, target: Target) -> Ready:
    del target
    path, mark = about(call, "path"), about(call, "mark")
    if offline.mark_of(path) != mark or offline.is_held(path):
        raise CallRefused(f"{path} is another file by now, or in use: nothing was removed")
    return Ready(lambda: offline.remove(path, mark), "unlink")


def _must_be_off(target: Target) -> None:
    if target.domain.isActive():
        raise CallRefused("the machine was started meanwhile: nothing was sent")


def _must_stand_on(image: str, base: str, target: Target) -> None:
    try:
        below = read_header(LocalSource(image)).backing_file
    except (OSError, Qcow2Error) as error:
        raise CallRefused(f"{image} cannot be read: {error}; nothing was sent") from error
    if below is None or beside(image, below, target.resolve) != base:
        raise CallRefused(f"{image} no longer stands on {base}: nothing was sent")


def _swap(call: Call) -> Swap:
    base = about(call, "base")
    return Swap(
        overlay=about(call, "overlay"),
        base=base,
        base_format=about(call, "base_format"),
        is_device=offline.is_device(base),
    )


def _number(call: Call, key: str) -> int:
    value = call.about.get(key)
    return value if isinstance(value, int) else 0
