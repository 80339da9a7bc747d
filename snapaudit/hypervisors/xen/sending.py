"""Every call that changes a pool: a last look at what it is about, then the call.

References are good for one run of the server alone, so each look begins with the UUID and ends with
the reference that the call is made on, in one session. A server that was started anew in between
knows that session no more. A look that finds anything else than what was meant raises CallRefused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from snapaudit.errors import CallRefused, Gone
from snapaudit.hypervisors.xen import acting, calls, records
from snapaudit.hypervisors.xen.acting import ActingClient
from snapaudit.hypervisors.xen.calls import about
from snapaudit.hypervisors.xen.identity import identity
from snapaudit.hypervisors.xen.records import DISKS, SUSPEND, VdiRecord, VmKind, VmRecord
from snapaudit.hypervisors.xen.snapshots import SUSPENDED
from snapaudit.model.acting import Call

_HALTED, _DESTROY = "Halted", "destroy"
Make = Callable[[], str]
"""Makes the call, once; the reference of its task."""


def ready(call: Call, client: ActingClient) -> Make:
    """Look, and hand back the call to be made. Raises HypervisorError, among them CallRefused."""
    known = {
        calls.DISCARD_MEMORY: _discard_memory,
        calls.DESTROY_SNAPSHOT: _destroy_snapshot,
        calls.DESTROY_IMAGE: _destroy_image,
    }
    if call.name not in known:
        raise CallRefused(f"{call.name}: there is no such call on Xen")
    return known[call.name](call, client)


def _discard_memory(call: Call, client: ActingClient) -> Make:
    record = _snapshot(call, client)
    if record.power_state != SUSPENDED:
        _refuse(f"it is {record.power_state}, and not suspended")
    held = _uuid(client, "VDI", record.suspend_vdi)
    if held != call.about["memory"]:
        _refuse("its memory lies in another image by now")
    return lambda: str(client.ask(acting.SHUT_DOWN, record.ref))


def _destroy_snapshot(call: Call, client: ActingClient) -> Make:
    record = _snapshot(call, client)
    if record.power_state != _HALTED:
        _refuse(f"it is {record.power_state}, and not halted")
    return lambda: str(client.ask(acting.DESTROY_VM, record.ref))


# A snapshot and no machine --------------------------------------------------------------------


def _snapshot(call: Call, client: ActingClient) -> VmRecord:
    """The snapshot that was meant, if it is one, of that machine, with just those disks."""
    uuid, vm_id = about(call, "snapshot"), about(call, "vm_id")
    ref = str(client.ask("VM.get_by_uuid", uuid))
    raw = client.ask("VM.get_record", ref)
    record = records.vm(ref, raw)
    if record.uuid != uuid or uuid == vm_id:
        _refuse(f"{ref} is {record.uuid} and not {uuid}")
    if raw.get("is_a_snapshot") is not True or not record.is_template:
        _refuse("it is no snapshot")
    if record.kind is not VmKind.SNAPSHOT or record.resident_on is not None:
        _refuse(f"it is a {record.kind.value} that may run")
    if not record.may_be_destroyed:
        _refuse("the server does not allow to destroy it")
    machine = _machine(record, vm_id, client)
    for each in (record, machine):
        _refuse_if_protected(each)
    disks = sorted(disk.uuid for disk in _disks(record, client))
    if " ".join(disks) != call.about["disks"]:
        _refuse("its disks are others by now")
    if identity(record, vm_id, disks) != call.about["identity"]:
        _refuse("it is another one by now")
    return record


def _machine(snapshot: VmRecord, vm_id: str, client: ActingClient) -> VmRecord:
    base = snapshot.snapshot_of
    if base is None or base == snapshot.ref:
        raise CallRefused("it is a snapshot of nothing: nothing was sent")
    found = records.vm(base, client.ask("VM.get_record", base))
    if found.kind not in (VmKind.MACHINE, VmKind.TEMPLATE) or found.uuid != vm_id:
        _refuse(f"it is a snapshot of the {found.kind.value} {found.uuid} and not of {vm_id}")
    return found


def _refuse_if_protected(vm: VmRecord) -> None:
    if _DESTROY in vm.blocked:
        _refuse(f"{vm.name} is protected against being destroyed")
    if vm.operations:
        _refuse(f"{vm.name} is in {', '.join(vm.operations)}")


def _disks(snapshot: VmRecord, client: ActingClient) -> Iterator[VdiRecord]:
    for ref in snapshot.vbds:
        use = records.vbd(ref, client.ask("VBD.get_record", ref))
        if use.is_disk and use.vdi is not None:
            disk = records.vdi(use.vdi, client.ask("VDI.get_record", use.vdi))
            if not use.owned:
                _refuse(f"disk {disk.uuid} does not belong to it alone")
            _refuse_unless_snapshot(disk)
            _refuse_if_used(disk, client, but=ref)
            yield disk


# Images -------------------------------------------------------------------------------------------


def _destroy_image(call: Call, client: ActingClient) -> Make:
    uuid = about(call, "image")
    if _is_there(client, about(call, "snapshot")):
        _refuse("its snapshot is still there")
    ref = str(client.ask("VDI.get_by_uuid", uuid))
    image = records.vdi(ref, client.ask("VDI.get_record", ref))
    if image.uuid != uuid:
        _refuse(f"{ref} is {image.uuid} and not {uuid}")
    if about(call, "kind") == calls.MEMORY:
        _refuse_unless_memory(image, client)
    else:
        _refuse_unless_snapshot(image)
    _refuse_if_used(image, client)
    return lambda: str(client.ask(acting.DESTROY_VDI, ref))


def _is_there(client: ActingClient, snapshot: str) -> bool:
    try:
        client.ask("VM.get_by_uuid", snapshot)
    except Gone:
        return False
    return True


def _refuse_unless_snapshot(disk: VdiRecord) -> None:
    if not disk.is_a_snapshot or not disk.managed or disk.snapshot_of == disk.ref:
        _refuse(f"disk {disk.uuid} is no snapshot")
    if disk.type not in DISKS:
        _refuse(f"disk {disk.uuid} is of type {disk.type}")
    if disk.operations or disk.is_mirrored:
        _refuse(f"disk {disk.uuid} is busy")


def _refuse_unless_memory(image: VdiRecord, client: ActingClient) -> None:
    if image.type != SUSPEND or not image.managed or image.operations:
        _refuse(f"{image.uuid} is no memory that nobody uses")
    if any(True for _ in client.rows("VM", f'field "suspend_VDI"="{image.ref}"')):
        _refuse(f"a machine refers to the memory {image.uuid}")


def _refuse_if_used(image: VdiRecord, client: ActingClient, but: str | None = None) -> None:
    """By anybody but a control domain, which attaches disks to back them up or to move them."""
    for ref in image.vbds:
        if ref != but:
            raw: Any = client.ask("VBD.get_record", ref)
            user = records.vbd(ref, raw).vm
            owner = records.vm(user, client.ask("VM.get_record", user)) if user else None
            if owner is None or owner.kind is not VmKind.CONTROL_DOMAIN:
                _refuse(f"{image.uuid} is attached to {owner.name if owner else 'something'}")


def _uuid(client: ActingClient, name: str, ref: str | None) -> str | None:
    return None if ref is None else str(client.ask(f"{name}.get_record", ref)["uuid"])


def _refuse(reason: str) -> None:
    raise CallRefused(f"{reason}: nothing was sent")
