"""A merged overlay is taken out of definitions, and nothing else in them changes."""

from __future__ import annotations

import pytest

from snapaudit.hypervisors.libvirt.definitions import Swap, chain, mirror, names, rewritten
from snapaudit.hypervisors.libvirt.failures import explained, is_out_of_space
from tests.hypervisors.libvirt.raws import disk_xml, domain_xml, snapshot_xml

SWAP = Swap(overlay="/vm/web.s1", base="/vm/web.qcow2", base_format="raw", is_device=False)
OTHER = disk_xml("/vm/data.s1", "/vm/data.qcow2", target="vdb")
METADATA = "<metadata><x:app xmlns:x='urn:x'>a &lt; b</x:app></metadata>"


def same(path: str) -> str:
    return path


def changed(text: str, swap: Swap = SWAP) -> str:
    return rewritten(text, swap, same)


def test_disk_whose_own_image_it_was_gets_the_base_with_its_format() -> None:
    text = domain_xml("web", disk_xml("/vm/web.s1", "/vm/web.qcow2"), OTHER, extra=METADATA)
    found = changed(text)
    assert chain(found, "vda") == ("/vm/web.qcow2",)
    assert 'type="raw"' in found
    assert not names(found, "/vm/web.s1", same)


def test_everything_else_stays_as_it_was_written() -> None:
    disk = disk_xml("/vm/web.s1", "/vm/web.qcow2")
    before, after = domain_xml("web", OTHER, extra=METADATA), domain_xml("web", OTHER, disk)
    assert changed(before) == before
    head, _, tail = after.partition(disk)
    found = changed(after)
    assert found.startswith(head)
    assert found.endswith(tail)


def test_chain_that_names_it_below_is_dropped_and_the_top_stays() -> None:
    text = domain_xml("web", disk_xml("/vm/web.s2", "/vm/web.s1", "/vm/web.qcow2"))
    found = changed(text)
    assert chain(found, "vda") == ("/vm/web.s2",)
    assert 'type="qcow2"' in found


def test_snapshots_own_list_of_overlays_is_no_definition() -> None:
    text = snapshot_xml(
        "s1",
        overlays={"vda": "/vm/web.s1"},
        domain=domain_xml("web", disk_xml("/vm/web.qcow2")),
    )
    assert changed(text) == text
    assert not names(text, "/vm/web.s1", same)


def test_base_on_a_block_device_makes_a_block_disk() -> None:
    swap = Swap(overlay="/vm/web.s1", base="/dev/vg/web", base_format="raw", is_device=True)
    found = changed(domain_xml("web", disk_xml("/vm/web.s1")), swap)
    assert 'type="block"' in found
    assert chain(found, "vda") == ("/dev/vg/web",)


@pytest.mark.parametrize("how", ["internal", "no"])
def test_disk_without_content_in_a_snapshot_ends_where_it_ends(how: str) -> None:
    domain = domain_xml("web", disk_xml("/vm/web.s1"))
    text = f"<disks>\n  <disk name='vda' snapshot='{how}'/>\n</disks>\n{domain}"
    assert names(text, "/vm/web.s1", same)
    found = changed(text)
    assert found.startswith(f"<disks>\n  <disk name='vda' snapshot='{how}'/>\n</disks>\n")
    assert not names(found, "/vm/web.s1", same)


def test_links_lead_to_the_same_image() -> None:
    text = domain_xml("web", disk_xml("/link/web.s1"))
    found = rewritten(text, SWAP, lambda path: path.replace("/link/", "/vm/"))
    assert chain(found, "vda") == ("/vm/web.qcow2",)


def test_disk_without_a_driver_gets_one_with_the_format_of_the_base() -> None:
    text = domain_xml(
        "web", "<disk type='file'><source file='/vm/web.s1'/><target dev='vda'/></disk>"
    )
    assert 'type="raw"' in changed(text)


def test_block_job_is_read_with_its_target_and_whether_it_is_ready() -> None:
    source = "<source file='/vm/web.qcow2'/></mirror>"
    disk = disk_xml("/vm/web.s1").replace("<target", f"<mirror ready='yes'>{source}<target")
    text = domain_xml("web", disk, OTHER)
    found = mirror(text, "vda")
    assert found is not None
    assert (found.path, found.is_ready) == ("/vm/web.qcow2", True)
    assert mirror(text, "vdb") is None
    assert mirror(text, "vdz") is None


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("internal error: Could not open '/vm/a': Permission denied", "AppArmor"),
        ("qemu-img: error while writing: No space left on device", "free space first"),
        ('Failed to get shared "write" lock', "another program"),
        ("something nobody has seen", ""),
    ],
)
def test_error_of_a_call_says_what_to_do_where_that_is_known(message: str, hint: str) -> None:
    found = explained(OSError(message))
    assert found.startswith(message)
    assert hint in found
    assert is_out_of_space(OSError(message)) is ("No space" in message)
