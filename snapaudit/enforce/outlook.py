"""What a plan says about its surroundings: managers, limits, and datastores before and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from snapaudit.enforce.limits import Census
from snapaudit.model.inventory import Inventory
from snapaudit.model.limits import Limits, Reserve
from snapaudit.model.plan import Action, Bytes, Decision, Manager, Outlook, PlannedLimits
from snapaudit.model.units import SIZE_UNITS, format_iso_duration


def managers(inventories: Iterable[Inventory]) -> tuple[Manager, ...]:
    """Who was looked at, and how well."""
    return tuple(_manager(inventory) for inventory in inventories)


def _manager(inventory: Inventory) -> Manager:
    skew = inventory.clock_skew_seconds
    verified = inventory.connection_verified is True
    return Manager(
        endpoint=inventory.endpoint,
        hypervisor=inventory.hypervisor,
        manager_id=inventory.manager_id,
        state=inventory.coverage.state,
        reason=inventory.coverage.reason,
        collected_at=inventory.collected_at,
        clock_skew_seconds=None if skew is None else round(skew),
        lab="a lab: snapshots younger than a day may be deleted there" if inventory.lab else "",
        connection="" if verified else "not verified: it may only be audited",
        snapshots=sum(len(vm.snapshots) for vm in inventory.virtual_machines),
    )


def written(limits: Limits) -> PlannedLimits:
    """The limits as people write them."""
    return PlannedLimits(
        min_age=_duration(limits.min_age),
        max_actions=limits.max_actions,
        max_share=_percent(limits.max_share),
        max_bytes=limits.max_bytes,
        min_free=_reserve(limits.min_free),
        window=limits.window.text if limits.window is not None else None,
    )


def _duration(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f}h" if hours.is_integer() else format_iso_duration(span)


def _percent(ratio: float) -> str:
    return f"{ratio * 100:.4g}%"


def _reserve(reserve: Reserve) -> str:
    parts = [_size(reserve.bytes)] if reserve.bytes else []
    parts += [_percent(reserve.ratio)] if reserve.ratio else []
    return " or ".join(parts) or "0B"


def _size(number: int) -> str:
    for unit in ("GiB", "MiB", "KiB"):
        whole, rest = divmod(number, SIZE_UNITS[unit])
        if whole and not rest:
            return f"{whole}{unit}"
    return f"{number}B"


def outlooks(
    inventories: Iterable[Inventory], actions: Sequence[Action], seen: Census
) -> tuple[Outlook, ...]:
    """Every datastore that an action is on, as the actions to be applied leave it."""
    named = {(action.endpoint, store) for action in actions for store in action.datastore_ids}
    found = (
        Outlook(
            endpoint=inventory.endpoint,
            id=store.id,
            name=store.name,
            snapshots=seen.on_datastore[inventory.endpoint, store.id],
            capacity_bytes=store.capacity_bytes,
            free_bytes=store.free_bytes,
            least_free_bytes=None,
            free_after_bytes=None,
        )
        for inventory in inventories
        for store in inventory.datastores
        if (inventory.endpoint, store.id) in named
    )
    return tuple(renewed(outlook, actions) for outlook in found)


def renewed(outlook: Outlook, actions: Sequence[Action]) -> Outlook:
    """The outlook for these actions. The worst moment is that of the largest merge.

    One merge runs at a time on a datastore. What comes back is counted where all of an action is on
    one datastore: over several nobody can divide it.
    """
    on_it = [
        action
        for action in actions
        if action.decision is Decision.APPLY
        and action.endpoint == outlook.endpoint
        and outlook.id in action.datastore_ids
    ]
    free = outlook.free_bytes
    needs = max((action.needs_bytes for action in on_it), default=0)
    return replace(
        outlook,
        least_free_bytes=None if free is None else free - needs,
        free_after_bytes=None if free is None else _after(free, outlook.id, on_it),
    )


def _after(free: int, datastore_id: str, on_it: list[Action]) -> Bytes:
    here = [action for action in on_it if action.datastore_ids == (datastore_id,)]
    least = sum(action.frees_bytes.min for action in here)
    most = [action.frees_bytes.max for action in on_it]
    known = [each for each in most if each is not None]
    is_known = len(known) == len(most)
    return Bytes(min=free + least, max=free + sum(known) if is_known else None)
