"""What tells a snapshot from another of its name, on real QEMU: neighbours and writes do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import sleep, time
from typing import Any

import pytest

from snapaudit.hypervisors.libvirt import identity, xml
from tests.beds.guests import Guest, Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.hypervisors.libvirt.raws import snapshot_xml
from tests.hypervisors.libvirt.test_real_qemu import read


@pytest.fixture(scope="module")
def pool(libvirt_bed: LibvirtBed) -> Path:
    return libvirt_bed.pool("identity")


@pytest.fixture(params=[Life.OFF, Life.RUNNING], ids=["off", "running"])
def guest(request: pytest.FixtureRequest, libvirt_bed: LibvirtBed, pool: Path) -> Iterator[Guest]:
    image = libvirt_bed.create_image(pool / "same.qcow2", size_bytes=16 * MIB)
    made = libvirt_bed.define_vm("same", [image], life=request.param)
    yield made
    if made.domain.isActive():
        made.domain.destroy()
    made.domain.undefineFlags(libvirt_bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    for path in pool.iterdir():
        path.unlink()


@pytest.fixture(params=["internal", "external"])
def take(
    request: pytest.FixtureRequest, libvirt_bed: LibvirtBed, guest: Guest
) -> Callable[[str], Any]:
    disk_only = libvirt_bed.sdk.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY
    flags = disk_only if request.param == "external" else 0

    def one(name: str) -> Any:
        return guest.domain.snapshotCreateXML(
            f"<domainsnapshot><name>{name}</name></domainsnapshot>", flags
        )

    return one


def identities(bed: LibvirtBed) -> dict[str, str | None]:
    (vm,) = (vm for vm in read(bed.uri).virtual_machines if vm.name == "same")
    return {snapshot.name: snapshot.identity for snapshot in vm.snapshots}


def write(bed: LibvirtBed, guest: Guest) -> None:
    if guest.domain.isActive():
        guest.write("vda", 0, MIB, 7)
    else:
        bed.write_offline(guest.chain()[-1], 0, MIB, 7)


@pytest.mark.bed
def test_grd_01_identity_outlives_the_deletion_of_neighbours_and_the_writes_of_the_guest(
    libvirt_bed: LibvirtBed, guest: Guest, take: Callable[[str], Any]
) -> None:
    snapshots = {}
    for name in ("first", "second", "third"):
        snapshots[name] = take(name)
        write(libvirt_bed, guest)
    before = identities(libvirt_bed)
    assert len(set(before.values())) == 3
    write(libvirt_bed, guest)
    snapshots["third"].delete()
    after = identities(libvirt_bed)
    assert after == {name: before[name] for name in ("first", "second")}
    # libvirt 9.0 deletes an external snapshot of a machine that is off at the end of the line only.
    gone, kept = ("second", "first") if not guest.domain.isActive() else ("first", "second")
    snapshots[gone].delete()
    assert identities(libvirt_bed) == {kept: before[kept]}


@pytest.mark.bed
def test_grd_01_identity_changes_when_it_is_taken_again_under_its_name_in_the_same_second(
    libvirt_bed: LibvirtBed, guest: Guest, take: Callable[[str], Any]
) -> None:
    for _ in range(20):
        sleep(1 - time() % 1)  # a second that has just begun leaves the most room for both
        first = take("again")
        created, before = first.getXMLDesc(), identities(libvirt_bed)["again"]
        first.delete()
        second = take("again")
        after, same_second = identities(libvirt_bed)["again"], moment(second) == moment_of(created)
        second.delete()
        assert before
        assert after != before
        if same_second:
            # The record alone cannot tell them apart: the images do.
            assert identity.record_part(after or "") == identity.record_part(before)
            return
    pytest.fail("never twice within a second")


def moment(snapshot: Any) -> str:
    return moment_of(snapshot.getXMLDesc())


def moment_of(text: str) -> str:
    return str(xml.snapshot(text).created_at)


def test_grd_01_each_thing_a_person_or_libvirt_would_change_makes_another_identity() -> None:
    same = xml.snapshot(snapshot_xml("before", overlays={"vda": "/vm/web.before"}))
    others = [
        replace(same, name="after"),
        replace(same, description="keep this"),
        replace(same, created_at=None),
        replace(same, state="running"),
        replace(same, memory="external"),
        replace(same, memory_file="/vm/web.mem"),
        replace(same, disks=()),
        replace(same, disks=(replace(same.disks[0], overlay="/vm/other"),)),
        replace(same, disks=(replace(same.disks[0], mode="internal"),)),
    ]
    found = {identity.of_record("web", item) for item in (same, *others)}
    assert len(found) == len(others) + 1
    assert identity.of_record("db", same) not in found


def test_grd_01_parent_and_embedded_definition_are_no_part_of_the_identity() -> None:
    same = xml.snapshot(snapshot_xml("before", overlays={"vda": "/vm/web.before"}))
    moved = replace(same, parent="older", frozen={"vda": "/vm/web.qcow2"})
    assert identity.of_record("web", moved) == identity.of_record("web", same)
