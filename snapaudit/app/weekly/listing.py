"""Listing: every snapshot of an audit in one row with all that was found about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from snapaudit.enforce.holds import Holds
from snapaudit.model.finding import Audit, Finding, Purpose
from snapaudit.model.inventory import Host, Inventory, Snapshot, VirtualMachine
from snapaudit.model.owner import OwnerMark, owner_of
from snapaudit.model.policy import Remedy, Severity, SubjectKind
from snapaudit.model.tree import SnapshotTree
from snapaudit.model.weekly import Home, ListedSnapshot

_Key = tuple[str, str, str]
_Held = Callable[[str, VirtualMachine, Snapshot], str | None]


def listed(audit: Audit, marks: tuple[OwnerMark, ...], holds: Holds) -> tuple[ListedSnapshot, ...]:
    """All snapshots, by endpoint and machine in the order of the inventories, parents first.

    What is held is protected, as a plan would find it.
    """
    found = _findings(audit)
    purposes = {(one.endpoint, one.vm_id, one.snapshot_id): one for one in audit.purposes}

    def held(endpoint: str, vm: VirtualMachine, snapshot: Snapshot) -> str | None:
        return holds.why_held(endpoint, vm, snapshot, audit.audited_at)

    return tuple(
        row
        for inventory in audit.inventories
        for vm in inventory.virtual_machines
        if vm.snapshots
        for row in _machine(inventory, vm, found, purposes, marks, held)
    )


def _findings(audit: Audit) -> dict[_Key, list[Finding]]:
    found: dict[_Key, list[Finding]] = {}
    for one in audit.findings:
        subject = one.subject
        if subject.kind is SubjectKind.SNAPSHOT and subject.vm_id is not None:
            found.setdefault((subject.endpoint, subject.vm_id, subject.id), []).append(one)
    return found


def _machine(
    inventory: Inventory,
    vm: VirtualMachine,
    found: dict[_Key, list[Finding]],
    purposes: dict[_Key, Purpose],
    marks: tuple[OwnerMark, ...],
    held: _Held,
) -> Iterator[ListedSnapshot]:
    home = _home(inventory, vm)
    for depth, snapshot in SnapshotTree(vm.snapshots).walk():
        key = (inventory.endpoint, vm.id, snapshot.id)
        findings = tuple(found.get(key, ()))
        purpose = purposes.get(key)
        reason = held(inventory.endpoint, vm, snapshot)
        own = (f"held: {reason}",) if reason is not None else ()
        protections = tuple(dict.fromkeys((*own, *snapshot.protections, *vm.protections)))
        yield ListedSnapshot(
            home=home,
            snapshot=snapshot,
            depth=depth + 1,
            is_current=snapshot.id == vm.current_snapshot_id,
            owner=owner_of(vm, snapshot, marks),
            severity=worst(findings),
            findings=findings,
            purpose=purpose.purpose if purpose else None,
            score=purpose.score if purpose else None,
            reasons=purpose.reasons if purpose else (),
            protections=protections,
            is_offered=not protections and _is_asked_for(findings),
        )


def worst(findings: tuple[Finding, ...]) -> Severity | None:
    """The severity of the worst finding that nobody accepted."""
    grades = (one.severity for one in findings if one.exemption is None)
    return max(grades, key=lambda grade: grade.rank, default=None)


def _is_asked_for(findings: tuple[Finding, ...]) -> bool:
    """Whether a finding asks to delete it, and nobody accepted anything about it."""
    is_accepted = any(one.exemption is not None for one in findings)
    return not is_accepted and any(one.remedy is Remedy.DELETE_SNAPSHOT for one in findings)


def _home(inventory: Inventory, vm: VirtualMachine) -> Home:
    host: Host | None = next((one for one in inventory.hosts if one.id == vm.host_id), None)
    return Home(
        endpoint=inventory.endpoint,
        hypervisor=inventory.hypervisor,
        manager_id=inventory.manager_id,
        vm_id=vm.id,
        vm_name=vm.name,
        power_state=vm.power_state,
        notes=vm.notes,
        host=host.name if host is not None else None,
        cluster=host.cluster if host is not None else None,
        folder=vm.folder,
        snapshots=len(vm.snapshots),
    )


def places(vm: VirtualMachine, snapshot: Snapshot) -> frozenset[str]:
    """The datastores that a snapshot's bytes lie on, as far as they are known.

    One without an overlay lies inside the images that its machine writes to.
    """
    overlays = {
        layer.datastore_id
        for disk in vm.disks
        for layer in disk.layers
        if layer.snapshot_id == snapshot.id
    }
    inside = {disk.layers[-1].datastore_id for disk in vm.disks if disk.layers}
    return frozenset(place for place in overlays or inside if place is not None)
