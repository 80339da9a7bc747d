"""Plans and journal entries with sensible defaults, for tests about files."""

from __future__ import annotations

from typing import Any

from snapaudit.model.inventory import CoverageState
from snapaudit.model.journal import Draft, Event
from snapaudit.model.plan import (
    Action,
    Bytes,
    Decision,
    Expectation,
    ExpectedDisk,
    ExpectedSnapshot,
    Kept,
    Manager,
    Plan,
    PlannedLimits,
    SnapshotId,
    VmId,
)
from snapaudit.model.policy import Remedy
from snapaudit.model.units import parse_duration
from tests.builders import GIB, NOW, ago


def draft(event: Event = Event.INTENT, action_id: str = "a1", **changes: Any) -> Draft:
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "plan_id": "plan-1",
        "event": event,
        "action_id": action_id,
        "detail": {"call": "delete", "endpoint": "kvm1", "vm_id": f"id-{action_id}"}
        if event is Event.INTENT
        else {},
    }
    return Draft(**{**fields, **changes})


def resolved(outcome: str, action_id: str = "a1", **changes: Any) -> Draft:
    return draft(Event.RESOLVED, action_id, detail={"outcome": outcome}, **changes)


def expectation() -> Expectation:
    return Expectation(
        manager_id="manager-1",
        vm_name="web01",
        snapshot=ExpectedSnapshot(
            id=SnapshotId("before-upgrade"),
            name="before-upgrade",
            description="",
            kind="internal",
            created_at=ago("9d"),
            identity="f00",
            parent_id=None,
            child_ids=(),
        ),
        disks=(ExpectedDisk(label="vda", paths=("/vm/web01.qcow2",)),),
        removes=(),
    )


def action(action_id: str = "a1", **changes: Any) -> Action:
    fields: dict[str, Any] = {
        "id": action_id,
        "kind": Remedy.DELETE_SNAPSHOT,
        "endpoint": "kvm1",
        "vm_id": VmId("id-web01"),
        "vm_name": "web01",
        "snapshot_id": SnapshotId("before-upgrade"),
        "snapshot_name": "before-upgrade",
        "expects": expectation(),
        "because": ("stale-snapshot: age 9d over 3d",),
        "frees_bytes": Bytes(min=0, max=GIB),
        "merges_bytes": GIB,
        "needs_bytes": GIB,
        "datastore_id": "pool-1",
        "datastore_ids": ("pool-1",),
        "host_id": "host-1",
        "decision": Decision.APPLY,
    }
    return Action(**{**fields, **changes})


def plan(*actions: Action, **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "id": "plan-1",
        "planned_at": NOW,
        "expires_at": NOW + parse_duration("3d"),
        "author": "ada",
        "tool_version": "1.0",
        "config_digest": "c" * 8,
        "rules_digest": "d" * 8,
        "managers": (
            Manager(
                endpoint="kvm1",
                hypervisor="libvirt",
                manager_id="manager-1",
                state=CoverageState.COMPLETE,
                reason=None,
                collected_at=NOW,
                clock_skew_seconds=-1,
                lab="no",
                connection="verified",
            ),
        ),
        "limits": PlannedLimits(
            min_age="72h",
            max_actions=10,
            max_share="5%",
            max_bytes=GIB,
            min_free="10GiB",
            window=None,
        ),
        "actions": actions or (action(),),
        "refusals": (),
        "kept": (
            Kept(
                endpoint="kvm1",
                vm_id="id-db01",
                vm_name="db01",
                snapshot_id="s",
                snapshot_name="s",
                reason="no rule asks for it",
            ),
        ),
        "excess": (),
        "datastores": (),
    }
    return Plan(**{**fields, **changes})
