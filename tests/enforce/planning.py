"""From an inventory to a plan, by the built-in pack unless a test changes a rule."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from snapaudit.enforce.planner import Circumstances, plan
from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.inventory import Inventory, LayerRole, Snapshot, VirtualMachine
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Plan
from snapaudit.model.policy import Policy, Remedy, Rule
from snapaudit.rules import engine, loader
from tests.builders import GIB, NOW, disk, inventory, layer, snapshot, vm

ABLE = Abilities(supports=frozenset(Remedy), order=MergeOrder.LEAF_FIRST)


@cache
def pack() -> Policy:
    return loader.load_policy((), disable={}, levels={}, environments=())


def with_rule(rule_id: str, **changes: Any) -> Policy:
    def changed(rule: Rule) -> Rule:
        return replace(rule, **changes) if rule.id == rule_id else rule

    return replace(pack(), rules=tuple(changed(rule) for rule in pack().rules))


def line(name: str, *ages: str, gib: int = 2, **changes: Any) -> VirtualMachine:
    """A machine with a line of external snapshots, oldest first, named s1, s2, ..."""
    shots: list[Snapshot] = []
    layers = [layer(f"/vm/{name}")]
    for number, age in enumerate(ages, 1):
        parent = shots[-1].id if shots else None
        size = gib * GIB
        one = snapshot(f"s{number}", age=age, parent_id=parent, kind="external", size_bytes=size)
        shots.append(one)
        delta = layer(f"/vm/{name}.s{number}", role=LayerRole.DELTA, snapshot_id=one.id)
        layers.append(replace(delta, size_bytes=size))
    return vm(name, *shots, **{"disks": (disk(*layers),), **changes})


def view(*machines: VirtualMachine, **changes: Any) -> Inventory:
    return inventory(*machines, **{"connection_verified": True, **changes})


def planned(*seen: Inventory, policy: Policy | None = None, **around: Any) -> Plan:
    fields: dict[str, Any] = {
        "id": "p1",
        "author": "ada",
        "tool_version": "1",
        "config_digest": "c",
        "rules_digest": "r",
        "limits": Limits(),
        "abilities": {"libvirt": ABLE},
    }
    rules = policy or pack()
    found = engine.audit(seen, rules, NOW)
    return plan(found, rules, Circumstances(**{**fields, **around}), NOW)
