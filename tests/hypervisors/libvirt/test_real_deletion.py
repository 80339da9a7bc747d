"""What the collector promises that a deletion gives back, against what libvirt's deletion frees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snapaudit.model.inventory import ByteRange, Snapshot
from tests.beds.guests import Guest, Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.hypervisors.libvirt.test_real_qemu import read

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def pool(libvirt_bed: LibvirtBed) -> Path:
    return libvirt_bed.pool("deletion")


@pytest.fixture(params=[Life.OFF, Life.RUNNING], ids=["off", "running"])
def guest(request: pytest.FixtureRequest, libvirt_bed: LibvirtBed, pool: Path) -> Iterator[Guest]:
    image = libvirt_bed.create_image(pool / "subject.qcow2", size_bytes=256 * MIB)
    libvirt_bed.write_offline(image, 0, 40 * MIB)
    made = libvirt_bed.define_vm("subject", [image], life=request.param)
    yield made
    if made.domain.isActive():
        made.domain.destroy()
    made.domain.undefineFlags(libvirt_bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    for path in pool.iterdir():
        path.unlink()


def write(bed: LibvirtBed, guest: Guest, offset: int, length: int, pattern: int) -> None:
    if guest.domain.isActive():
        guest.write("vda", offset, length, pattern)
    else:
        bed.write_offline(guest.chain("vda")[-1], offset, length)


def take(bed: LibvirtBed, guest: Guest, name: str, *, external: bool) -> Any:
    flags = bed.sdk.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY if external else 0
    xml = f"<domainsnapshot><name>{name}</name></domainsnapshot>"
    return guest.domain.snapshotCreateXML(xml, flags)


def promised(bed: LibvirtBed, name: str) -> Snapshot:
    (vm,) = (vm for vm in read(bed.uri).virtual_machines if vm.name == "subject")
    return next(snapshot for snapshot in vm.snapshots if snapshot.name == name)


def freed_by(delete: Any, pool: Path) -> int:
    before = used(pool)
    delete()
    return before - used(pool)


def used(pool: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in pool.iterdir())


def holds(gain: ByteRange, freed: int) -> bool:
    assert gain.max is not None
    return gain.min * 0.98 <= freed <= gain.max * 1.02


@pytest.mark.parametrize("external", [False, True], ids=["internal", "external"])
def test_prediction_is_within_two_percent_of_what_deleting_frees(
    libvirt_bed: LibvirtBed, pool: Path, guest: Guest, external: bool
) -> None:
    names = ("first", "second", "third")
    snapshots = {}
    for number, name in enumerate(names):
        snapshots[name] = take(libvirt_bed, guest, name, external=external)
        write(libvirt_bed, guest, number * 8 * MIB, 12 * MIB, number + 2)
        write(libvirt_bed, guest, (60 + 30 * number) * MIB, 5 * MIB, number + 2)
    # Off, libvirt 9.0 deletes an external snapshot only at the end of the line.
    order = ("third", "second", "first") if external else ("second", "first", "third")
    for name in order:
        snapshot = promised(libvirt_bed, name)
        assert snapshot.protections == ()
        gain = snapshot.reclaimable_bytes
        freed = freed_by(snapshots[name].delete, pool)
        assert holds(gain, freed), (name, gain, freed)
        assert gain.min == gain.max == snapshot.pinned_bytes
