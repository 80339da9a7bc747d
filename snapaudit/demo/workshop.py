"""The demo company's build servers and desktops: backups that left traces, and linked clones."""

from __future__ import annotations

from snapaudit.demo.blueprint import Disk, Machine, Overlay, Power, Snap, days, hours, in_pool

_BUILD = (
    Machine(
        name="git01",
        title="Source code",
        disks=(Disk(pool="build", size_gib=14, used_gib=9),),
        # The name Veeam's knowledge base gives in KB1790.
        snaps=(Snap(name="VEEAM BACKUP TEMPORARY SNAPSHOT", age=days(5), writes_gib=3.1),),
    ),
    Machine(
        name="monitor01",
        title="Monitoring",
        disks=(Disk(pool="build", size_gib=10, used_gib=6),),
        snaps=(Snap(name="NBU_SNAPSHOT 1777766400", age=hours(40), writes_gib=1.8),),
    ),
    Machine(
        name="ci-01",
        title="Build runner 1",
        disks=(Disk(pool="build", size_gib=14, used_gib=7),),
        iso="debian-installer.iso",
    ),
    Machine(
        name="ci-02",
        title="Build runner 2",
        disks=(
            Disk(
                pool="build",
                size_gib=9,
                used_gib=7,
                # Live backup scripts put such overlays on a chain without registering them.
                unregistered=(
                    Overlay("ci-02.bimg-0001", 1.9),
                    Overlay("ci-02.bimg-0002", 2.6),
                ),
            ),
        ),
        snaps=(
            Snap(
                name="compiler-14",
                age=hours(30),
                note="CI-9: before compiler 14",
                writes_gib=0.7,
            ),
        ),
    ),
)

_TEMPLATE = in_pool("vdi", "tmpl-desktop.qcow2")

_DESKTOPS = (
    Machine(
        name="tmpl-desktop",
        title="Template of all desktops",
        power=Power.OFF,
        records_chain=False,
        disks=(Disk(pool="vdi", size_gib=50, used_gib=11),),
        # The clones stand on the image below this snapshot: merging it would change them all.
        snaps=(
            Snap(
                name="office-updates",
                age=days(14),
                note="VDI-8: trial of the office updates in the template",
                writes_gib=3,
            ),
        ),
    ),
    Machine(
        name="vdi-01",
        title="Desktop, reception",
        disks=(Disk(pool="vdi", size_gib=50, used_gib=4, backing=_TEMPLATE),),
    ),
    Machine(
        name="vdi-02",
        title="Desktop, warehouse",
        disks=(Disk(pool="vdi", size_gib=50, used_gib=6, backing=_TEMPLATE),),
        snaps=(
            Snap(
                name="scanner-app",
                age=hours(4),
                note="VDI-21: before the scanner application",
                writes_gib=0.7,
            ),
        ),
    ),
    Machine(
        name="vdi-03",
        title="Desktop, spare",
        power=Power.OFF,
        records_chain=False,
        disks=(Disk(pool="vdi", size_gib=50, used_gib=5, backing=_TEMPLATE),),
    ),
)

WORKSHOP = (*_BUILD, *_DESKTOPS)
