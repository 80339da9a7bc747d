"""What a machine's own snapshots left beside its chains is not taken for a clone, and guarded."""

from __future__ import annotations

from typing import Any

from snapaudit.model.inventory import VirtualMachine
from tests.hypervisors.libvirt.raws import (
    disk_xml,
    domain_xml,
    raw_domain,
    raw_host,
    raw_pool,
    snapshot_xml,
    volume_xml,
)
from tests.hypervisors.libvirt.test_translate import machine, read, words

BASE, FIRST, SECOND = "/vm/web.qcow2", "/vm/web.s1", "/vm/web.s2"


def taken(name: str, overlay: str, *on: str, parent: str | None = None) -> str:
    embedded = domain_xml("web", disk_xml(*on))
    return snapshot_xml(name, overlays={"vda": overlay}, domain=embedded, parent=parent)


BOTH = [taken("s1", FIRST, BASE), taken("s2", SECOND, FIRST, BASE, parent="s1")]


def seen(*chain: str, running: bool = True, beside: tuple[Any, ...] = ()) -> VirtualMachine:
    web = raw_domain("web", disk_xml(*chain), running=running, snapshots=BOTH)
    volumes = [volume_xml(FIRST, backing=BASE)]
    return machine(read(raw_host(web, *beside, pools=[raw_pool(*volumes)])))


def protections(vm: VirtualMachine, name: str) -> set[str]:
    return words(next(shot for shot in vm.snapshots if shot.id == name).protections)


def test_overlay_that_is_merged_and_out_of_the_chain_makes_no_template_of_its_machine() -> None:
    vm = seen(FIRST, BASE)  # the record of s2 is still there: its overlay stood on the top
    assert not vm.is_template
    assert protections(vm, "s2") == set()


def test_other_image_of_the_same_machine_on_what_would_be_written_is_named_as_its_own() -> None:
    vm = seen(SECOND, BASE, running=False)  # s1 is merged, and not yet forgotten
    assert not vm.is_template
    assert protections(vm, "s1") == {"own-branch"}


def test_branch_that_a_machine_was_reverted_from_is_still_guarded() -> None:
    vm = seen("/vm/web.s3", FIRST, BASE)
    assert "own-branch" in protections(vm, "s2")


def test_clone_on_what_was_left_of_a_snapshot_still_makes_a_template_of_its_machine() -> None:
    clone = raw_domain("clone", disk_xml("/vm/clone.qcow2", SECOND, FIRST, BASE))
    vm = seen(FIRST, BASE, beside=(clone,))
    assert vm.is_template
    assert "shared-backing" in protections(vm, "s2")


def test_machine_that_has_what_was_left_as_its_disk_still_makes_a_template_of_the_other() -> None:
    other = raw_domain("other", disk_xml(SECOND, FIRST, BASE))
    vm = seen(FIRST, BASE, beside=(other,))
    assert vm.is_template
    assert "shared-backing" in protections(vm, "s2")
