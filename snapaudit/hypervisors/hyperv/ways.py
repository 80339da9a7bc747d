"""The next call towards an action's end, read off what is seen.

There is one, and it is made once: the platform merges by itself. What it leaves half done is
reported and left to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from snapaudit.hypervisors.hyperv import calls, cluster
from snapaudit.hypervisors.hyperv.calls import made_for
from snapaudit.hypervisors.hyperv.cluster import Found, Reading
from snapaudit.model.acting import Call
from snapaudit.model.inventory import Inventory, Snapshot, VirtualMachine
from snapaudit.model.plan import Action
from snapaudit.model.policy import Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One action on one machine; ``reading`` are the rows that ``seen`` was made of."""

    action: Action
    seen: Inventory
    reading: Reading
    made: Sequence[Call]

    def next_call(self) -> Call | None:
        """The next mutating call; None: nothing is left to do, or nothing more can be done."""
        vm = next((one for one in self.seen.virtual_machines if one.id == self.action.vm_id), None)
        if vm is None or self.action.kind is not Remedy.DELETE_SNAPSHOT:
            return None
        snapshot = next((s for s in vm.snapshots if s.id == self.action.snapshot_id), None)
        if snapshot is None or made_for(self.made, calls.REMOVE) or not self._is_meant(snapshot):
            return None
        return self._removal(vm, snapshot)

    def _is_meant(self, snapshot: Snapshot) -> bool:
        expected = self.action.expects.snapshot
        planned = expected.identity if expected is not None else None
        return planned is not None and planned == snapshot.identity

    def _removal(self, vm: VirtualMachine, snapshot: Snapshot) -> Call | None:
        found = self._found(vm.id)
        row = next((r for r in found.checkpoints if r.id == snapshot.id), None) if found else None
        if found is None or row is None:
            return None
        return calls.remove(self.seen.manager_id or "", found, row, vm, snapshot)

    def _found(self, vm_id: str) -> Found | None:
        return next((one for one in cluster.machines(self.reading) if one.id == vm_id), None)
