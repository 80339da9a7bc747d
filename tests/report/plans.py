"""Plans and runs with sensible defaults, for the tests of their reports."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from snapaudit.model.inventory import CoverageState
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Outcome, RunReport
from snapaudit.model.plan import (
    Action,
    Bytes,
    Decision,
    Excess,
    Expectation,
    ExpectedDisk,
    ExpectedSnapshot,
    Guard,
    Kept,
    Manager,
    Outlook,
    Plan,
    PlannedLimits,
    Refusal,
    SnapshotId,
    VmId,
)
from snapaudit.model.policy import Remedy
from tests.builders import GIB, NOW, ago


def expected(name: str, *, age: str = "9d", **changes: Any) -> ExpectedSnapshot:
    fields: dict[str, Any] = {
        "id": SnapshotId(name),
        "name": name,
        "description": "",
        "kind": "external",
        "created_at": ago(age),
        "identity": None,
        "parent_id": None,
        "child_ids": (),
    }
    return ExpectedSnapshot(**{**fields, **changes})


def deletion(
    vm: str = "web01", name: str = "before-upgrade", *, age: str = "9d", **changes: Any
) -> Action:
    """One snapshot to delete; ``description`` is the snapshot's own."""
    snapshot = expected(name, age=age, description=changes.pop("description", ""))
    expects = Expectation(
        manager_id="manager-1", vm_name=vm, snapshot=snapshot, disks=(), removes=()
    )
    return _action(vm, Remedy.DELETE_SNAPSHOT, SnapshotId(name), expects, changes)


def consolidation(vm: str = "crm01", *paths: str, **changes: Any) -> Action:
    """One machine whose unexplained images are to be merged."""
    gone = (ExpectedDisk(label="vda", paths=paths),) if paths else ()
    expects = Expectation(manager_id="manager-1", vm_name=vm, snapshot=None, disks=(), removes=gone)
    return _action(vm, Remedy.CONSOLIDATE, None, expects, changes)


def _action(
    vm: str, kind: Remedy, name: SnapshotId | None, expects: Expectation, changes: dict[str, Any]
) -> Action:
    fields: dict[str, Any] = {
        "id": f"{vm}-{name}",
        "kind": kind,
        "endpoint": "kvm1",
        "vm_id": VmId(f"id-{vm}"),
        "vm_name": vm,
        "snapshot_id": name,
        "snapshot_name": name,
        "expects": expects,
        "because": ("stale-snapshot: age 9 days, over 7 days",),
        "frees_bytes": Bytes(min=9 * GIB, max=12 * GIB),
        "merges_bytes": 12 * GIB,
        "needs_bytes": 13 * GIB,
        "datastore_id": "pool-1",
        "datastore_ids": ("pool-1",),
        "host_id": "host-1",
        "decision": Decision.APPLY,
    }
    return Action(**{**fields, **changes})


def refusal(vm: str = "files01", name: str | None = "quarter end", **changes: Any) -> Refusal:
    fields: dict[str, Any] = {
        "kind": Remedy.DELETE_SNAPSHOT,
        "endpoint": "kvm1",
        "vm_id": f"id-{vm}",
        "vm_name": vm,
        "snapshot_id": name,
        "snapshot_name": name,
        "guard": Guard.NOT_BUSY,
        "reason": "a backup job runs on the machine",
    }
    return Refusal(**{**fields, **changes})


def keeping(vm: str, name: str, reason: str = "no rule found anything") -> Kept:
    return Kept(
        endpoint="kvm1", vm_id=f"id-{vm}", vm_name=vm, snapshot_id=name, snapshot_name=name,
        reason=reason,
    )  # fmt: skip


def manager(endpoint: str = "kvm1", **changes: Any) -> Manager:
    fields: dict[str, Any] = {
        "endpoint": endpoint,
        "hypervisor": "libvirt",
        "manager_id": "manager-1",
        "state": CoverageState.COMPLETE,
        "reason": None,
        "collected_at": NOW,
        "clock_skew_seconds": 0,
        "lab": "",
        "connection": "",
    }
    return Manager(**{**fields, **changes})


def outlook(name: str = "pool-1", **changes: Any) -> Outlook:
    fields: dict[str, Any] = {
        "endpoint": "kvm1",
        "id": name,
        "name": name,
        "capacity_bytes": 1000 * GIB,
        "free_bytes": 100 * GIB,
        "least_free_bytes": 87 * GIB,
        "free_after_bytes": Bytes(min=109 * GIB, max=112 * GIB),
    }
    return Outlook(**{**fields, **changes})


def limits(**changes: Any) -> PlannedLimits:
    fields: dict[str, Any] = {
        "min_age": "72h",
        "max_actions": 10,
        "max_share": "5%",
        "max_bytes": 500 * GIB,
        "min_free": "10GiB or 5%",
        "window": None,
    }
    return PlannedLimits(**{**fields, **changes})


def excess(limit: str = "max_actions", allowed: int = 10, found: int = 14) -> Excess:
    reason = f"{found} actions in one run; allowed are {allowed}"
    return Excess(limit=limit, allowed=allowed, found=found, reason=reason)


def plan(*actions: Action, **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "id": "20260601-120000-4f1c",
        "planned_at": NOW,
        "expires_at": NOW + timedelta(hours=72),
        "author": "operator",
        "tool_version": "0.4.0",
        "config_digest": "c" * 64,
        "rules_digest": "d" * 64,
        "managers": (manager(),),
        "limits": limits(),
        "actions": actions,
        "refusals": (),
        "kept": (),
        "excess": (),
        "datastores": (outlook(),),
        "digest": "e" * 64,
    }
    return Plan(**{**fields, **changes})


def outcome(action: Action, event: Event = Event.DONE, **changes: Any) -> Outcome:
    fields: dict[str, Any] = {
        "guard": None,
        "reason": "",
        "freed_bytes": 10 * GIB if event is Event.DONE else None,
        "started_at": NOW,
        "finished_at": NOW + timedelta(minutes=5),
        "task_id": None,
    }
    return Outcome(action=action, event=event, **{**fields, **changes})


def run(*outcomes: Outcome, **changes: Any) -> RunReport:
    fields: dict[str, Any] = {
        "run_id": "run-7",
        "plan_id": "20260601-120000-4f1c",
        "started_at": NOW,
        "finished_at": _ended(outcomes),
        "not_started": (),
        "stopped_because": None,
        "settled": (),
        "journal_head": "f" * 64,
    }
    return RunReport(outcomes=outcomes, **{**fields, **changes})


def _ended(outcomes: tuple[Outcome, ...]) -> datetime:
    return max((one.finished_at for one in outcomes), default=NOW)


def example_plan() -> Plan:
    """A plan with something of everything: chains, a skip, refusals, a lab, a lost endpoint."""
    return plan(*_example_actions(), **_example_rest())


def _example_actions() -> tuple[Action, ...]:
    old = (
        "ancient-snapshot: age 91 days, over 90 days",
        "stale-snapshot: age 91 days, over 7 days",
    )
    ssd = {"datastore_id": "ssd", "datastore_ids": ("ssd",)}
    return (
        deletion(
            "erp-db01", "Backup 2026-03-02", age="91d", because=old, merges_bytes=118 * GIB,
            needs_bytes=3 * GIB, frees_bytes=Bytes(min=96 * GIB, max=118 * GIB), **ssd,
        ),
        deletion(
            "erp-db01", "before patch 12.2 [/urgent]", age="20d", merges_bytes=34 * GIB,
            needs_bytes=35 * GIB, frees_bytes=Bytes(min=34 * GIB, max=34 * GIB),
            description="CHG-4711, ask the database team", decision=Decision.SKIP,
            note="the database team still needs it", **ssd,
        ),
        consolidation(
            "crm01", "/hdd-b/crm01-000001.qcow2", merges_bytes=14 * GIB,
            because=("consolidation-needed: consolidation needed: yes",),
        ),
        deletion(
            "build01", "half done", age="12d", endpoint="kvm-lab", merges_bytes=0,
            frees_bytes=Bytes(min=0, max=None), needs_bytes=0, snapshot_id=SnapshotId("8"),
        ),
    )  # fmt: skip


def _example_rest() -> dict[str, Any]:
    unread = "nothing answered at hv1.example.org:5986 within 120 seconds"
    return {
        "managers": (
            manager(),
            manager("kvm-lab", lab="limits may be looser there", clock_skew_seconds=-420),
            manager("hv1", state=CoverageState.MISSING, reason=unread, clock_skew_seconds=None),
        ),
        "refusals": (
            refusal(
                "erp-db01", "test", guard=Guard.MIN_AGE, reason="it is 60 h old; the least is 72 h"
            ),
            refusal(),
            refusal("files02", "quarter end"),
            refusal(
                "golden-win11", "sysprep done", guard=Guard.PROTECTED,
                reason="clone_base: 14 linked clones stand on it",
            ),
        ),
        "kept": tuple(keeping("web02", f"nightly {day}") for day in range(1, 6)),
        "datastores": (
            outlook("ssd-a", id="ssd", free_bytes=42 * GIB, least_free_bytes=39 * GIB,
                    free_after_bytes=Bytes(min=138 * GIB, max=160 * GIB)),
            outlook(capacity_bytes=4000 * GIB, free_bytes=520 * GIB, least_free_bytes=507 * GIB,
                    free_after_bytes=Bytes(min=529 * GIB, max=None)),
            outlook("pool-1", endpoint="kvm-lab", capacity_bytes=None, free_bytes=None,
                    least_free_bytes=None, free_after_bytes=None),
        ),
    }  # fmt: skip


def example_run() -> RunReport:
    """A run with one result of every sort, broken off after the unknown one."""
    erp, skipped, crm, build = _example_actions()
    return run(
        outcome(erp, freed_bytes=101 * GIB, finished_at=NOW + timedelta(minutes=47)),
        outcome(
            deletion("web01", "gone already"), Event.ALREADY_GONE,
            reason="it is not there any more; no call was made",
        ),
        outcome(
            deletion("web02", "renamed"), Event.REFUSED, guard=Guard.UNCHANGED,
            reason="name: was 'renamed', is 'keep this one'",
        ),
        outcome(crm, Event.FAILED, reason="block job vda: no space left on device"),
        outcome(
            build, Event.UNKNOWN, task_id="job-12",
            reason="the connection was lost after the call was made",
        ),
        not_started=(deletion("mail01", "before move"), skipped),
        stopped_because="an outcome is unknown, so nothing further was sent",
        settled=("run run-6: kvm1: web09 / old was found deleted as meant",),
    )  # fmt: skip
