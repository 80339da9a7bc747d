"""A running chain held against the headers of its images."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.hypervisors.libvirt.files import LocalFiles
from snapaudit.model.inventory import CoverageState
from tests.hypervisors.libvirt.qcow2 import images
from tests.hypervisors.libvirt.raws import disk_xml, raw_domain, raw_host
from tests.hypervisors.libvirt.test_translate import machine, read, words

pytestmark = pytest.mark.usefixtures("tools")


@pytest.fixture
def tools() -> None:
    images.require_tools()


@pytest.fixture
def line(tmp_path: Path) -> list[str]:
    """Top, middle, base; the top's header names the base, as after a merge of the middle."""
    base = images.create(tmp_path / "web.qcow2", 1 << 20)
    middle = images.create(tmp_path / "web.s1", 1 << 20, backing=base)
    top = images.create(tmp_path / "web.s2", 1 << 20, backing=base)
    return [str(path) for path in (top, middle, base)]


def test_header_that_names_another_image_makes_the_running_chain_disputed(line: list[str]) -> None:
    found = read(raw_host(raw_domain("web", disk_xml(*line), running=True)), LocalFiles())
    assert "disputed-chain" in words(machine(found).protections)
    assert machine(found).consolidation_needed is not False
    assert found.coverage.state is CoverageState.PARTIAL
    assert f"libvirt says that {line[0]} stands on {line[1]}" in (found.coverage.reason or "")


def test_machine_that_is_off_has_the_chain_of_its_headers(line: list[str]) -> None:
    found = read(raw_host(raw_domain("web", disk_xml(*line))), LocalFiles())
    assert "disputed-chain" not in words(machine(found).protections)
    assert [layer.path for layer in machine(found).disks[0].layers] == [line[2], line[0]]


def test_merge_that_ends_just_now_is_busy_and_not_disputed(line: list[str]) -> None:
    disk = disk_xml(*line).replace("</disk>", "<mirror type='file' job='commit'/></disk>")
    found = read(raw_host(raw_domain("web", disk, running=True)), LocalFiles())
    assert words(machine(found).protections) >= {"busy"}
    assert "disputed-chain" not in words(machine(found).protections)


def test_place_that_is_no_path_cannot_contradict_one(line: list[str], tmp_path: Path) -> None:
    top = tmp_path / "web.json"
    about = f'json:{{"driver":"qcow2","file":{{"driver":"file","filename":"{line[1]}"}}}}'
    images.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", about, top)
    found = read(
        raw_host(raw_domain("web", disk_xml(str(top), *line[1:]), running=True)), LocalFiles()
    )
    assert "disputed-chain" not in words(machine(found).protections)
