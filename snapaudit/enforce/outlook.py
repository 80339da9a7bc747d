"""What a plan says about its surroundings: managers, limits, and datastores before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from snapaudit.model.inventory import Datastore, Inventory
from snapaudit.model.limits import GIB, Limits, Reserve
from snapaudit.model.plan import Action, Bytes, Decision, Manager, Outlook, PlannedLimits
from snapaudit.model.units import format_iso_duration


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
    gib, rest = divmod(reserve.bytes, GIB)
    size = f"{reserve.bytes}B" if rest else f"{gib}GiB"
    parts = [size] if reserve.bytes else []
    parts += [_percent(reserve.ratio)] if reserve.ratio else []
    return " or ".join(parts) or "0B"


def outlooks(inventories: Iterable[Inventory], actions: Sequence[Action]) -> tuple[Outlook, ...]:
    """Every datastore that an action to be applied is on."""
    meant = [action for action in actions if action.decision is Decision.APPLY]
    return tuple(_outlooks(inventories, meant))


def _outlooks(inventories: Iterable[Inventory], meant: list[Action]) -> Iterator[Outlook]:
    for inventory in inventories:
        for store in inventory.datastores:
            on_it = [
                action
                for action in meant
                if action.endpoint == inventory.endpoint and store.id in action.datastore_ids
            ]
            if on_it:
                yield _outlook(inventory.endpoint, store, on_it)


def _outlook(endpoint: str, store: Datastore, on_it: list[Action]) -> Outlook:
    """The worst moment is that of the largest merge: one runs at a time on a datastore.

    What comes back counts on an action's first datastore; over several nobody can divide it.
    """
    free = store.free_bytes
    needs = max(action.needs_bytes for action in on_it)
    return Outlook(
        endpoint=endpoint,
        id=store.id,
        name=store.name,
        capacity_bytes=store.capacity_bytes,
        free_bytes=free,
        least_free_bytes=None if free is None else free - needs,
        free_after_bytes=None if free is None else _after(free, store, on_it),
    )


def _after(free: int, store: Datastore, on_it: list[Action]) -> Bytes:
    here = [action for action in on_it if action.datastore_ids == (store.id,)]
    least = sum(action.frees_bytes.min for action in here)
    most = [action.frees_bytes.max for action in on_it]
    known = [each for each in most if each is not None]
    is_known = len(known) == len(most)
    return Bytes(min=free + least, max=free + sum(known) if is_known else None)
