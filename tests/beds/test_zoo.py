"""The zoo is as its records say, seen with libvirt's own calls and qemu-img, not with our eyes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.beds.zoo import Zoo
from tests.beds.zoo.records import StagedMachine, StagedSnapshot

pytestmark = pytest.mark.bed

_POWER = {1: "on", 3: "paused", 5: "off"}
_CLUSTER = 64 * 1024
_TABLES = 5 * _CLUSTER  # header, references and their table, two levels of mapping


def domain(zoo: Zoo, machine: StagedMachine) -> Any:
    return zoo.bed.ro.lookupByName(machine.name)


def snapshot_xml(zoo: Zoo, machine: StagedMachine, name: str) -> ET.Element:
    return ET.XML(domain(zoo, machine).snapshotLookupByName(name).getXMLDesc())


def staged_snapshots(zoo: Zoo) -> list[tuple[StagedMachine, StagedSnapshot]]:
    return [
        (machine, snapshot) for machine in zoo.machines.values() for snapshot in machine.snapshots
    ]


def chain_by_qemu_img(zoo: Zoo, top: Path) -> list[Path]:
    """Base first; a base that is gone ends the chain."""
    found = [top]
    while found[-1].exists():
        told = json.loads(zoo.bed.run_qemu_img("info", "-U", "--output=json", str(found[-1])))
        if "full-backing-filename" not in told:
            break
        found.append(Path(told["full-backing-filename"]))
    return found[::-1]


def used_bytes(path: Path) -> int:
    return path.stat().st_blocks * 512


def names_inside(zoo: Zoo, image: Path) -> set[str]:
    told = json.loads(zoo.bed.run_qemu_img("info", "-U", "--output=json", str(image)))
    return {entry["name"] for entry in told.get("snapshots", [])}


def test_every_machine_is_known_and_in_its_power_state(libvirt_zoo: Zoo) -> None:
    seen = {found.name(): found for found in libvirt_zoo.bed.ro.listAllDomains()}
    assert seen.keys() == libvirt_zoo.machines.keys()
    for name, machine in libvirt_zoo.machines.items():
        assert _POWER[seen[name].state()[0]] == machine.power, name
        assert bool(seen[name].isPersistent()) == machine.persistent, name
        assert bool(seen[name].hasManagedSaveImage()) == machine.managed_save, name


def test_every_snapshot_has_its_parent_state_and_kind(libvirt_zoo: Zoo) -> None:
    for machine, staged in staged_snapshots(libvirt_zoo):
        xml = snapshot_xml(libvirt_zoo, machine, staged.name)
        assert xml.findtext("parent/name") == staged.parent, machine.name
        assert xml.findtext("state") == staged.state, machine.name
        kinds = {disk.get("snapshot") for disk in xml.iterfind("disks/disk")} - {"no"}
        assert kinds == {staged.kind}, machine.name


def test_every_overlay_and_memory_file_is_where_it_was_said(libvirt_zoo: Zoo) -> None:
    for machine, staged in staged_snapshots(libvirt_zoo):
        xml = snapshot_xml(libvirt_zoo, machine, staged.name)
        overlays = {
            disk.get("name"): Path(source.get("file", ""))
            for disk in xml.iterfind("disks/disk")
            if (source := disk.find("source")) is not None and disk.get("snapshot") == "external"
        }
        assert overlays == staged.overlays, machine.name
        memory = xml.find("memory")
        assert memory is not None
        assert (memory.get("snapshot") != "no") == staged.has_memory, machine.name
        assert memory.get("file") == (str(staged.memory_file) if staged.memory_file else None)
        assert all(path.exists() for path in overlays.values()), machine.name


def test_no_machine_has_other_snapshots_than_it_was_given(libvirt_zoo: Zoo) -> None:
    for machine in libvirt_zoo.machines.values():
        found = domain(libvirt_zoo, machine)
        names = {snapshot.getName() for snapshot in found.listAllSnapshots()}
        assert names == {snapshot.name for snapshot in machine.snapshots}, machine.name
        current = found.snapshotCurrent().getName() if found.hasCurrentSnapshot() else None
        assert current == machine.current, machine.name
        checkpoints = {checkpoint.getName() for checkpoint in found.listAllCheckpoints()}
        assert checkpoints == set(machine.checkpoints), machine.name


def test_every_chain_is_what_the_images_themselves_say(libvirt_zoo: Zoo) -> None:
    for machine in libvirt_zoo.machines.values():
        for chain in machine.chains.values():
            assert chain_by_qemu_img(libvirt_zoo, chain[-1]) == list(chain), machine.name
            missing = {path for path in chain if not path.exists()}
            assert missing == set(machine.missing), machine.name


def test_written_bytes_are_in_the_overlays_and_little_else(libvirt_zoo: Zoo) -> None:
    for machine, staged in staged_snapshots(libvirt_zoo):
        if staged.written_bytes is not None:
            inside = [found for found in machine.snapshots if found.kind == "internal"]
            used = sum(used_bytes(path) for path in staged.overlays.values())
            room = _TABLES * (len(staged.overlays) + len(inside))
            assert staged.written_bytes <= used <= staged.written_bytes + room, machine.name


def test_what_libvirt_and_the_image_know_differs_where_it_was_said(libvirt_zoo: Zoo) -> None:
    for machine in libvirt_zoo.machines.values():
        inside = {
            name
            for chain in machine.chains.values()
            for image in chain
            if image.exists() and chain[0] not in libvirt_zoo.shared_images()
            for name in names_inside(libvirt_zoo, image)
        }
        known = {found.name for found in machine.snapshots if found.kind == "internal"}
        assert inside - known == set(machine.unregistered), machine.name
        assert known - inside == set(machine.dataless), machine.name


@pytest.mark.parametrize("name", ["internal-off", "branches", "mixed"])
def test_deleting_an_internal_snapshot_frees_what_it_alone_pins(
    libvirt_zoo: Zoo, name: str
) -> None:
    machine = libvirt_zoo.machines[name]
    for staged in machine.snapshots:
        if staged.pinned_bytes is not None:
            freed = freed_by_deletion(libvirt_zoo, machine, staged.name)
            assert 0 <= freed - staged.pinned_bytes <= 3 * _CLUSTER, staged.name


def freed_by_deletion(zoo: Zoo, machine: StagedMachine, name: str) -> int:
    """On a copy without holes, so that the zoo stays whole and only the deletion makes holes."""
    (image,) = (path for path in machine.chains["vda"] if name in names_inside(zoo, path))
    copy = zoo.bed.pools / "copy.qcow2"
    copy.write_bytes(image.read_bytes())
    zoo.bed.daemon.account.own(copy)
    before = used_bytes(copy)
    zoo.bed.run_qemu_img("snapshot", "-d", name, str(copy))
    after = used_bytes(copy)
    copy.unlink()
    return before - after


def test_only_one_copy_job_is_ready_and_only_one_backup_waits(libvirt_zoo: Zoo) -> None:
    ready, backups = set(), set()
    for machine in libvirt_zoo.machines.values():
        found = domain(libvirt_zoo, machine)
        for mirror in ET.XML(found.XMLDesc()).iterfind("devices/disk/mirror"):
            assert (mirror.get("job"), mirror.get("ready")) == ("active-commit", "yes")
            ready.add(machine.name)
        if found.isActive() and found.jobStats().get("operation") == 9:
            backups.add(machine.name)
    assert ready == {"commit-ready"}
    assert backups == {"backup-running"}


def test_broken_machine_does_not_start(libvirt_zoo: Zoo) -> None:
    sdk = libvirt_zoo.bed.sdk
    with pytest.raises(sdk.libvirtError) as refused:
        libvirt_zoo.bed.rw.lookupByName("broken").create()
    assert refused.value.get_error_code() == sdk.VIR_ERR_SYSTEM_ERROR


def test_strays_of_the_pool_are_all_that_no_chain_and_no_snapshot_uses(libvirt_zoo: Zoo) -> None:
    used = {
        path
        for machine in libvirt_zoo.machines.values()
        for chain in machine.chains.values()
        for path in chain
    } | {staged.memory_file for _, staged in staged_snapshots(libvirt_zoo)}
    storage = libvirt_zoo.storage
    assert set(storage.pool.iterdir()) - used == storage.strays


def test_stale_pool_lists_what_is_gone_and_not_what_is_new(libvirt_zoo: Zoo) -> None:
    storage = libvirt_zoo.storage
    listed = {
        Path(volume.path())
        for volume in libvirt_zoo.bed.ro.storagePoolLookupByName("stale").listAllVolumes()
    }
    assert listed == {storage.listed, storage.vanished}
    assert set(storage.stale_pool.iterdir()) == {storage.listed, storage.unlisted}


def test_images_of_templates_and_lenders_are_shared(libvirt_zoo: Zoo) -> None:
    shared = {path.name for path in libvirt_zoo.shared_images()}
    assert shared == {"template.qcow2", "lender.qcow2", "lender.golden"}
