"""The branch office: a small host that is seen whole, so that a plan for it has actions."""

from __future__ import annotations

from snapaudit.demo.blueprint import Disk, Fleet, Machine, Power, Snap, days

OUTPOST = Fleet(
    pools=("local-a", "local-b", "iso"),
    machines=(
        Machine(
            name="till-01",
            title="Till of the shop in the branch office",
            disks=(Disk(pool="local-a", size_gib=8, used_gib=3),),
            snaps=(
                Snap(
                    name="before-tax-update",
                    age=days(41),
                    note="CHG-20231: before the new tax rates",
                    writes_gib=1.4,
                ),
            ),
        ),
        Machine(
            name="till-02",
            title="Second till",
            disks=(Disk(pool="local-b", size_gib=8, used_gib=3),),
            snaps=(
                Snap(
                    name="before-tax-update",
                    age=days(41),
                    note="CHG-20231: before the new tax rates",
                    writes_gib=1.2,
                ),
                Snap(
                    name="printer-driver",
                    age=days(12),
                    note="CHG-20307: before the driver of the receipt printer",
                    writes_gib=0.3,
                ),
            ),
        ),
        Machine(
            name="door-control",
            title="Door control, off since the new one came",
            power=Power.OFF,
            disks=(Disk(pool="local-b", size_gib=4, used_gib=1.5),),
            snaps=(Snap(name="as-delivered", age=days(420), note="FAC-12: as it was delivered"),),
        ),
        Machine(
            name="branch-dns",
            title="Name server of the branch office",
            disks=(Disk(pool="local-b", size_gib=4, used_gib=1.2),),
        ),
    ),
    spares=(),
)
