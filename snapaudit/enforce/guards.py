"""Guards: each a pure function of a case that says why the act is forbidden, or None.

They are asked when planning and again on a fresh reading right before the act. An unknown never
passes. The twelfth, ``within-limits``, looks at the whole plan: `enforce/limits.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import timedelta

from snapaudit.enforce.case import Case
from snapaudit.enforce.identity import Standing, compare
from snapaudit.model.age import no_age
from snapaudit.model.inventory import CoverageState, Inventory
from snapaudit.model.plan import Guard
from snapaudit.model.policy import Remedy
from snapaudit.model.tree import SnapshotTree

YOUNGEST_OUTSIDE_A_LAB = timedelta(hours=24)
MOST_SKEW = timedelta(hours=1)
_OF_OTHERS = {
    "backup_product": "a backup product made it",
    "replication": "replication stands on it",
    "clone_base": "clones stand on it",
}


def verified_connection(case: Case) -> str | None:
    """GRD-35: whoever answers without proof may be audited, never changed."""
    if case.inventory.connection_verified is True:
        return None
    return "the connection is not encrypted or not verified: such an endpoint may only be audited"


def whole_view(case: Case) -> str | None:
    """GRD-12, GRD-28: what was not seen could stand on what would be changed."""
    return not_whole(case.inventory, is_named=case.is_named)


def not_whole(inventory: Inventory, *, is_named: bool) -> str | None:
    """Why an endpoint was not seen whole; a suspicious view is accepted of one that was named."""
    coverage = inventory.coverage
    if coverage.state is CoverageState.COMPLETE:
        return None
    if coverage.state is CoverageState.SUSPICIOUS and is_named:
        return None
    return f"{inventory.endpoint} is {coverage.state}: {coverage.reason or 'no reason was given'}"


def unchanged(case: Case) -> str | None:
    """GRD-01, GRD-03: every field of the identity is what was planned."""
    if case.expected is None:
        return None
    compared = compare(case.expected, case.vm.id, case.inventory)
    if compared.standing is Standing.MATCH:
        return None
    return "; ".join(compared.differences) or f"it is {compared.standing}"


def held(case: Case) -> str | None:
    """GRD-26: somebody said that it must stay."""
    return case.held


def not_busy(case: Case) -> str | None:
    """GRD-13: nothing else goes on, and nothing of an earlier run is still open."""
    if case.unsettled is not None:
        return case.unsettled
    if case.vm.busy is None:
        return "whether something goes on with the machine could not be read"
    if not case.vm.busy:
        return None
    reasons = (r.partition(": ")[2] for r in case.vm.protections if r.startswith("busy: "))
    return next(reasons, "something goes on with the machine")


def linear_chain(case: Case) -> str | None:
    """GRD-14: one line of snapshots, and chains that they explain."""
    if case.kind is Remedy.CONSOLIDATE:
        return None
    if case.vm.consolidation_needed is not False:
        return "the machine's disks need consolidation first; plan again when that is done"
    tree = SnapshotTree(case.vm.snapshots)
    lost = [shot.name for shot in tree.roots if shot.parent_id is not None]
    if lost:
        return f"what {lost[0]} stands on is not among the machine's snapshots, or is itself"
    if len(tree.roots) > 1:
        return f"the machine's snapshots have {len(tree.roots)} roots"
    forks = [shot.name for _, shot in tree.walk() if len(tree.children(shot.id)) > 1]
    if forks:
        return f"the machine's snapshots branch at {forks[0]}"
    current = next((s for _, s in tree.walk() if s.id == case.vm.current_snapshot_id), None)
    if current is not None and tree.children(current.id):
        return f"the machine was reverted to {current.name}, and goes on from there as a branch"
    return None


def protected(case: Case) -> str | None:
    """INV-08: what the platform, its owner or its purpose protects."""
    vm, snapshot = case.vm, case.snapshot
    if case.kind not in case.abilities.supports:
        return f"{case.inventory.hypervisor} offers no way to {case.kind.replace('-', ' ')} here"
    if snapshot is None:
        found = (*vm.protections, *vm.consolidation_protections)
    else:
        found = (*vm.protections, *snapshot.protections)
    if found:
        return "; ".join(dict.fromkeys(found))
    if vm.is_template:
        return "other machines stand on this one's disks"
    if case.purpose is not None and case.purpose.purpose in _OF_OTHERS:
        return f"{_OF_OTHERS[case.purpose.purpose]}: {'; '.join(case.purpose.reasons)}"
    if case.purpose is not None and case.purpose.product is not None:
        return f"its text names {case.purpose.product}, which may have made it or stand on it"
    if snapshot is not None and snapshot.has_memory is not False and not case.may_hold_memory:
        return "it holds the machine's memory, and no rule that asks for it says `with_memory`"
    return None


def known_size(case: Case) -> str | None:
    """INV-07: unknown is never small."""
    if case.snapshot is not None and case.snapshot.size_bytes is None:
        return f"its size is {case.snapshot.reclaimable_bytes.basis}"
    if case.size.merges_bytes is None:
        return "the size of a delta that would be merged is unknown"
    return None


def min_age(case: Case) -> str | None:
    """GRD-04, GRD-15: old enough by the manager's own clock, and that clock can be believed."""
    if case.snapshot is None or case.snapshot.created_at is None:
        return None if case.snapshot is None else no_age(None, case.now)
    skew = case.inventory.clock_skew_seconds
    if skew is not None and abs(skew) > MOST_SKEW.total_seconds():
        side = "ahead of" if skew > 0 else "behind"
        away = _hours(timedelta(seconds=abs(skew)))
        return f"the clock of {case.inventory.endpoint} is {away} {side} ours"
    reason = no_age(case.snapshot.created_at, case.manager_now)
    if reason is not None:
        return reason
    age = case.manager_now - case.snapshot.created_at
    least = case.limits.min_age
    if not case.inventory.lab:
        least = max(least, YOUNGEST_OUTSIDE_A_LAB)
    margin = MOST_SKEW if skew is None else timedelta(0)
    if age >= least + margin:
        return None
    doubt = " and an hour more, as its clock was not told" if margin else ""
    return f"it is {_hours(age)} old; the least is {_hours(least)}{doubt}"


def _hours(span: timedelta) -> str:
    hours = f"{span.total_seconds() / 3600:,.2f}"
    return f"{hours.rstrip('0').rstrip('.')} h"


def room_to_merge(case: Case) -> str | None:
    """GRD-16: the datastore keeps its reserve at the worst moment of the merge."""
    needs = case.size.needs_bytes
    if needs is None:
        return "how much room the merge takes is unknown"
    if needs == 0:
        return None
    for datastore_id in case.size.datastore_ids:
        reason = _lack(case, datastore_id, needs)
        if reason is not None:
            return reason
    return None


def _lack(case: Case, datastore_id: str | None, needs: int) -> str | None:
    store = case.datastore(datastore_id) if datastore_id is not None else None
    if store is None:
        return "an image lies in no known datastore, so nobody can say how much is free there"
    if not store.accessible:
        return f"datastore {store.name} is not accessible"
    if store.free_bytes is None or store.capacity_bytes is None:
        return f"how much is free on datastore {store.name} is unknown"
    reserve = case.limits.min_free.of(store.capacity_bytes)
    if store.free_bytes - needs >= reserve:
        return None
    numbers = f"{store.free_bytes:,} bytes free, {needs:,} needed, {reserve:,} to be left"
    return f"datastore {store.name}: {numbers}"


def in_window(case: Case) -> str | None:
    """GRD-10: only while the window is open; a plan may be made at any time."""
    window = case.limits.window
    if case.expected is None or window is None or window.is_open(case.now):
        return None
    return f"the window for changes is {window.text}"


GUARDS: tuple[tuple[Guard, Callable[[Case], str | None]], ...] = (
    (Guard.VERIFIED_CONNECTION, verified_connection),
    (Guard.WHOLE_VIEW, whole_view),
    (Guard.UNCHANGED, unchanged),
    (Guard.HELD, held),
    (Guard.NOT_BUSY, not_busy),
    (Guard.PROTECTED, protected),
    (Guard.LINEAR_CHAIN, linear_chain),
    (Guard.KNOWN_SIZE, known_size),
    (Guard.MIN_AGE, min_age),
    (Guard.ROOM_TO_MERGE, room_to_merge),
    (Guard.IN_WINDOW, in_window),
)


WHILE_UNDER_WAY = frozenset({Guard.VERIFIED_CONNECTION, Guard.HELD, Guard.PROTECTED})
"""What may still forbid the next call of a deletion that is half done."""


def first_refusal(
    case: Case, among: Container[Guard] = frozenset(Guard)
) -> tuple[Guard, str] | None:
    """The first guard that forbids it, with the reason."""
    for guard, ask in GUARDS:
        reason = ask(case) if guard in among else None
        if reason is not None:
            return guard, reason
    return None
