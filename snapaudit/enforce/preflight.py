"""Preflight: whether the world is still the one that was planned for (docs/safety.md, GRD-09)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from snapaudit.enforce.identity import Standing, after, compare
from snapaudit.enforce.record import done_before
from snapaudit.errors import RefusedError
from snapaudit.model.inventory import Inventory
from snapaudit.model.journal import Entry
from snapaudit.model.plan import Action

_SHARE, _ALWAYS = 0.1, 3


def refuse_a_changed_world(
    actions: Sequence[Action],
    entries: Sequence[Entry],
    plan_actions: Mapping[str, Action],
    seen: Mapping[str, Inventory],
) -> None:
    """Raise RefusedError when too many targets changed or are gone since the plan was made."""
    changed = [a for a in actions if not _matches(a, entries, plan_actions, seen)]
    most = max(_ALWAYS, math.floor(len(actions) * _SHARE))
    if len(changed) > most:
        named = ", ".join(f"{a.vm_name}/{a.snapshot_name or 'disks'}" for a in changed[:5])
        raise RefusedError(
            f"unchanged: {len(changed)} of {len(actions)} targets changed or are gone since the "
            f"plan was made ({named}); make a new plan with `snapaudit enforce`"
        )


def _matches(
    action: Action,
    entries: Sequence[Entry],
    plan_actions: Mapping[str, Action],
    seen: Mapping[str, Inventory],
) -> bool:
    inventory = seen.get(action.endpoint)
    if inventory is None:
        return False
    expected = after(action.expects, done_before(action, entries, plan_actions))
    return compare(expected, action.vm_id, inventory).standing is Standing.MATCH
