from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from snapaudit.model.inventory import (
    Coverage,
    CoverageState,
    DiskLayer,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    StrayKind,
)
from snapaudit.model.policy import Mode, Remedy, SubjectKind
from snapaudit.rules.loader import builtin_folder
from tests.builders import GIB, ago, datastore, disk, inventory, layer, snapshot, stray, vm
from tests.rules.test_remembered import REMEMBERED
from tests.rules.verdicts import audited, grades, policy

GB = 10**9
VEEAM = "VEEAM BACKUP TEMPORARY SNAPSHOT"
FUTURE = datetime(2030, 1, 1, tzinfo=UTC)


def one(
    name: str = "s", *, age: str = "1h", machine: dict[str, Any] | None = None, **changes: Any
) -> Inventory:
    return inventory(vm("web01", snapshot(name, age=age, **changes), **(machine or {})))


def overlay(size: int | None = GIB, **changes: Any) -> DiskLayer:
    fields: dict[str, Any] = {"role": LayerRole.DELTA, "snapshot_id": "s", "size_bytes": size}
    return layer("/vm/web01.s", **{**fields, **changes})


def phantom(size: int = GIB) -> DiskLayer:
    return overlay(size, role=LayerRole.PHANTOM)


def chain(length: int) -> Inventory:
    return inventory(vm("web01", disks=(disk(*(layer(f"/vm/{n}") for n in range(length))),)))


def store(**changes: Any) -> Inventory:
    return inventory(datastores=(datastore(**changes),))


def holding(delta: DiskLayer, **changes: Any) -> Inventory:
    machine = vm("web01", snapshot("s"), disks=(disk(layer(), delta),))
    return inventory(machine, datastores=(datastore(**changes),))


def snapshots(count: int) -> Inventory:
    return inventory(vm("web01", *(snapshot(f"s{n}", age="1h") for n in range(count))))


def sized(*sizes: int | None, capacity: int | None = 1000 * GIB) -> Inventory:
    shots = (snapshot(f"s{n}", size_bytes=size) for n, size in enumerate(sizes))
    return inventory(vm("web01", *shots, disks=(disk(capacity_bytes=capacity),)))


def memory(age: str, saved: bool | None) -> Inventory:
    return one(age=age, has_memory=saved)


def powered(state: PowerState, age: str) -> Inventory:
    return one(age=age, machine={"power_state": state})


def backup(age: str, busy: bool | None, **changes: Any) -> Inventory:
    return one(VEEAM, age=age, machine={"busy": busy}, **changes)


CASES: list[tuple[str, Inventory, list[str]]] = [
    ("stale-snapshot", one(age="3d"), []),
    ("stale-snapshot", one(age="3d1s"), ["warning"]),
    ("stale-snapshot", one(age="7d1s"), ["critical"]),
    ("stale-snapshot", one(created_at=None), ["unknown"]),
    ("stale-snapshot", one(created_at=FUTURE), ["unknown"]),
    ("stale-snapshot", one(created_at=datetime(1999, 12, 31, tzinfo=UTC)), ["unknown"]),
    ("stale-snapshot", one(age="25h", machine={"tags": ("prod",)}), ["warning"]),
    ("stale-snapshot", one(age="73h", machine={"tags": ("prod",)}), ["critical"]),
    ("stale-snapshot", one(VEEAM, age="90d"), []),
    ("stale-snapshot", one("backup of the disks", age="8d"), ["critical"]),
    ("stale-snapshot", one(age="8d", protections=("held: x",)), ["critical"]),
    ("ancient-snapshot", one(age="30d"), []),
    ("ancient-snapshot", one(age="31d"), ["warning"]),
    ("ancient-snapshot", one(age="91d"), ["critical"]),
    ("ancient-snapshot", one("__replicate_100-0_1700000000__", age="91d"), []),
    ("oversized-snapshot", sized(10 * GB, 10 * GB), []),
    ("oversized-snapshot", sized(10 * GB, 10 * GB + 1), ["warning"]),
    ("oversized-snapshot", sized(40 * GB + 1), ["critical"]),
    ("oversized-snapshot", sized(11 * GIB, capacity=40 * GIB), ["warning"]),
    ("oversized-snapshot", sized(None, 1), ["unknown"]),
    ("oversized-snapshot", sized(None, 41 * GB), ["critical"]),
    ("oversized-snapshot", sized(None, 21 * GB), ["warning", "unknown"]),
    ("oversized-snapshot", sized(capacity=None), []),
    ("oversized-snapshot", sized(1, capacity=None), ["unknown"]),
    ("too-many-snapshots", snapshots(3), []),
    ("too-many-snapshots", snapshots(4), ["warning"]),
    ("too-many-snapshots", snapshots(6), ["critical"]),
    ("long-chain", chain(15), []),
    ("long-chain", chain(16), ["warning"]),
    ("long-chain", chain(24), ["critical"]),
    ("memory-snapshot", memory("25h", saved=True), ["warning"]),
    ("memory-snapshot", memory("73h", saved=True), ["critical"]),
    ("memory-snapshot", memory("23h", saved=True), []),
    ("memory-snapshot", memory("73h", saved=False), []),
    ("memory-snapshot", memory("73h", saved=None), ["unknown"]),
    ("memory-snapshot", memory("1h", saved=None), []),
    ("snapshot-of-powered-off-vm", powered(PowerState.OFF, "31d"), ["warning"]),
    ("snapshot-of-powered-off-vm", powered(PowerState.OFF, "29d"), []),
    ("snapshot-of-powered-off-vm", powered(PowerState.ON, "31d"), []),
    ("snapshot-of-powered-off-vm", powered(PowerState.UNKNOWN, "31d"), ["unknown"]),
    ("consolidation-needed", one(machine={"consolidation_needed": True}), ["critical"]),
    ("consolidation-needed", one(machine={"consolidation_needed": False}), []),
    ("consolidation-needed", one(machine={"consolidation_needed": None}), ["unknown"]),
    ("phantom-delta", holding(phantom()), ["critical"]),
    ("phantom-delta", holding(overlay()), []),
    ("orphan-disk", inventory(strays=(stray(kind=StrayKind.MEMORY),)), ["warning"]),
    ("orphan-disk", holding(phantom()), []),
    ("leftover-backup-snapshot", backup("25h", busy=False), ["warning"]),
    ("leftover-backup-snapshot", backup("73h", busy=False), ["critical"]),
    ("leftover-backup-snapshot", backup("23h", busy=False), []),
    ("leftover-backup-snapshot", backup("73h", busy=True), []),
    ("leftover-backup-snapshot", backup("73h", busy=None), ["unknown"]),
    ("leftover-backup-snapshot", one("my backup", age="73h"), []),
    ("anonymous-snapshot", one(), ["warning"]),
    ("anonymous-snapshot", one(description="for the release"), []),
    ("anonymous-snapshot", one(creator="ops"), []),
    ("anonymous-snapshot", one("OPS-421"), []),
    ("anonymous-snapshot", one("before CHG0012345"), []),
    ("anonymous-snapshot", one(VEEAM), []),
    ("makeshift-backup", one("Sicherung, nicht löschen", age="31d"), ["warning"]),
    ("makeshift-backup", one("Sicherung", age="31d"), []),
    ("makeshift-backup", one("backup", age="31d", description="keep"), ["warning"]),
    ("makeshift-backup", one("Sicherung, nicht löschen", created_at=None), []),
    ("expired-snapshot", one(description="keep until 2026-05-30"), ["warning"]),
    ("expired-snapshot", one("aufheben bis 20.05.2026"), ["critical"]),
    ("expired-snapshot", one(description="keep until 2026-06-01"), []),
    ("expired-snapshot", one(description="taken 2026-05-01"), []),
    ("expired-snapshot", one(description="keep until 2026-02-31"), ["unknown"]),
    ("clock-suspect", one(created_at=FUTURE), ["warning"]),
    ("clock-suspect", one(created_at=datetime(1970, 1, 1, tzinfo=UTC)), ["warning"]),
    ("clock-suspect", one(created_at=None), []),
    ("clock-suspect", inventory(vm("a", snapshot()), clock_skew_seconds=-301.0), ["warning"]),
    ("clock-suspect", inventory(vm("a", snapshot()), clock_skew_seconds=299.0), []),
    ("clock-suspect", inventory(vm("a", snapshot()), clock_skew_seconds=None), []),
    ("datastore-near-full", store(free_bytes=150 * GIB), []),
    ("datastore-near-full", store(free_bytes=149 * GIB), ["warning"]),
    ("datastore-near-full", store(free_bytes=49 * GIB), ["critical"]),
    ("datastore-near-full", store(free_bytes=None), ["unknown"]),
    ("datastore-near-full", store(capacity_bytes=0), ["unknown"]),
    ("datastore-overcommitted", store(provisioned_bytes=1500 * GIB), []),
    ("datastore-overcommitted", store(provisioned_bytes=1501 * GIB), ["warning"]),
    ("datastore-overcommitted", store(provisioned_bytes=2001 * GIB), ["critical"]),
    ("datastore-overcommitted", store(provisioned_bytes=None), ["unknown"]),
    ("datastore-held-by-snapshots", holding(overlay(100 * GIB)), []),
    ("datastore-held-by-snapshots", holding(overlay(101 * GIB)), ["warning"]),
    ("datastore-held-by-snapshots", holding(phantom(251 * GIB)), ["critical"]),
    ("datastore-held-by-snapshots", holding(overlay(None)), ["unknown"]),
    ("datastore-held-by-snapshots", one(size_bytes=101 * GIB), ["warning"]),
    ("no-room-to-merge", holding(overlay(20 * GIB), free_bytes=69 * GIB), ["critical"]),
    ("no-room-to-merge", holding(overlay(20 * GIB), free_bytes=70 * GIB), []),
    ("no-room-to-merge", holding(overlay(None), free_bytes=49 * GIB), ["critical"]),
    ("no-room-to-merge", holding(overlay(None), free_bytes=70 * GIB), ["unknown"]),
    ("no-room-to-merge", store(free_bytes=1), []),
    ("no-room-to-merge", one(size_bytes=900 * GIB), []),
    ("endpoint-incomplete", inventory(coverage=Coverage(state=CoverageState.PARTIAL)), ["warning"]),
    ("endpoint-incomplete", inventory(coverage=Coverage(state=CoverageState.MISSING)), ["warning"]),
    ("endpoint-incomplete", inventory(), []),
    ("broken-chain", holding(overlay(exists=False)), ["critical"]),
    ("broken-chain", holding(overlay(exists=None)), ["unknown"]),
    ("broken-chain", holding(overlay()), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "inventory_", "expected"), CASES, ids=lambda value: str(value)[:40]
)
def test_rule_of_the_pack_fires_at_its_level_and_not_below(
    rule: str, inventory_: Inventory, expected: list[str]
) -> None:
    assert grades(rule, inventory_) == expected


def test_every_rule_of_the_pack_has_a_case_that_fires() -> None:
    fired = {rule for rule, _, expected in CASES if set(expected) & {"warning", "critical"}}
    # What fires about exemptions is in test_exemptions.py, what needs earlier runs in
    # test_remembered.py: an inventory holds none.
    rest = {rule.id for rule in policy().rules if rule.subject is not SubjectKind.EXEMPTION}
    assert fired == rest - {rule for rule, *_ in REMEMBERED}
    assert len(list(builtin_folder().iterdir())) == len(policy().rules)


def test_only_rules_with_a_remedy_can_enter_a_plan() -> None:
    applied = {rule.id: rule.remedy for rule in policy().rules if rule.mode is Mode.APPLY}
    deletes = ("stale-snapshot", "ancient-snapshot", "expired-snapshot", "makeshift-backup")
    assert applied == {
        **dict.fromkeys(deletes, Remedy.DELETE_SNAPSHOT),
        "consolidation-needed": Remedy.CONSOLIDATE,
    }


def test_grd_14_pack_deletes_snapshots_with_memory_only_when_ancient_or_expired() -> None:
    meant = {rule.id for rule in policy().rules if rule.with_memory}
    assert meant == {"ancient-snapshot", "expired-snapshot"}


def test_young_named_described_snapshot_gives_no_finding_at_all() -> None:
    shot = snapshot("before-upgrade", age="1h", description="asked for by the web team")
    result = audited(inventory(vm("web01", shot)))
    assert (result.findings, result.undetermined) == ((), ())


def test_phantom_is_a_file_that_names_its_machine() -> None:
    result = audited(holding(phantom()))
    (finding,) = [found for found in result.findings if found.rule == "phantom-delta"]
    subject = finding.subject
    assert (subject.kind, subject.id, subject.vm_name) == ("file", "/vm/web01.s", "web01")


def test_replica_by_the_platforms_own_type_is_proof_enough() -> None:
    shot: Snapshot = snapshot("x", age="90d", kind="replica")
    result = audited(inventory(vm("a", shot), hypervisor="hyperv"))
    assert not {found.rule for found in result.findings} & {"stale-snapshot", "ancient-snapshot"}
    elsewhere = audited(inventory(vm("a", shot), hypervisor="xen"))
    assert "stale-snapshot" in {found.rule for found in elsewhere.findings}


def test_age_is_taken_by_the_endpoints_clock() -> None:
    late = inventory(vm("a", snapshot(created_at=ago("3d"))), clock_skew_seconds=120.0)
    assert grades("stale-snapshot", late) == ["warning"]
