"""Why a snapshot must not be deleted; `docs/hypervisors/xen.md` has the table.

XAPI refuses hardly anything: it destroys the snapshot that a backup stands on, or that a disabled
rule would have kept, as willingly as any other.
"""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.hypervisors.xen.lines import others_on
from snapaudit.hypervisors.xen.machines import Machine, disks_of, memory_of
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import CBT_METADATA, DISKS, VdiRecord, VmRecord
from snapaudit.hypervisors.xen.stores import is_thick

_DESTROY, _START = "destroy", "start"
_JOB, _EXPORTED = "xo:backup:job", "xo:backup:exported"
_BACKUP_KEYS = frozenset({"xo:base_delta_vdi", "xo:copy_of"})
_REPLICA_TAGS = frozenset({"Continuous Replication", "Disaster Recovery"})
_PROVISIONED = "CitrixProvisioningSchemeId"
_HOLD = "snapaudit:hold"
ORPHAN = "orphan: its machine is gone, and this may be all that is left of it"
_AT_REST = frozenset({"Halted", "Suspended"})


def busy_reasons(machine: Machine, pool: Pool) -> Iterator[str]:
    """The work that is going on in a machine, its snapshots and all their disks."""
    for vm in (machine.record, *machine.snapshots):
        what = "the machine" if vm is machine.record else f"snapshot {vm.name}"
        if vm.operations:
            yield f"{what} is in {', '.join(vm.operations)}"
        for vdi in disks_of(vm, pool):
            if vdi.operations:
                yield f"a disk of {what} is in {', '.join(vdi.operations)}"
            if vdi.is_mirrored:
                yield f"a disk of {what} is being moved to other storage"


def of_machine(machine: Machine, pool: Pool) -> Iterator[str]:
    """What forbids every change to the lines of this machine."""
    yield from (f"busy: {reason}" for reason in busy_reasons(machine, pool))
    yield from _of_owner(machine.record)
    for disk in machine.disks:
        if disk.line.trouble:
            yield f"unknown-chain: disk {disk.position}: {disk.line.trouble}"
    host = pool.hosts.get(machine.record.resident_on or "")
    if host is not None and not host.enabled:
        yield f"maintenance: its host {host.name} is in maintenance"
    yield from _of_storage(machine, pool)
    yield from (f"inconsistent: {reason}" for reason in _live_faults(machine.record, pool))


def _of_owner(vm: VmRecord) -> Iterator[str]:
    if _DESTROY in vm.blocked:
        yield "blocked: its owner forbids to destroy the machine"
    is_copy = _START in vm.blocked and _JOB in vm.marks
    if is_copy or not _REPLICA_TAGS.isdisjoint(vm.tags):
        yield "replica: it is the copy that replication keeps"
    if _PROVISIONED in vm.marks or any(tag.startswith(_PROVISIONED) for tag in vm.tags):
        yield "provisioned: Citrix Machine Creation Services made it"


def _of_storage(machine: Machine, pool: Pool) -> Iterator[str]:
    for ref in sorted({disk.leaf.sr or "" for disk in machine.disks}):
        sr = pool.srs.get(ref)
        name = sr.name if sr is not None else "unknown"
        if not pool.attached.get(ref):
            yield f"storage-offline: storage repository {name} is attached to no host"
        elif sr is not None and is_thick(sr) and sr.lacks_room_to_collect:
            yield f"no-room: {name} is thick and has no room for the merge that would follow"


def _live_faults(vm: VmRecord, pool: Pool) -> Iterator[str]:
    """Records that contradict each other, as a defect of ``VM.revert`` left them in 2026."""
    yield from _lost(vm, pool)
    for vdi in disks_of(vm, pool):
        if vdi.is_a_snapshot:
            yield f"disk {vdi.uuid} of the machine is recorded as a snapshot"
        elif vdi.snapshot_of is not None:
            yield f"disk {vdi.uuid} is no snapshot, and is recorded as one of another disk"


def _lost(vm: VmRecord, pool: Pool) -> Iterator[str]:
    for ref in vm.vbds:
        if ref not in pool.vbds:
            yield "a disk is attached by a record that is not there"
    for use, vdi in pool.disks(vm):
        if vdi is None:
            yield f"the image of disk {use.position} is not there"


def of_snapshot(snapshot: VmRecord, machine: Machine, pool: Pool) -> Iterator[str]:
    """What forbids deleting this one, beside what holds for its whole machine."""
    if _DESTROY in snapshot.blocked:
        yield "blocked: somebody forbade to destroy the snapshot"
    elif not snapshot.may_be_destroyed and not snapshot.operations:
        yield "not-allowed: the server does not allow to destroy it"
    held = [
        tag for tag in snapshot.tags if tag.startswith(_HOLD) and tag not in machine.record.tags
    ]
    if held:
        yield f"held: the snapshot is tagged {held[0]}"
    yield from _of_backup(snapshot, machine, pool)
    yield from _of_schedule(snapshot, machine, pool)
    for vdi in disks_of(snapshot, pool):
        yield from _of_disk(vdi, machine, pool)
    yield from (f"inconsistent: {reason}" for reason in _faults(snapshot, machine, pool))


def _of_backup(snapshot: VmRecord, machine: Machine, pool: Pool) -> Iterator[str]:
    disks = disks_of(snapshot, pool)
    keys = set(snapshot.marks).union(*(vdi.marks for vdi in disks))
    if any(key.startswith("xo:backup:") or key in _BACKUP_KEYS for key in keys):
        base = ", and the next backup stands on it" if _is_newest(snapshot, machine) else ""
        yield f"backup: Xen Orchestra marked it as a reference of its own{base}"
        if any(vdi.tracks_changes for vdi in disks):
            yield "cbt: a backup product tracks changed blocks on its disks"
    if any(vdi.type == CBT_METADATA for vdi in disks):
        yield "cbt: only the map of changed blocks is left of a disk, for the next backup"


def _is_newest(snapshot: VmRecord, machine: Machine) -> bool:
    """Whether it is the newest that a job has exported: the base of its next delta."""
    job = snapshot.marks.get(_JOB)
    of_job = [
        each
        for each in machine.snapshots
        if each.marks.get(_JOB) == job and each.marks.get(_EXPORTED) == "true"
    ]
    return bool(of_job) and max(of_job, key=_time_of).uuid == snapshot.uuid


def _time_of(snapshot: VmRecord) -> str:
    return snapshot.snapshot_time.isoformat() if snapshot.snapshot_time else ""


def _of_schedule(snapshot: VmRecord, machine: Machine, pool: Pool) -> Iterator[str]:
    if not snapshot.is_scheduled or machine.record.schedule is None:
        return
    if pool.schedules is None:
        yield "scheduled: a schedule made it, and whether that still runs could not be read"
    else:
        found = pool.schedules.get(machine.record.schedule)
        if found is not None and found.enabled:
            yield f"scheduled: the schedule {found.name} made it and will remove it in its time"


def _of_disk(vdi: VdiRecord, machine: Machine, pool: Pool) -> Iterator[str]:
    disk = machine.disk_under(vdi)
    mark = disk.mark_of(vdi) if disk is not None else None
    if disk is None or mark is None:
        yield f"detached-disk: {vdi.uuid} hangs on none of the lines of the machine's disks"
        return
    others = others_on(disk.line, mark.at, machine.own, pool)
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        yield f"clones: {_named(others[0], pool)}{more} stands on the same base copy"


def _named(image: VdiRecord, pool: Pool) -> str:
    user = next((vm for vm in pool.users(image) if vm is not None), None)
    return f"disk {image.name or image.uuid}" + (f" of {user.name}" if user is not None else "")


def _faults(snapshot: VmRecord, machine: Machine, pool: Pool) -> Iterator[str]:
    yield from _lost(snapshot, pool)
    if snapshot.snapshot_of == snapshot.ref:
        yield "it is recorded as a snapshot of itself"
    if not snapshot.is_template or snapshot.resident_on is not None:
        yield "it is recorded as a snapshot, and as a machine that may run"
    if snapshot.power_state not in _AT_REST:
        yield f"it is recorded as a snapshot that is {snapshot.power_state or 'in no state'}"
    if snapshot.parent is not None and not _is_among(snapshot.parent, machine):
        yield "what it stands on is not among the machine's snapshots"
    if snapshot.suspend_vdi is not None and memory_of(snapshot, pool) is None:
        yield "the image of its memory is not there"
    for use, vdi in pool.disks(snapshot):
        if vdi is not None:
            yield from _disk_faults(snapshot, vdi, pool, is_owned=use.owned)


def _is_among(ref: str, machine: Machine) -> bool:
    return any(snapshot.ref == ref for snapshot in machine.snapshots)


def _disk_faults(
    snapshot: VmRecord, vdi: VdiRecord, pool: Pool, *, is_owned: bool
) -> Iterator[str]:
    if not vdi.is_a_snapshot:
        yield f"its disk {vdi.uuid} is not recorded as a snapshot"
    if vdi.snapshot_of == vdi.ref:
        yield f"its disk {vdi.uuid} is recorded as a snapshot of itself"
    if vdi.type not in DISKS | {CBT_METADATA}:
        yield f"its disk {vdi.uuid} is of type {vdi.type}"
    if not is_owned:
        yield f"its disk {vdi.uuid} does not belong to it alone (no key 'owner')"
    for user in pool.users(vdi):
        if user is None or user.uuid != snapshot.uuid:
            name = user.name if user is not None else "a machine that was not read"
            yield f"its disk {vdi.uuid} is attached to {name} too"
    if vdi.missing:
        yield f"its disk {vdi.uuid} is missing from its storage"
