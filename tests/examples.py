"""The gallery: one audit of a small fleet in every format, which is also the golden files."""

from __future__ import annotations

from pathlib import Path

from snapaudit.model.finding import Audit, Evidence, Finding, Undetermined
from snapaudit.model.inventory import (
    ByteRange,
    Coverage,
    CoverageState,
    Gap,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    VirtualMachine,
)
from snapaudit.model.policy import Remedy, Severity, SubjectKind
from snapaudit.report.formats import render_audit
from tests.builders import (
    GIB,
    datastore,
    disk,
    gain,
    inventory,
    layer,
    snapshot,
    stray,
    vm,
)
from tests.report.records import (
    aged,
    audit_of,
    finding,
    on,
    on_machine,
    on_snapshot,
    open_question,
    proof,
    purpose,
)

FOLDER = Path(__file__).parent.parent / "reports" / "examples"
FILES = {
    "audit.txt": "table",
    "audit.json": "json",
    "audit.md": "markdown",
    "audit.csv": "csv",
    "audit.html": "html",
    "audit.xlsx": "xlsx",
}
INFO, WARNING, CRITICAL = Severity
DATASTORE, FILE = SubjectKind.DATASTORE, SubjectKind.FILE


def _sized(
    name: str, age: str, size: float, *, low: float | None = None, **more: object
) -> Snapshot:
    """A snapshot of so many GiB that gives back between ``low`` and all of them."""
    high = int(size * GIB)
    back = gain(high if low is None else int(low * GIB), high, "measured on the datastore")
    fields = {"size_bytes": high, "pinned_bytes": high, "reclaimable_bytes": back, **more}
    return snapshot(name, age=age, **fields)


def _chained(name: str, store: str, *snapshots: Snapshot, **more: object) -> VirtualMachine:
    """A machine with one external delta for each of its snapshots."""
    base = layer(f"/{store}/{name}.qcow2", datastore_id=store, size_bytes=60 * GIB)
    deltas = (
        layer(
            f"/{store}/{name}.{number}.qcow2",
            datastore_id=store,
            size_bytes=one.size_bytes,
            role=LayerRole.DELTA,
            snapshot_id=one.id,
        )
        for number, one in enumerate(snapshots, 1)
    )
    disks = (disk(base, *deltas, capacity_bytes=200 * GIB),)
    return vm(name, *snapshots, disks=disks, **more)


def _erp() -> VirtualMachine:
    return _chained(
        "erp-db01",
        "ssd-a",
        _sized("Backup 2026-03-02", "91d", 118.4, low=96.2, kind="external"),
        _sized(
            "Backup 2026-04-06", "56d", 71.9, low=60.0, kind="external",
            parent_id="Backup 2026-03-02",
        ),
        _sized(
            "before patch 12.2 [/urgent]", "20d", 34.1, kind="external",
            parent_id="Backup 2026-04-06",
        ),
        _sized(
            "test", "5d", 6.2, kind="external", parent_id="before patch 12.2 [/urgent]",
            has_memory=True,
        ),
        current_snapshot_id="test",
    )  # fmt: skip


def _main_machines() -> tuple[VirtualMachine, ...]:
    return (
        _erp(),
        _chained(
            "mail01", "ssd-a",
            _sized("VEEAM BACKUP TEMPORARY SNAPSHOT", "6d", 22.7, kind="external"),
        ),
        _chained(
            "web01", "ssd-a",
            _sized("before-upgrade", "9d", 12.4, low=9.1, kind="external", description="CHG-4711"),
            current_snapshot_id="before-upgrade",
        ),
        _chained("web02", "ssd-a", _sized("before-upgrade", "2h", 0.4, kind="external")),
        _chained(
            "golden-win11", "hdd-b",
            _sized(
                "sysprep done", "400d", 18.0, kind="external",
                protections=("clone_base: 14 linked clones stand on it",),
            ),
            is_template=True,
        ),
        _chained(
            "files01", "hdd-b",
            _sized("quarter end", "33d", 240.0, low=180.0, kind="external"),
            busy=True,
        ),
        _phantom(),
        vm("dns01"),
        vm("dns02"),
    )  # fmt: skip


def _phantom() -> VirtualMachine:
    chain = (
        layer("/hdd-b/crm01.qcow2", datastore_id="hdd-b", size_bytes=80 * GIB),
        layer(
            "/hdd-b/crm01-000001.qcow2",
            datastore_id="hdd-b",
            size_bytes=14 * GIB,
            role=LayerRole.PHANTOM,
        ),
    )
    return vm("crm01", disks=(disk(*chain, capacity_bytes=120 * GIB),), consolidation_needed=True)


def _main() -> Inventory:
    return inventory(
        *_main_machines(),
        datastores=(
            datastore("ssd-a", capacity_bytes=1000 * GIB, free_bytes=32 * GIB, path="/ssd-a"),
            datastore(
                "hdd-b", capacity_bytes=4000 * GIB, free_bytes=520 * GIB, path="/hdd-b",
                stale_reason="the pool was last refreshed 3 days ago",
            ),
            datastore("iso", capacity_bytes=200 * GIB, free_bytes=150 * GIB, path="/iso"),
        ),
        strays=(
            stray(
                "/hdd-b/old-erp-db01.qcow2", datastore_id="hdd-b", size_bytes=88 * GIB,
            ),
        ),
        blind_spots=("snapshots that the storage array takes by itself",),
    )  # fmt: skip


def _lab() -> Inventory:
    unknown = ByteRange(min=0, max=None, basis="the size is not known")
    return inventory(
        vm(
            "build01",
            snapshot("clean", age="200d", size_bytes=None, pinned_bytes=None,
                     reclaimable_bytes=unknown),
            snapshot("half done", age="12d", parent_id="clean", size_bytes=3 * GIB,
                     reclaimable_bytes=gain(0, 3 * GIB, "shared clusters are not counted apart")),
            power_state=PowerState.OFF,
        ),
        vm("build02", snapshot("imported", created_at=None)),
        vm("xen-test", snapshot("テスト用バックアップ", age="40d", size_bytes=2 * GIB)),
        endpoint="kvm-lab",
        manager_id="manager-2",
        lab=True,
        datastores=(datastore("pool-1", capacity_bytes=500 * GIB, free_bytes=210 * GIB),),
        coverage=Coverage(state=CoverageState.PARTIAL, reason="1 machine could not be read"),
        gaps=(Gap(subject="virtual machine build03", reason="its disk chain could not be read"),),
    )  # fmt: skip


def _missing() -> Inventory:
    reason = "nothing answered at hv1.example.org:5986 within 120 seconds"
    return inventory(
        endpoint="hv1",
        hypervisor="hyperv",
        manager_id=None,
        hosts=(),
        datastores=(),
        coverage=Coverage(state=CoverageState.MISSING, reason=reason),
    )


def inventories() -> tuple[Inventory, ...]:
    """A production endpoint in trouble, a lab that was seen in part, one that did not answer."""
    return (_main(), _lab(), _missing())


def _snapshot_findings() -> tuple[Finding, ...]:
    erp, apply = "erp-db01", {"remedy": Remedy.DELETE_SNAPSHOT}
    first, second = on_snapshot(erp, "Backup 2026-03-02"), on_snapshot(erp, "Backup 2026-04-06")
    web, golden = (
        on_snapshot("web01", "before-upgrade"),
        on_snapshot("golden-win11", "sysprep done"),
    )
    tests = on_snapshot("xen-test", "テスト用バックアップ", "kvm-lab")
    return (
        finding("ancient-snapshot", CRITICAL, first, aged("91d", "90d"), **apply),
        finding("makeshift-backup", WARNING, first, score(72), **apply),
        finding("stale-snapshot", CRITICAL, first, aged("91d", "3d"), **apply),
        finding("stale-snapshot", CRITICAL, second, aged("56d", "3d"), **apply),
        finding("makeshift-backup", WARNING, second, score(64), **apply),
        finding("stale-snapshot", CRITICAL, web, aged("9d", "7d"), **apply),
        finding("ancient-snapshot", CRITICAL, golden, aged("400d", "90d"), **apply),
        finding("stale-snapshot", WARNING, on_snapshot("erp-db01", "test"), aged("5d", "3d"), **apply),
        finding("memory-snapshot", CRITICAL, on_snapshot("erp-db01", "test"), aged("5d", "3d")),
        finding("leftover-backup-snapshot", CRITICAL,
                on_snapshot("mail01", "VEEAM BACKUP TEMPORARY SNAPSHOT"), aged("6d", "72h")),
        finding("stale-snapshot", WARNING, on_snapshot("files01", "quarter end"), aged("33d", "3d"),
                exemption="kept for the auditors until 2026-06-30 (finance)", **apply),
        finding("stale-snapshot", CRITICAL, tests, aged("40d", "7d"), **apply),
        finding("stale-snapshot", WARNING, on_snapshot("build01", "half done", "kvm-lab"),
                aged("12d", "7d"), **apply),
    )  # fmt: skip


def _other_findings() -> tuple[Finding, ...]:
    ssd, hdd = on(DATASTORE, "ssd-a"), on(DATASTORE, "hdd-b")
    erp, crm = on_machine("erp-db01"), on_machine("crm01")
    return (
        finding("datastore-near-full", CRITICAL, ssd, proof("used_share", 0.968, "over", 0.95)),
        finding("no-room-to-merge", CRITICAL, ssd,
                proof("merge_shortage", int(136.4 * GIB), "over", 0)),
        finding("datastore-near-full", WARNING, hdd, proof("used_share", 0.87, "over", 0.85)),
        finding("oversized-snapshot", CRITICAL, erp,
                proof("snapshots_size", int(230.6 * GIB), "over", 40 * GIB)),
        finding("too-many-snapshots", WARNING, erp, proof("snapshots", 4, "over", 3)),
        finding("consolidation-needed", CRITICAL, crm,
                proof("consolidation_needed", True, "is", True), remedy=Remedy.CONSOLIDATE),
        finding("phantom-delta", CRITICAL, on(FILE, "/hdd-b/crm01-000001.qcow2"),
                proof("role", "phantom", "is", "phantom")),
        finding("orphan-disk", WARNING, on(FILE, "/hdd-b/old-erp-db01.qcow2"),
                proof("role", "volume", "in", ("volume", "overlay"))),
        finding("endpoint-incomplete", WARNING, on(SubjectKind.ENDPOINT, "hv1", "hv1"),
                proof("coverage", "missing", "in", ("missing", "partial", "suspicious"))),
        finding("snapshot-without-note", INFO, on_snapshot("web02", "before-upgrade"),
                proof("has_description", False, "is", False)),
    )  # fmt: skip


def score(points: int) -> Evidence:
    return proof("makeshift_score", points, "at_least", 60)


def _questions() -> tuple[Undetermined, ...]:
    imported = on_snapshot("build02", "imported", "kvm-lab")
    clean = on_snapshot("build01", "clean", "kvm-lab")
    no_time = "the hypervisor does not tell when it was taken"
    return (
        open_question("stale-snapshot", imported, "age", no_time),
        open_question("ancient-snapshot", imported, "age", no_time),
        open_question("oversized-snapshot", clean, "size", "the size of the snapshot is not known"),
    )


def example_audit() -> Audit:
    """What the rules say about the fleet."""
    return audit_of(
        *inventories(),
        findings=_snapshot_findings() + _other_findings(),
        undetermined=_questions(),
        purposes=(
            purpose("erp-db01", "Backup 2026-03-02", "makeshift_backup", 72, "age over 30 days: +25",
                    "the name says backup: +20", "one on the first Monday of each month: +20"),
            purpose("erp-db01", "Backup 2026-04-06", "makeshift_backup", 64, "age over 30 days: +25",
                    "the name says backup: +20"),
            purpose("web01", "before-upgrade", "change_safety", 5, "the name says before"),
            purpose("web02", "before-upgrade", "change_safety", 0, "the name says before"),
        ),
    )  # fmt: skip


def main() -> None:
    """Write the gallery anew; the difference is reviewed like code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, name in FILES.items():
        (FOLDER / file).write_bytes(render_audit(example_audit(), name))


if __name__ == "__main__":
    main()
