"""The other sites of the estate: KVM in Cologne, Hyper-V in Hamburg, a Xen pool for trials."""

from __future__ import annotations

from snapaudit.demo.estate.nouns import Box, Shelf, Shot, Site, Sizing, Step, plain, rotating
from snapaudit.model.inventory import PowerState

COLOGNE = Site(
    endpoint="kvm-cologne",
    hypervisor="libvirt",
    manager="0b6f2c1e-77d5-4b4f-8a43-91c1c9a6e2d0",
    kind="external",
    sizing=Sizing.EXACT,
    version="QEMU 10.0, libvirt 11.3",
    hosts=("kvm-c1", "kvm-c2"),
    cluster=None,
    shelves=(
        Shelf(
            id="pool-ssd", name="pool-ssd", kind="dir", capacity=10_240, base=5_300, weekly=34,
            noise=46, provisioned=9_800,
            # The move of the business intelligence machines from Berlin.
            steps=(Step(week=11.5, gib=2_150),),
        ),
        Shelf(
            id="pool-build", name="pool-build", kind="dir", capacity=6_144, base=4_400, weekly=-22,
            noise=48, provisioned=5_900,
        ),
    ),
    boxes=(
        Box(
            name="git01", shelf="pool-build", disk=300, notes="Owner: Developer platform",
            shots=(Shot(name="before 17.5", taken=1.1, start=4, weekly=3, note="DEV-511"),),
        ),
        Box(
            name="ci-runner03", shelf="pool-build", disk=120, notes="Owner: Developer platform",
            phantom=(12, 1.3),
        ),
        Box(
            name="bi-etl01", shelf="pool-ssd", disk=700, notes="Owner: Business intelligence",
            shots=(
                Shot(name="vor umstellung", taken=9.8, start=20, weekly=11),
                Shot(name="vor umstellung 2", taken=7.3, start=14, weekly=8),
            ),
        ),
        Box(
            name="compta-fr", shelf="pool-ssd", disk=140,
            shots=rotating("sauvegarde-{taken}", every=1, keep=5, start=3, weekly=1.5),
        ),
        Box(
            name="monitor01", shelf="pool-ssd", disk=200, notes="Owner: Operations",
            shots=(Shot(name="upgrade", taken=2.9, gone=0.8, start=6, weekly=5, note="OPS-77"),),
        ),
        *plain("svc-c", 31, "pool-ssd", 110),
        *plain("build", 12, "pool-build", 160),
    ),
    blind_spots=("snapshots that the storage array takes by itself",),
)  # fmt: skip

HAMBURG = Site(
    endpoint="hv-hamburg",
    hypervisor="hyperv",
    manager="hv-hamburg-cluster",
    kind="standard",
    sizing=Sizing.UPPER,
    version="Windows Server 2022",
    hosts=("hv-h1", "hv-h2"),
    cluster="Hamburg",
    shelves=(
        Shelf(
            id="csv1", name="CSV-Volume1", kind="CSVFS", capacity=9_216, base=6_050, weekly=5,
            noise=34, provisioned=8_900,
        ),
    ),
    boxes=(
        Box(
            name="pos-gw01", shelf="csv1", disk=180, notes="Owner: Retail systems",
            shots=(
                Shot(name="(10/02/2026 - 08:11:40)", taken=8.2, start=16, weekly=6),
                Shot(name="terminal update", taken=1.2, start=5, weekly=6, note="POS-61"),
            ),
        ),
        Box(
            name="dc-h1", shelf="csv1", disk=100, notes="Owner: Operations",
            shots=(Shot(name="test", taken=12.4, start=11, weekly=1.4),),
        ),
        Box(
            name="scan-h1", shelf="csv1", disk=90, power=PowerState.OFF,
            shots=(Shot(name="old driver", taken=21.5, start=7, unsized=True),),
        ),
        *plain("branch", 22, "csv1", 95),
    ),
)  # fmt: skip

LAB = Site(
    endpoint="xcp-lab",
    hypervisor="xen",
    manager="c0ffee00-2222-4444-8888-b1acc0de0001",
    kind="snapshot",
    sizing=Sizing.UPPER,
    version="XCP-ng 8.3",
    hosts=("xcp-l1",),
    cluster=None,
    lab=True,
    absent="the certificate of xcp-lab.example.org ended two days ago; renew it, then run again",
    shelves=(
        Shelf(
            id="sr-lab", name="sr-lab", kind="ext", capacity=4_096, base=2_300, weekly=12,
            noise=20, provisioned=3_900,
        ),
    ),
    boxes=(
        Box(
            name="trial-k8s", shelf="sr-lab", disk=200, tags=("owner:Developer platform",),
            shots=(Shot(name="clean", taken=14.1, start=9, weekly=2),),
        ),
        *plain("lab", 9, "sr-lab", 80),
    ),
)  # fmt: skip
