"""Deeds: how the actions of enforcement ended since a moment, from the journal and the plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

from snapaudit.enforce.journal import Record
from snapaudit.enforce.sealing import read_plan
from snapaudit.enforce.state import State
from snapaudit.errors import SnapauditError
from snapaudit.model.journal import Entry, Event
from snapaudit.model.plan import Action
from snapaudit.model.weekly import Deed

_OfAction = Callable[[str, str | None], Sequence[Entry]]
_ENDS = frozenset((Event.DONE, Event.FAILED, Event.REFUSED, Event.ALREADY_GONE, Event.UNKNOWN))


def deeds(state: State, journal: Record, since: datetime | None) -> tuple[Deed, ...]:
    """Every end after that moment, the latest first; without a moment every one there is."""

    @cache
    def actions(plan_id: str) -> Mapping[str, Action]:
        return _actions(state, plan_id)

    ended = [
        entry
        for entry in journal.entries
        if (entry.event in _ENDS or entry.event is Event.RESOLVED)
        and (since is None or entry.at > since)
    ]
    found = (
        _deed(entry, actions(entry.plan_id).get(entry.action_id), journal.of_action)
        for entry in reversed(ended)
    )
    return tuple(found)


def _actions(state: State, plan_id: str) -> Mapping[str, Action]:
    """The actions of a plan by their ids; none where it is gone or cannot be read."""
    try:
        plan, _ = read_plan(state, state.plans / f"{plan_id}.json")
    except SnapauditError:
        return {}
    return {action.id: action for action in plan.actions}


def _deed(entry: Entry, action: Action | None, of_action: _OfAction) -> Deed:
    about = dict(_named(of_action(entry.action_id, entry.plan_id)))
    freed = entry.detail.get("freed_bytes")
    reason = str(entry.detail.get("reason") or "")
    if entry.event is Event.RESOLVED:
        reason = f"{entry.detail.get('outcome')}: {reason}".removesuffix(": ")
    return Deed(
        at=entry.at,
        plan_id=entry.plan_id,
        kind=action.kind if action is not None else None,
        endpoint=action.endpoint if action is not None else about.get("endpoint", "unknown"),
        vm_name=action.vm_name if action is not None else about.get("vm_id", "unknown"),
        snapshot_name=(action.snapshot_name if action is not None else about.get("snapshot_id")),
        event=str(entry.event),
        reason=reason,
        freed_bytes=freed if isinstance(freed, int) else None,
    )


def _named(entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """The ids that the intents of an action name, where its plan is gone."""
    for entry in entries:
        for key in ("endpoint", "vm_id", "snapshot_id"):
            if entry.detail.get(key) is not None:
                yield key, str(entry.detail[key])
