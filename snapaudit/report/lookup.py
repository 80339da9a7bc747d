"""Lookup: from the subject of a finding back to the record that it is about."""

from __future__ import annotations

from collections.abc import Iterable

from snapaudit.model.finding import Purpose, Subject
from snapaudit.model.inventory import ByteRange, Inventory, Snapshot, StrayFile, VirtualMachine
from snapaudit.model.policy import SubjectKind


class Lookup:
    """The machines, snapshots and stray files of some inventories, by endpoint and id."""

    def __init__(self, inventories: Iterable[Inventory]) -> None:
        self._machines: dict[tuple[str, str], VirtualMachine] = {}
        self._snapshots: dict[tuple[str, str, str], Snapshot] = {}
        self._strays: dict[tuple[str, str], StrayFile] = {}
        for inventory in inventories:
            self._add(inventory)

    def _add(self, inventory: Inventory) -> None:
        at = inventory.endpoint
        self._strays |= {(at, stray.id): stray for stray in inventory.strays}
        for vm in inventory.virtual_machines:
            self._machines[at, vm.id] = vm
            self._snapshots |= {(at, vm.id, one.id): one for one in vm.snapshots}

    def machine(self, subject: Subject) -> VirtualMachine | None:
        """The machine that the subject is, or belongs to."""
        return self._machines.get((subject.endpoint, subject.vm_id or ""))

    def snapshot(self, subject: Subject) -> Snapshot | None:
        """The snapshot that the subject is."""
        if subject.kind is not SubjectKind.SNAPSHOT:
            return None
        return self._snapshots.get((subject.endpoint, subject.vm_id or "", subject.id))

    def gain(self, subject: Subject) -> ByteRange | None:
        """What removing the subject alone gives back; None where that is no question.

        A machine or a datastore gives nothing back by itself: its snapshots are told one by one,
        so that no byte is promised twice.
        """
        snapshot = self.snapshot(subject)
        if snapshot is not None:
            return snapshot.reclaimable_bytes
        stray = self._strays.get((subject.endpoint, subject.id))
        if stray is None or subject.kind is not SubjectKind.FILE:
            return None
        low, high = stray.size_bytes or 0, stray.size_bytes
        return ByteRange(min=low, max=high, basis="the size of the file")

    def protections(self, subject: Subject) -> tuple[str, ...]:
        """Why the snapshot must not be deleted, each reason once, those of its machine included."""
        snapshot, machine = self.snapshot(subject), self.machine(subject)
        if snapshot is None or machine is None:
            return ()
        return tuple(dict.fromkeys((*snapshot.protections, *machine.protections)))

    def purpose_name(self, purpose: Purpose) -> str:
        """``kvm1: web01 / before-upgrade`` for the snapshot that a purpose is about."""
        vm = self._machines.get((purpose.endpoint, purpose.vm_id))
        key = (purpose.endpoint, purpose.vm_id, purpose.snapshot_id)
        snapshot = self._snapshots.get(key)
        machine = vm.name if vm else purpose.vm_id
        return f"{purpose.endpoint}: {machine} / {snapshot.name if snapshot else key[2]}"
