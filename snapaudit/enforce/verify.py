"""Verify: what a machine looks like after a call, and whether that is what was meant (INV-17)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.enforce.identity import Compared, Standing, compare, machine_of
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.plan import Action, Expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A reading after a call: the machine, its standing, and what is not as it should be.

    ``alarms`` are changes that no deletion of ours makes: a lost sibling, another power state.
    """

    inventory: Inventory
    vm: VirtualMachine | None
    compared: Compared
    alarms: tuple[str, ...]

    @property
    def is_busy(self) -> bool:
        """Whether something still goes on, or nobody can tell."""
        return self.vm is not None and self.vm.busy is not False

    @property
    def is_done(self) -> bool:
        """Target gone, siblings there, disks agreeing, machine as it was, nothing under way."""
        gone = self.compared.standing is Standing.ABSENT and self.compared.disks_settled
        return gone and self.vm is not None and not self.is_busy and not self.alarms

    @property
    def is_untouched(self) -> bool:
        """Exactly what was there before, and nothing under way."""
        return self.compared.standing is Standing.MATCH and not self.is_busy


def look(
    action: Action, expected: Expectation, before: VirtualMachine | None, inventory: Inventory
) -> Seen:
    """Hold a reading against what is expected and against the machine as it was before."""
    vm = machine_of(inventory, action.vm_id)
    alarms = tuple(_alarms(action, before, vm))
    compared = compare(expected, action.vm_id, inventory)
    return Seen(inventory=inventory, vm=vm, compared=compared, alarms=alarms)


def _alarms(
    action: Action, before: VirtualMachine | None, vm: VirtualMachine | None
) -> Iterator[str]:
    if vm is None:
        yield "the machine itself is gone"
        return
    if before is None:
        return
    there = {snapshot.id: snapshot.identity for snapshot in vm.snapshots}
    for snapshot in before.snapshots:
        if snapshot.id == action.snapshot_id:
            continue
        if snapshot.id not in there:
            yield f"snapshot {snapshot.name} is gone too"
        elif there[snapshot.id] != snapshot.identity:
            yield f"snapshot {snapshot.name} is another one now"
    if vm.power_state is not before.power_state:
        yield f"the machine was {before.power_state} and is {vm.power_state}"


def freed_bytes(before: VirtualMachine, after: VirtualMachine) -> int | None:
    """What the machine's images occupy less than before; None where a size is unknown."""
    sizes = [_occupied(vm) for vm in (before, after)]
    was, is_now = sizes
    return None if was is None or is_now is None else was - is_now


def _occupied(vm: VirtualMachine) -> int | None:
    layers = {layer.path: layer.size_bytes for disk in vm.disks for layer in disk.layers}
    sizes = [size for size in layers.values() if size is not None]
    return sum(sizes) if len(sizes) == len(layers) else None
