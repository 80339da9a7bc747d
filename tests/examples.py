"""The gallery: an audit of a small fleet in every format, a plan, a run; also the golden files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from snapaudit.app.checking import Wanted, check
from snapaudit.app.mailing import preview
from snapaudit.app.weekly.letters import mailing
from snapaudit.app.weekly.staging import demo
from snapaudit.config.settings import Mail
from snapaudit.model.budget import Allowance, BudgetKind
from snapaudit.model.check import Checked, Status
from snapaudit.model.exemption import Exemption
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import (
    ByteRange,
    Coverage,
    CoverageState,
    Datastore,
    Gap,
    Inventory,
    LayerRole,
    PowerState,
    Snapshot,
    VirtualMachine,
)
from snapaudit.model.weekly import WeeklyReport
from snapaudit.report.check.formats import render_check
from snapaudit.report.formats import render_audit, render_plan, render_run, render_weekly
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import (
    GIB,
    NOW,
    datastore,
    disk,
    gain,
    inventory,
    layer,
    snapshot,
    stray,
    vm,
)
from tests.exempting import exemption
from tests.report.plans import example_plan, example_run

FOLDER = Path(__file__).parent.parent / "reports" / "examples"
FILES = {
    "audit.txt": "table",
    "audit.json": "json",
    "audit.md": "markdown",
    "audit.csv": "csv",
    "audit.html": "html",
    "audit.xlsx": "xlsx",
}

WEEKLY_FILES = {
    "weekly.txt": "table",
    "weekly.json": "json",
    "weekly.md": "markdown",
    "weekly.csv": "csv",
    "weekly.html": "html",
    "weekly.xlsx": "xlsx",
}
MONDAY = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)


def _sized(name: str, age: str, size: float, *, low: float | None = None, **more: Any) -> Snapshot:
    """A snapshot of so many GiB that gives back between ``low`` and all of them."""
    high = int(size * GIB)
    back = gain(high if low is None else int(low * GIB), high, "measured on the datastore")
    fields = {"size_bytes": high, "pinned_bytes": high, "reclaimable_bytes": back}
    return snapshot(name, age=age, **{"creator": "operations", **fields, **more})


def _chained(name: str, store: str, *snapshots: Snapshot, **more: Any) -> VirtualMachine:
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
        _chained("web02", "ssd-a", _sized("snapshot 1", "2h", 0.4, kind="external", creator=None)),
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


def _stores() -> tuple[Datastore, ...]:
    ssd = {"capacity_bytes": 1000 * GIB, "free_bytes": 32 * GIB, "provisioned_bytes": 1400 * GIB}
    hdd = {"capacity_bytes": 4000 * GIB, "free_bytes": 520 * GIB, "provisioned_bytes": 4200 * GIB}
    iso = {"capacity_bytes": 200 * GIB, "free_bytes": 150 * GIB, "provisioned_bytes": 50 * GIB}
    stale = "the pool was last refreshed 3 days ago"
    return (
        datastore("ssd-a", path="/ssd-a", **ssd),
        datastore("hdd-b", path="/hdd-b", stale_reason=stale, **hdd),
        datastore("iso", path="/iso", **iso),
    )


def _main() -> Inventory:
    return inventory(
        *_main_machines(),
        datastores=_stores(),
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


def example_audit() -> Audit:
    """What the built-in rules say about the fleet."""
    policy = load_policy((), disable={}, levels={}, environments=())
    return audit(inventories(), replace(policy, exemptions=_exemptions()), NOW)


def _exemptions() -> tuple[Exemption, ...]:
    """One that is in use and ends soon, one that has ended, one whose machine is gone."""
    reason = "the auditors compare it with the closed books"
    ended = "image of the old Windows, until the new one is rolled out"
    return (
        exemption(
            "EX-12",
            rules=["stale-snapshot", "ancient-snapshot"],
            owner="finance-it",
            created="2026-05-01",
            expires="2026-06-10",
            reason=reason,
            ticket="CHG-4802",
            vm="files01",
            snapshot="quarter *",
        ),
        exemption(
            "EX-7",
            rules=["ancient-snapshot"],
            owner="desktop-team",
            created="2026-01-15",
            expires="2026-05-15",
            reason=ended,
            ticket=None,
            vm="golden-win11",
        ),
        exemption(
            "EX-9",
            rules=["phantom-delta"],
            owner="",
            created="2026-04-01",
            expires="2026-08-01",
            reason="known to the vendor, fixed in the next release",
            ticket="CASE-1187",
            endpoint="kvm1",
            vm="crm02",
        ),
    )


@cache
def example_week() -> WeeklyReport:
    """The week of the made-up company, as `report --demo` tells it on a Monday."""
    policy = load_policy((), disable={}, levels={}, environments=())
    return demo(MONDAY, policy)


def example_mail() -> bytes:
    """The mail about that week, without the page that it carries as a file."""
    server = Mail(smtp="smtps://mail", sender="snapaudit@example.org", to=("team@example.org",))
    [letter] = mailing(example_week(), replace(server, attach=False)).letters
    return preview(letter, server.sender, MONDAY)


CHECK_FILES = {
    "check.txt": "text",
    "check.nagios.txt": "nagios",
    "check.checkmk.txt": "checkmk",
    "check.json": "json",
    "check.junit.xml": "junit",
    "check.sarif": "sarif",
    "check.gitlab.json": "gitlab",
    "check.github.txt": "github",
    "check.prom": "prometheus",
    "check.openmetrics.txt": "openmetrics",
    "check.tap": "tap",
}


def example_check() -> Checked:
    """The verdict on the fleet, held against two limits."""
    policy = load_policy((), disable={}, levels={}, environments=())
    stale = Allowance(kind=BudgetKind.STALE, limit=5, beyond=Status.WARNING)
    coverage = Allowance(kind=BudgetKind.COVERAGE, limit=0.5, beyond=Status.UNKNOWN)
    return check(example_audit(), policy, Wanted(allowances=(stale, coverage)))


def enforcement() -> dict[str, bytes]:
    """The files of the gallery that tell of a plan and of what became of it."""
    return {
        "plan.txt": render_plan(example_plan(), "table"),
        "plan.json": render_plan(example_plan(), "json"),
        "run.txt": render_run(example_run(), "table"),
        "run.json": render_run(example_run(), "json"),
    }


def main() -> None:
    """Write the gallery anew; the difference is reviewed like code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, name in FILES.items():
        (FOLDER / file).write_bytes(render_audit(example_audit(), name))
    for file, name in WEEKLY_FILES.items():
        (FOLDER / file).write_bytes(render_weekly(example_week(), name))
    (FOLDER / "weekly.eml").write_bytes(example_mail())
    for file, name in CHECK_FILES.items():
        (FOLDER / file).write_bytes(render_check(example_check(), name))
    for file, body in enforcement().items():
        (FOLDER / file).write_bytes(body)


if __name__ == "__main__":
    main()
