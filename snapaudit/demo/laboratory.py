"""The laboratory and the attic: long chains, odd trees, wrong clocks, hostile names, old files."""

from __future__ import annotations

from snapaudit.demo.blueprint import (
    Disk,
    Image,
    Machine,
    Power,
    Snap,
    days,
    hours,
    in_pool,
    series,
)

_LAB = (
    Machine(
        name="router-lab",
        title="Router image under test",
        disks=(Disk(pool="lab", size_gib=1, used_gib=0.4),),
        snaps=series(
            "auto-{taken:%Y%m%d-%H%M}",
            "state kept every two hours",
            count=24,
            every=hours(2),
            newest=hours(3),
            writes_gib=0.008,
        ),
    ),
    Machine(
        name="switch-lab",
        title="Switch image, this week's course",
        power=Power.OFF,
        records_chain=False,
        disks=(Disk(pool="lab", size_gib=1, used_gib=0.3),),
        snaps=series(
            "step-{taken:%m%d-%H%M}",
            "exercise of the course",
            count=16,
            every=hours(2),
            newest=hours(20),
            writes_gib=0.005,
        ),
    ),
    Machine(
        name="cluster-lab",
        title="Cluster node, tried in branches",
        disks=(Disk(pool="lab", size_gib=12, used_gib=6),),
        snaps=(
            Snap(name="installed", age=days(50), note="LAB-3: fresh installation"),
            Snap(name="network-a", age=days(20), note="LAB-3: first network plug-in"),
            Snap(
                name="network-b",
                age=days(19),
                note="LAB-3: second network plug-in",
                after="installed",
            ),
            Snap(name="storage", age=hours(26), note="LAB-3: with storage", writes_gib=2.4),
        ),
    ),
    Machine(
        name="shop-test",
        title="Shop, test",
        disks=(Disk(pool="lab", size_gib=12, used_gib=9),),
        snaps=series(
            "sprint-{taken:%Y-%m-%d}", "before the sprint", count=8, every=days(14), newest=days(1)
        ),
    ),
    Machine(
        name="erp-test",
        title="ERP, test",
        disks=(Disk(pool="lab", size_gib=16, used_gib=9),),
        snaps=(
            Snap(name="running-demo", age=days(9), note="ERP-70: demo in progress", ram_gib=4),
            Snap(name="customer-visit", age=hours(40), note="ERP-71: for the visit", ram_gib=4),
        ),
    ),
    Machine(
        name="batch-lab",
        title="Batch run, halted",
        power=Power.PAUSED,
        disks=(Disk(pool="lab", size_gib=12, used_gib=5),),
        snaps=(
            Snap(
                name="halted-run",
                age=days(4),
                note="BAT-12: state of the halted run",
                writes_gib=0.8,
                ram_gib=2,
            ),
        ),
    ),
)

_ODD = (
    Machine(
        name="time-lab",
        title="Time server, clock ahead",
        disks=(Disk(pool="lab", size_gib=4, used_gib=2),),
        snaps=(
            Snap(name="clock-ahead", age=days(-3), note="NTP-4: taken while the clock was wrong"),
        ),
    ),
    Machine(
        name="control-lab",
        title="Plant control, flat battery",
        disks=(Disk(pool="lab", size_gib=4, used_gib=2),),
        snaps=(
            Snap(name="no-clock", age=days(0), note="CTL-1: board without clock", unix_seconds=0),
            Snap(name="flat-battery", age=days(0), note="CTL-2: battery flat", unix_seconds=86400),
        ),
    ),
    Machine(
        name="[bold]kiosk",
        title="Kiosk [/bold]",
        disks=(Disk(pool="lab", size_gib=4, used_gib=2),),
        snaps=(
            Snap(name="[/bold]", age=days(8), note="KSK-1: <b>markup</b> | 'quoted' ]]>"),
            Snap(name="=1+1", age=days(4), note="@SUM(1;1)"),
        ),
    ),
    Machine(
        name="signage-lab",
        title="Screens in the hall",
        disks=(Disk(pool="lab", size_gib=4, used_gib=2),),
        snaps=(
            Snap(name="screen\u200f-stable", age=days(9), note="SGN-2: with a direction mark"),
            Snap(
                name="screens of the hall" + ", as they were agreed in the meeting" * 6,
                age=days(5),
                note="SGN-3: a name of a whole sentence",
            ),
        ),
    ),
)

_ATTIC = (
    Machine(
        name="old-intranet",
        title="Intranet until last year",
        power=Power.OFF,
        disks=(Disk(pool="archive", size_gib=16, used_gib=9),),
        snaps=(
            Snap(name="last-day", age=days(130), note="INT-90: state of the last day"),
            Snap(
                name="read-only",
                age=days(128),
                note="INT-91: set read-only",
                writes_gib=2.5,
            ),
        ),
    ),
    Machine(
        name="old-crm",
        title="Customer database until last year",
        power=Power.OFF,
        disks=(Disk(pool="archive", size_gib=16, used_gib=11),),
    ),
    Machine(
        name="old-ledger",
        title="Ledger, its base image on a disk that no pool knows",
        power=Power.OFF,
        records_chain=False,
        disks=(
            Disk(
                pool="archive",
                size_gib=12,
                used_gib=3,
                backing="/mnt/old-nas/images/ledger-base.qcow2",
            ),
        ),
        snaps=(Snap(name="closed", age=days(200), note="LED-1: books closed"),),
    ),
    Machine(
        name="scan01",
        title="Scan server, its base image is gone",
        power=Power.OFF,
        records_chain=False,
        disks=(
            Disk(
                pool="archive",
                size_gib=10,
                used_gib=4,
                backing=in_pool("archive", "scan-base.qcow2"),
            ),
        ),
    ),
)

LABORATORY = (*_LAB, *_ODD, *_ATTIC)

SPARES = (
    Image(pool="archive", file="old-crm-clone.qcow2", size_gib=16, used_gib=10.5),
    Image(
        pool="ssd-a",
        file="mail01.pre-migration",
        size_gib=24,
        used_gib=1.6,
        backing=in_pool("ssd-a", "mail01.qcow2"),
    ),
    Image(pool="ram", file="print01-driver-test.ram", size_gib=4, used_gib=4, format="raw"),
    Image(pool="iso", file="debian-installer.iso", size_gib=0.7, used_gib=0.7, format="iso"),
    Image(pool="iso", file="rescue.iso", size_gib=0.9, used_gib=0.9, format="iso"),
)
