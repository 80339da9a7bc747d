"""The demo company's servers: mostly in order, with the usual accidents.

Pools of the test driver are always 100 GiB, so a pool's fill level is the sum of what is used.
"""

from __future__ import annotations

from snapaudit.demo.blueprint import Disk, Machine, Overlay, Snap, days, hours

_WEB = (
    Machine(
        name="web01",
        title="Shop front end",
        disks=(Disk(pool="ssd-a", size_gib=16, used_gib=6),),
        snaps=(
            Snap(
                name="nginx-update",
                age=hours(5),
                note="CHG-20417: before the nginx update, remove after the smoke test",
                writes_gib=0.4,
            ),
        ),
    ),
    Machine(
        name="web02",
        title="Company web site",
        disks=(Disk(pool="ssd-a", size_gib=12, used_gib=5),),
        # Without a name libvirt takes the Unix time as the name.
        snaps=(Snap(name="{seconds}", age=hours(53), writes_gib=1.2),),
    ),
    Machine(
        name="proxy01",
        title="Reverse proxy",
        disks=(Disk(pool="ssd-a", size_gib=8, used_gib=2),),
    ),
    Machine(
        name="dns01",
        title="Name server",
        disks=(Disk(pool="ssd-a", size_gib=4, used_gib=1.5),),
    ),
)

_OFFICE = (
    Machine(
        name="mail01",
        title="Mail",
        disks=(Disk(pool="ssd-a", size_gib=24, used_gib=14),),
        snaps=(
            Snap(
                name="mta-upgrade",
                age=hours(20),
                note="CHG-20422: before the new mail transfer agent. Keep until {keep:%Y-%m-%d}",
                keep=days(2),
                writes_gib=1.1,
            ),
        ),
    ),
    Machine(
        name="print01",
        title="Print server",
        disks=(Disk(pool="san-1", size_gib=10, used_gib=9.5),),
    ),
    Machine(
        name="wiki01",
        title="Wiki",
        disks=(Disk(pool="build", size_gib=8, used_gib=4),),
        snaps=(
            Snap(
                name="php-upgrade",
                age=days(26),
                note="WIKI-140: before the PHP upgrade. Keep until {keep:%Y-%m-%d}",
                keep=days(-12),
                writes_gib=1.4,
            ),
            # Lives inside the overlay of the one before, so merging that would lose it.
            Snap(name="theme-trial", age=hours(5), note="WIKI-163: before the new theme"),
        ),
    ),
    Machine(
        name="hr01",
        title="Personnel files",
        disks=(Disk(pool="build", size_gib=10, used_gib=5),),
        snaps=(
            Snap(
                name="vor-umzug",
                age=days(2.8),
                note="HR-52: vor dem Umzug der Akten, aufbewahren bis {keep:%d.%m.%Y}",
                keep=days(-2),
            ),
        ),
    ),
    Machine(
        name="chat01",
        title="Team chat",
        disks=(
            Disk(
                pool="build",
                size_gib=10,
                used_gib=4,
                unregistered=(Overlay("chat01-vda-tempsnap.qcow2", 2.2),),
            ),
        ),
    ),
)

_BUSINESS = (
    Machine(
        name="db01",
        title="Shop database",
        disks=(
            Disk(pool="ssd-b", size_gib=16, used_gib=9),
            Disk(pool="ssd-b", size_gib=45, used_gib=38, target="vdb"),
        ),
    ),
    Machine(
        name="db02",
        title="Reporting database",
        disks=(Disk(pool="ssd-b", size_gib=50, used_gib=45),),
        snaps=(
            Snap(name="schema-v7", age=days(6), note="DBA-311: before the change to schema v7"),
        ),
    ),
    Machine(
        name="erp01",
        title="ERP application",
        disks=(Disk(pool="san-1", size_gib=40, used_gib=38),),
        snaps=(
            Snap(
                name="release-24.2",
                age=days(45),
                note="ERP-88: before release 24.2",
                writes_gib=14,
            ),
        ),
    ),
    Machine(
        name="erp-db",
        title="ERP database",
        disks=(Disk(pool="san-1", size_gib=30, used_gib=29),),
        snaps=(
            Snap(
                name="before-index-rebuild",
                age=days(9),
                note="ERP-91: before all indexes are built again",
                writes_gib=6.5,
            ),
        ),
    ),
    Machine(
        name="file01",
        title="File server",
        disks=(
            Disk(pool="files", size_gib=12, used_gib=6),
            Disk(pool="files", size_gib=44, used_gib=24, target="vdb"),
        ),
        snaps=(
            Snap(
                name="quarter-end",
                age=days(120),
                note="State at the end of the quarter, ask finance",
                targets=("vdb",),
                writes_gib=25,
            ),
            Snap(
                name="before-share-move",
                age=days(33),
                note="FS-17: before the shares move",
                targets=("vdb",),
                writes_gib=22,
            ),
        ),
    ),
)

PRODUCTION = (*_WEB, *_OFFICE, *_BUSINESS)
