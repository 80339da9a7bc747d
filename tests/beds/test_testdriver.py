from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.beds.required import require_bed
from tests.beds.testdriver import machine_xml, pool_xml, snapshot_xml, write_host

GIB = 2**30


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    try:
        import libvirt
    except ImportError:
        require_bed("the libvirt-python package is not installed")
    first = snapshot_xml("first", "web", unix_seconds=1_700_000_000)
    second = snapshot_xml(
        "second",
        "web",
        unix_seconds=1_710_000_000,
        parent="first",
        overlay="/vm/web.second",
        current=True,
    )
    uri = write_host(
        tmp_path,
        machine_xml("web", ["/vm/web.second", "/vm/web.qcow2"], first, second, running=True),
        machine_xml("idle", ["/vm/idle.qcow2"]),
        pool_xml("images", "/vm", {"web.qcow2": 7 * GIB, "idle.qcow2": 3 * GIB}),
    )
    connection = libvirt.open(uri)
    yield connection
    connection.close()
    assert capfd.readouterr() == ("", ""), "the library has nothing to complain about"


def test_machines_are_in_the_state_they_were_given(host: Any) -> None:
    assert {domain.name(): domain.isActive() for domain in host.listAllDomains()} == {
        "web": 1,
        "idle": 0,
    }


def test_snapshots_keep_their_parent_their_date_and_which_one_is_current(host: Any) -> None:
    domain = host.lookupByName("web")
    second = domain.snapshotLookupByName("second")
    assert second.getParent().getName() == "first"
    assert "<creationTime>1710000000</creationTime>" in second.getXMLDesc()
    assert "<source file='/vm/web.second'/>" in second.getXMLDesc()
    assert domain.snapshotCurrent().getName() == "second"


def test_pool_is_as_full_as_its_volumes(host: Any) -> None:
    pool = host.storagePoolLookupByName("images")
    assert pool.info()[1:3] == [100 * GIB, 10 * GIB]
