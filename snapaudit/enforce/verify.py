"""Verify: what a machine looks like after a call, and whether that is what was meant (INV-17)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from snapaudit.enforce.identity import Compared, Standing, compare, machine_of
from snapaudit.model.inventory import Inventory, PowerState, VirtualMachine
from snapaudit.model.plan import Action, Expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Footing:
    """How a machine stood before the first call: what no deletion of ours changes.

    ``siblings`` are the other snapshots, each id with its identity.
    """

    power_state: PowerState
    siblings: Mapping[str, str | None]


def footing(action: Action, vm: VirtualMachine) -> Footing:
    """How the machine stands now."""
    siblings = {s.id: s.identity for s in vm.snapshots if s.id != action.snapshot_id}
    return Footing(power_state=vm.power_state, siblings=siblings)


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
    action: Action, expected: Expectation, before: Footing | None, inventory: Inventory
) -> Seen:
    """Hold a reading against what is expected and against the machine as it was before."""
    vm = machine_of(inventory, action.vm_id)
    alarms = tuple(_alarms(before, vm))
    compared = compare(expected, action.vm_id, inventory)
    return Seen(inventory=inventory, vm=vm, compared=compared, alarms=alarms)


def description(seen: Seen, told: str | None = None) -> str:
    """What is so, in words; ``told`` is what the platform said."""
    parts = [*seen.alarms, *seen.compared.differences]
    parts += ["something still goes on with the machine"] if seen.is_busy else []
    parts += [f"the target is {seen.compared.standing}"]
    if seen.compared.standing is Standing.ABSENT and not seen.compared.disks_settled:
        parts += ["the disks do not agree"]
    parts += [told] if told else []
    return "; ".join(parts)


def _alarms(before: Footing | None, vm: VirtualMachine | None) -> Iterator[str]:
    if vm is None:
        yield "the machine itself is gone"
        return
    if before is None:
        return
    there = {snapshot.id: snapshot.identity for snapshot in vm.snapshots}
    for snapshot_id, identity in before.siblings.items():
        if snapshot_id not in there:
            yield f"snapshot {snapshot_id} is gone too"
        elif there[snapshot_id] != identity:
            yield f"snapshot {snapshot_id} is another one now"
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
