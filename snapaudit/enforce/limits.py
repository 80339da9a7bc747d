"""Limits on a whole plan: one that is over a limit runs not at all, never "the first ten" of it.

The shares always allow a few, so that a small site can clean up too. docs/safety.md, GRD-17.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from snapaudit.model.inventory import Inventory
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Action, Decision, Excess, Plan
from snapaudit.model.policy import Remedy

DATASTORE_SHARE = 0.2
ALWAYS_ALLOWED, ALWAYS_ALLOWED_ON_A_DATASTORE = 3, 2
PER_HOST, OVERALL = 2, 4
Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How many snapshots there are: in all, and on each datastore (endpoint, id)."""

    snapshots: int
    on_datastore: Counter[Place]
    names: dict[Place, str]


def census(inventories: Iterable[Inventory]) -> Census:
    """Count every snapshot that was seen, on each datastore that its machine's disks lie on."""
    total, counts, names = 0, Counter[Place](), dict[Place, str]()
    for inventory in inventories:
        names |= {(inventory.endpoint, store.id): store.name for store in inventory.datastores}
        for vm in inventory.virtual_machines:
            total += len(vm.snapshots)
            layers = (layer for disk in vm.disks for layer in disk.layers)
            stores = {layer.datastore_id for layer in layers} - {None}
            for store in stores:
                counts[inventory.endpoint, store or ""] += len(vm.snapshots)
    return Census(snapshots=total, on_datastore=counts, names=names)


def census_of(plan: Plan) -> Census:
    """The census that a plan was made under."""
    places = {(one.endpoint, one.id): one for one in plan.datastores}
    return Census(
        snapshots=plan.snapshots,
        on_datastore=Counter({place: one.snapshots for place, one in places.items()}),
        names={place: one.name for place, one in places.items()},
    )


def census_again(plan: Plan, inventories: Sequence[Inventory]) -> Census:
    """The census as it is now; of endpoints that are not read anew, as the plan saw them.

    The share is one of all snapshots, also when a plan acts on a single endpoint of many.
    """
    now, read = census(inventories), {inventory.endpoint for inventory in inventories}
    elsewhere = sum(one.snapshots for one in plan.managers if one.endpoint not in read)
    return replace(now, snapshots=now.snapshots + elsewhere)


def excess(actions: Sequence[Action], limits: Limits, seen: Census) -> tuple[Excess, ...]:
    """Every limit that the actions to be applied are over, with the way in which."""
    meant = [action for action in actions if action.decision is Decision.APPLY]
    return tuple(_over(meant, limits, seen))


def _over(meant: list[Action], limits: Limits, seen: Census) -> Iterator[Excess]:
    yield from _one("max_actions", limits.max_actions, len(meant), "actions in one run")
    deletions = [action for action in meant if action.kind is Remedy.DELETE_SNAPSHOT]
    share = _allowed(seen.snapshots, limits.max_share, ALWAYS_ALLOWED)
    what = f"of {seen.snapshots:,} snapshots, {limits.max_share:.4g} of all at most"
    yield from _one("max_share", share, len(deletions), what)
    merged = sum(action.merges_bytes for action in meant)
    yield from _one("max_bytes", limits.max_bytes, merged, "bytes to merge")
    counts = Counter((a.endpoint, store) for a in deletions for store in a.datastore_ids)
    for place, count in sorted(counts.items()):
        total = seen.on_datastore[place]
        most = _allowed(total, DATASTORE_SHARE, ALWAYS_ALLOWED_ON_A_DATASTORE)
        name = seen.names.get(place, place[1])
        what = f"of {total:,} snapshots on datastore {name}, a fifth at most"
        yield from _one("max_share", most, count, what)


def _allowed(total: int, share: float, always: int) -> int:
    return max(always, math.floor(total * share))


def _one(limit: str, allowed: int, found: int, what: str) -> Iterator[Excess]:
    if found > allowed:
        reason = f"{found:,} {what}; allowed are {allowed:,}"
        yield Excess(limit=limit, allowed=allowed, found=found, reason=reason)


def worst(
    actions: Sequence[Action], most: int, limits: Limits, seen: Census
) -> tuple[dict[str, str], tuple[Action, ...]]:
    """The actions that give most back: at most so many, and no more than the limits allow.

    The others come by their id with the reason why they are left out.
    """
    chosen: list[Action] = []
    left_out: dict[str, str] = {}
    offered = [action for action in actions if action.decision is Decision.APPLY]
    for action in sorted(offered, key=_gives_most_back):
        if len(chosen) == most:
            left_out[action.id] = f"not among the {most} that give most back"
            continue
        over = excess([*chosen, action], limits, seen)
        if over:
            left_out[action.id] = f"with it, {over[0].reason}"
        else:
            chosen.append(action)
    return left_out, tuple(action for action in actions if action.id not in left_out)


def _gives_most_back(action: Action) -> tuple[int, int, str]:
    """By what is certain to come back first; equal ones in the order of the plan."""
    return (-action.frees_bytes.min, -(action.frees_bytes.max or 0), action.id)


def may_start(action: Action, in_flight: Sequence[Action]) -> bool:
    """Whether it may run beside those under way: one a machine and datastore, two a host."""
    if len(in_flight) >= OVERALL:
        return False
    beside = [other for other in in_flight if other.endpoint == action.endpoint]
    busy = {store for other in beside for store in other.datastore_ids}
    if any(other.vm_id == action.vm_id for other in beside):
        return False
    if not busy.isdisjoint(action.datastore_ids):
        return False
    return sum(other.host_id == action.host_id for other in beside) < PER_HOST
