"""Deltas that no snapshot explains: what forbids merging them, and when a person has to decide."""

from __future__ import annotations

from typing import Any

import pytest

from snapaudit.model.inventory import VirtualMachine
from tests.beds.zoo import Zoo
from tests.hypervisors.libvirt.raws import (
    disk_xml,
    domain_xml,
    raw_domain,
    raw_host,
    raw_pool,
    snapshot_xml,
    volume_xml,
)
from tests.hypervisors.libvirt.test_real_qemu import read as read_bed
from tests.hypervisors.libvirt.test_translate import machine, read, words

PHANTOM = ("/vm/web.backup", "/vm/web.qcow2")


def web(*paths: str, snapshots: tuple[str, ...] = ()) -> Any:
    return raw_domain("web", disk_xml(*paths), running=True, snapshots=list(snapshots))


def seen(*domains: Any, volumes: tuple[str, ...] = ()) -> VirtualMachine:
    return machine(read(raw_host(*domains, pools=[raw_pool(*volumes)] if volumes else [])))


def test_machine_without_such_deltas_has_neither_protections_nor_doubt() -> None:
    vm = seen(
        web(
            "/vm/web.s1",
            "/vm/web.qcow2",
            snapshots=(snapshot_xml("s1", overlays={"vda": "/vm/web.s1"}),),
        )
    )
    assert (vm.consolidation_protections, vm.consolidation_doubt) == ((), None)


def test_delta_over_an_image_that_nothing_shows_to_be_its_own_is_left_to_a_person() -> None:
    vm = seen(web(*PHANTOM))
    assert vm.consolidation_protections == ()
    assert vm.consolidation_doubt is not None
    assert "/vm/web.qcow2 is its own" in vm.consolidation_doubt


def test_snapshot_below_the_delta_proves_that_what_it_stands_on_is_its_own() -> None:
    taken = snapshot_xml("s1", overlays={"vda": "/vm/web.s1"})
    vm = seen(web("/vm/web.backup", "/vm/web.s1", "/vm/web.qcow2", snapshots=(taken,)))
    assert vm.consolidation_doubt is None


def test_snapshot_above_the_delta_proves_nothing() -> None:
    embedded = domain_xml("web", disk_xml("/vm/web.backup"))
    taken = snapshot_xml("s1", overlays={"vda": "/vm/web.s1"}, domain=embedded)
    vm = seen(web("/vm/web.s1", *PHANTOM, snapshots=(taken,)))
    assert vm.consolidation_doubt is not None


def test_snapshot_that_froze_the_image_below_proves_it_though_its_overlay_is_on_another_disk() -> (
    None
):
    embedded = domain_xml(
        "web", disk_xml("/vm/web.qcow2"), disk_xml("/vm/data.qcow2", target="vdb")
    )
    taken = snapshot_xml("s1", overlays={"vdb": "/vm/data.s1"}, domain=embedded)
    disks = (disk_xml(*PHANTOM), disk_xml("/vm/data.s1", "/vm/data.qcow2", target="vdb"))
    vm = seen(raw_domain("web", *disks, running=True, snapshots=[taken]))
    assert vm.consolidation_doubt is None
    assert vm.consolidation_protections == ()


def test_doubt_of_a_line_of_deltas_names_the_lowest_image() -> None:
    vm = seen(web("/vm/web.two", "/vm/web.one", "/vm/web.qcow2"))
    assert vm.consolidation_doubt is not None
    assert "/vm/web.qcow2" in vm.consolidation_doubt


def test_delta_that_another_machine_has_as_its_disk_forbids_the_merge() -> None:
    other = raw_domain("clone", disk_xml(*PHANTOM), running=False)
    assert "shared-backing" in words(seen(web(*PHANTOM), other).consolidation_protections)


def test_volume_that_stands_on_the_delta_forbids_the_merge() -> None:
    vm = seen(web(*PHANTOM), volumes=(volume_xml("/vm/stray", backing="/vm/web.backup"),))
    assert "shared-backing" in words(vm.consolidation_protections)


def test_image_below_that_another_overlay_stands_on_is_a_template_and_nothing_is_offered() -> None:
    embedded = domain_xml("web", disk_xml("/vm/web.qcow2"))
    taken = snapshot_xml("s1", overlays={"vda": "/vm/web.s1"}, domain=embedded)
    vm = seen(web(*PHANTOM, snapshots=(taken,)))
    assert vm.consolidation_needed is False


@pytest.mark.bed
def test_unexplained_deltas_of_the_zoo_are_each_in_doubt_or_proven(libvirt_zoo: Zoo) -> None:
    for vm in read_bed(libvirt_zoo.bed.uri).virtual_machines:
        staged = libvirt_zoo.machines[vm.name]
        if not staged.phantoms:
            assert (vm.consolidation_protections, vm.consolidation_doubt) == ((), None), vm.name
        elif not staged.snapshots:
            assert vm.consolidation_doubt is not None, vm.name
