"""The vCenter of the estate: the company's business, and where its space goes."""

from __future__ import annotations

from snapaudit.demo.estate.nouns import (
    Box,
    Shelf,
    Shot,
    Site,
    Sizing,
    Step,
    owned,
    patch_days,
    plain,
    rotating,
)
from snapaudit.model.inventory import PowerState

_ERP = (
    Box(
        name="erp-app01",
        shelf="silver",
        disk=620,
        folder="/Berlin/ERP",
        attributes=owned("ERP operations"),
        shots=(
            Shot(
                name="before release 24.2", taken=11.3, start=24, weekly=9,
                note="ERP-1088: before release 24.2", creator="CORP\\erp-deploy",
            ),
            Shot(
                name="before release 24.3", taken=3.2, start=12, weekly=14,
                note="ERP-1131: before release 24.3", creator="CORP\\erp-deploy",
            ),
        ),
    ),
    Box(
        name="erp-db01",
        shelf="silver",
        disk=2400,
        folder="/Berlin/ERP",
        attributes=owned("ERP operations"),
        shots=(
            Shot(
                name="pre index rebuild", taken=5.4, start=60, weekly=41,
                note="asked for by the application team", creator="CORP\\dba",
            ),
        ),
    ),
    Box(
        name="fin-report01",
        shelf="silver",
        disk=480,
        folder="/Berlin/Finance",
        attributes=owned("Finance IT"),
        shots=rotating(
            "Backup {taken}", every=1, keep=4, start=8, weekly=7, creator="CORP\\svc-backup"
        ),
    ),
    Box(
        name="files01",
        shelf="silver",
        disk=5200,
        folder="/Berlin/Office",
        attributes=owned("Workplace services"),
        shots=(
            Shot(name="quarter end", taken=8.6, start=90, weekly=23, note="ask finance first"),
            Shot(name="before share move", taken=1.7, start=30, weekly=44, note="FS-217"),
        ),
    ),
)  # fmt: skip

_WEB = (
    Box(
        name="shop-web01",
        shelf="gold",
        disk=80,
        folder="/Berlin/Shop",
        tags=("prod", "owner:Shop platform"),
        shots=(Shot(name="before 7.14", taken=0.1, start=1.5, note="SHOP-2204", weekly=4),),
    ),
    Box(
        name="shop-web02",
        shelf="gold",
        disk=80,
        folder="/Berlin/Shop",
        tags=("prod", "owner:Shop platform"),
        shots=(
            Shot(name="before 7.13", taken=4.2, gone=1.9, start=1.5, weekly=4, note="SHOP-2131"),
            Shot(name="before 7.13", taken=0.4, start=2, weekly=4, note="SHOP-2198"),
        ),
    ),
    Box(
        name="shop-search01",
        shelf="gold",
        disk=320,
        folder="/Berlin/Shop",
        tags=("prod", "owner:Shop platform"),
        shots=(
            Shot(name="reindex", taken=2.6, start=18, weekly=26, memory=True, note="SHOP-2177"),
        ),
    ),
    Box(
        name="mail01",
        shelf="gold",
        disk=900,
        folder="/Berlin/Office",
        attributes=owned("Workplace services"),
        shots=(
            Shot(
                name="VEEAM BACKUP TEMPORARY SNAPSHOT", taken=0.85, start=21, weekly=30,
                creator="CORP\\svc-veeam",
            ),
        ),
    ),
    Box(
        name="golden-win11",
        shelf="gold",
        disk=60,
        folder="/Berlin/Templates",
        notes="Owner: Desktop engineering",
        is_template=True,
        power=PowerState.OFF,
        shots=(
            Shot(
                name="sysprep done", taken=40, start=18,
                protection="clone-base: 14 linked clones stand on it",
            ),
        ),
    ),
    Box(
        name="crm-app01",
        shelf="gold",
        disk=240,
        folder="/Berlin/Sales",
        attributes=owned("Sales systems"),
        phantom=(38, 2.4),
    ),
    Box(
        name="intranet01",
        shelf="gold",
        disk=160,
        folder="/Berlin/Office",
        attributes=owned("Workplace services"),
        shots=(
            Shot(name="php 8.3", taken=6.1, gone=0.5, start=3, weekly=2, note="WIKI-140"),
        ),
    ),
)  # fmt: skip

_PATCHED = tuple(
    Box(
        name=f"appsrv{number:02}",
        shelf="gold",
        disk=140,
        folder="/Berlin/Apps",
        attributes=owned("Application hosting"),
        shots=patch_days(lingers=0.9 if number < 7 else 1.6 if number < 10 else 3.5),
    )
    for number in range(1, 12)
)

_DATABASES = (
    Box(
        name="sql-prod01",
        shelf="nvme",
        disk=1800,
        folder="/Berlin/Databases",
        attributes=owned("Database team"),
        shots=(
            # Forgotten over a holiday; it took the datastore to the brim before somebody looked.
            Shot(name="test", taken=8.4, gone=5.2, start=40, weekly=310),
            Shot(name="before CU14", taken=0.3, start=12, weekly=30, note="DBA-402"),
        ),
    ),
    Box(
        name="sql-report01",
        shelf="nvme",
        disk=1100,
        folder="/Berlin/Databases",
        attributes=owned("Database team"),
        shots=(
            Shot(name="schema v7", taken=3.7, start=9, weekly=6, note="DBA-377"),
            Shot(name="schema v8", taken=2.2, start=9, weekly=5, note="DBA-385"),
            Shot(name="schema v9", taken=1.4, start=7, weekly=5, note="DBA-391"),
            Shot(name="schema v9 again", taken=0.7, start=5, weekly=5, note="DBA-394"),
        ),
    ),
    Box(
        name="dwh-stage01",
        shelf="nvme",
        disk=900,
        folder="/Berlin/Databases",
        attributes=owned("Database team"),
        power=PowerState.OFF,
        shots=(Shot(name="copy for the auditors", taken=17.5, start=44, note="keep?"),),
    ),
)

BERLIN = Site(
    endpoint="vc-berlin",
    hypervisor="vsphere",
    manager="5f0c2a9e-5d0c-4f0b-9a55-7a3d1f6f0b11",
    kind="snapshot",
    sizing=Sizing.ALLOCATION,
    version="VMware ESXi 8.0.3",
    hosts=("esx-b1", "esx-b2", "esx-b3", "esx-b4"),
    cluster="Berlin",
    shelves=(
        Shelf(
            id="silver", name="silver-sas-02", kind="VMFS", capacity=20_480, base=17_400,
            weekly=112, noise=52, provisioned=28_100,
            steps=(
                # Deltas that nobody had explained were consolidated.
                Step(week=13.5, gib=-640),
                # Since then old machines move away, week by week.
                *(Step(week=back + 0.5, gib=-52) for back in range(8)),
                *(Step(week=back + 0.5, gib=-45) for back in range(3)),
            ),
        ),
        Shelf(
            id="gold", name="gold-ssd-01", kind="VMFS", capacity=12_288, base=9_950, weekly=52,
            noise=48, provisioned=15_400, added=(Step(week=9.5, gib=2_048),),
        ),
        Shelf(
            id="nvme", name="nvme-db-03", kind="VMFS", capacity=8_192, base=6_030, weekly=3,
            noise=36, provisioned=9_000,
        ),
    ),
    boxes=(
        *_ERP, *_WEB, *_PATCHED, *_DATABASES,
        *plain("app", 27, "gold", 120, folder="/Berlin/Apps"),
        *plain("vdi-b", 44, "gold", 60, folder="/Berlin/Desktops"),
        *plain("infra", 16, "silver", 90, folder="/Berlin/Infrastructure"),
    ),
    blind_spots=("snapshots that the storage array takes by itself",),
)  # fmt: skip
