"""The last look: what a fresh reading says against an act, before it and while it is half done."""

from __future__ import annotations

from dataclasses import dataclass, replace

from snapaudit.enforce.case import Case
from snapaudit.enforce.ground import Ground
from snapaudit.enforce.guards import WHILE_UNDER_WAY, first_refusal
from snapaudit.enforce.identity import compare, machine_of, snapshot_of
from snapaudit.enforce.space import merge_size
from snapaudit.enforce.verify import Seen
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.plan import Action, Expectation, Guard


@dataclass(frozen=True, slots=True)
class LastLook:
    """One action, and what it expects to find."""

    ground: Ground
    action: Action
    expected: Expectation

    def refusal(self, seen: Inventory) -> tuple[Guard, str] | None:
        """The first guard that forbids to begin, with the reason."""
        gap = self.ground.gaps.get(self.action.endpoint)
        if gap is not None:
            return Guard.WHOLE_VIEW, gap
        vm = machine_of(seen, self.action.vm_id)
        if vm is None:
            differences = compare(self.expected, self.action.vm_id, seen).differences
            return Guard.UNCHANGED, "; ".join(differences)
        place = self.ground.place(self.action)
        exempt = self.ground.exempt(place)
        if exempt is not None:
            return Guard.HELD, exempt
        if place not in self.ground.offered:
            return Guard.PROTECTED, "no rule asks for it any more"
        return first_refusal(self._case(seen, vm))

    def second_thought(self, seen: Seen) -> str | None:
        """Why a deletion that is half done must not go on: somebody needs its images by now."""
        found = None if seen.vm is None else self._objection(seen.inventory, seen.vm)
        return None if found is None else f"{found[0]}: {found[1]}"

    def _objection(self, seen: Inventory, vm: VirtualMachine) -> tuple[Guard, str] | None:
        return first_refusal(_without_traces(self._case(seen, vm)), WHILE_UNDER_WAY)

    def lack_of_room(self, inventory: Inventory) -> str | None:
        """A merge kept its reserve when it began: less now means that somebody else writes."""
        for store in inventory.datastores:
            if self.action.needs_bytes and store.id in self.action.datastore_ids:
                if not store.accessible or store.free_bytes is None or store.capacity_bytes is None:
                    return f"datastore {store.name} cannot be reached"
                if store.free_bytes < self.ground.limits.min_free.of(store.capacity_bytes):
                    return f"datastore {store.name} has less free than its reserve"
        return None

    def _case(self, seen: Inventory, vm: VirtualMachine) -> Case:
        ground, now = self.ground, self.ground.clock.now()
        snapshot = snapshot_of(vm, self.action.snapshot_id)
        return Case(
            kind=self.action.kind,
            inventory=seen,
            vm=vm,
            snapshot=snapshot,
            expected=self.expected,
            size=merge_size(vm, snapshot, now),
            now=now,
            limits=ground.limits,
            abilities=ground.abilities[self.action.endpoint],
            held=ground.holds().why_held(self.action.endpoint, vm, snapshot, now)
            or ground.exempt(ground.place(self.action)),
            unsettled=None,
            purpose=ground.purposes.get(ground.place(self.action)),
            may_hold_memory=ground.place(self.action) in ground.with_memory,
            is_named=self.action.endpoint in ground.named,
        )


def _without_traces(case: Case) -> Case:
    """The case without what our own unfinished work looks like to a guard."""
    own = case.abilities.own_traces

    def others(protections: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(one for one in protections if one.partition(":")[0] not in own)

    vm = replace(case.vm, protections=others(case.vm.protections))
    if case.snapshot is None:
        return replace(case, vm=vm)
    snapshot = replace(case.snapshot, protections=others(case.snapshot.protections))
    return replace(case, vm=vm, snapshot=snapshot)
