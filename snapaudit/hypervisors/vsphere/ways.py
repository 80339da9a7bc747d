"""The next call towards an action's end, read off what is seen.

vCenter does the whole work by one call. Where it stops half way the snapshot is gone and its deltas
are still in the chain: that is one more thing that is seen, and one consolidation follows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snapaudit.hypervisors.vsphere import calls
from snapaudit.hypervisors.vsphere.calls import made_for
from snapaudit.hypervisors.vsphere.reading import Machine
from snapaudit.model.acting import Call
from snapaudit.model.inventory import Inventory, LayerRole, Snapshot, VirtualMachine
from snapaudit.model.plan import Action
from snapaudit.model.policy import Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One action on one machine. ``machine`` reads who it is, None when it is gone by now."""

    action: Action
    seen: Inventory
    made: Sequence[Call]
    machine: Callable[[], Machine | None]

    def next_call(self) -> Call | None:
        """The next mutating call; None: nothing is left to do, or nothing more can be done."""
        vm = next((one for one in self.seen.virtual_machines if one.id == self.action.vm_id), None)
        if vm is None or made_for(self.made, calls.CONSOLIDATE):
            return None
        match self.action.kind:
            case Remedy.DELETE_SNAPSHOT:
                return self._delete(vm)
            case Remedy.CONSOLIDATE:
                return self._consolidate(vm)

    def _delete(self, vm: VirtualMachine) -> Call | None:
        snapshot = next((s for s in vm.snapshots if s.id == self.action.snapshot_id), None)
        removals = made_for(self.made, calls.REMOVE)
        if snapshot is None:
            is_left = bool(removals) and (vm.consolidation_needed is True or self._has_rest(vm))
            return calls.consolidate_after(removals[-1]) if is_left else None
        if removals or not self._is_meant(snapshot):
            return None
        machine = self.machine()
        return None if machine is None else calls.remove(machine, snapshot)

    def _is_meant(self, snapshot: Snapshot) -> bool:
        expected = self.action.expects.snapshot
        planned = expected.identity if expected is not None else None
        return planned is not None and planned == snapshot.identity

    def _has_rest(self, vm: VirtualMachine) -> bool:
        """Whether a delta of the snapshot stands in a chain that no snapshot explains."""
        gone = {path for disk in self.action.expects.removes for path in disk.paths}
        return any(path in gone for path in _phantoms(vm))

    def _consolidate(self, vm: VirtualMachine) -> Call | None:
        if vm.consolidation_needed is not True and not _phantoms(vm):
            return None
        machine = self.machine()
        return None if machine is None else calls.consolidate(machine)


def _phantoms(vm: VirtualMachine) -> list[str]:
    layers = (layer for disk in vm.disks for layer in disk.layers)
    return [layer.path for layer in layers if layer.role is LayerRole.PHANTOM]
