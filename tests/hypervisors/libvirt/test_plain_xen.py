"""Plain Xen under libvirt: no snapshots, told in words and not as an error."""

from __future__ import annotations

from typing import Any

from snapaudit.hypervisors.libvirt import domains
from snapaudit.hypervisors.libvirt.crew import Crew
from snapaudit.hypervisors.libvirt.files import UnreachableFiles
from snapaudit.hypervisors.libvirt.translate import inventory
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import CoverageState, Inventory
from tests.builders import NOW
from tests.hypervisors.libvirt.raws import disk_xml, domain_xml, raw_host

NO_SUPPORT, OPERATION_FAILED = 3, 9


class LibvirtError(Exception):
    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__("this function is not supported by the connection driver")

    def get_error_code(self) -> int:
        return self.code

    def get_error_message(self) -> str:
        return str(self)


class Sdk:
    """The constants that are asked for; each has a value of its own."""

    libvirtError = LibvirtError
    VIR_CONNECT_LIST_DOMAINS_PERSISTENT, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE = 1, 2
    VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT = 4, 8
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING = VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT = 0
    VIR_DOMAIN_STATS_STATE = VIR_DOMAIN_STATS_BLOCK = 0
    VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_CRASHED, VIR_DOMAIN_XML_INACTIVE = 5, 6, 2


class Domain:
    """A machine that is off; its driver knows nothing of snapshots, or fails with another error."""

    def __init__(self, code: int) -> None:
        self._code = code

    def UUIDString(self) -> str:
        return "uuid-guest"

    def name(self) -> str:
        return "guest"

    def XMLDesc(self, _flags: int) -> str:
        return domain_xml("guest", disk_xml("/vm/guest.img"))

    def state(self, _flags: int) -> tuple[int, int]:
        return 5, 0

    def listAllSnapshots(self, _flags: int) -> list[Any]:
        raise LibvirtError(self._code)

    def listAllCheckpoints(self, _flags: int) -> list[Any]:
        raise LibvirtError(self._code)


class Connection:
    """``refuses``: the flags by which it cannot list."""

    def __init__(self, code: int = NO_SUPPORT, refuses: int = 4 | 8) -> None:
        self._code, self._refuses = code, refuses

    def listAllDomains(self, flags: int) -> list[Domain]:
        if flags & self._refuses:
            raise LibvirtError(self._code)
        return [] if flags == 2 else [Domain(self._code)]

    def getAllDomainStats(self, _wanted: int, _flags: int) -> list[Any]:
        raise LibvirtError(self._code)

    def isAlive(self) -> bool:
        return True


def read(connection: Connection) -> Inventory:
    trouble: list[str] = []
    found = domains.read(Sdk, connection, Crew(1), trouble, lambda _done, _total: None)
    raw = raw_host(*found, driver="Xen", trouble=trouble)
    return inventory(
        raw,
        UnreachableFiles("they are files of another machine"),
        endpoint=Endpoint(name="xen1", kind="libvirt", url="xen:///system"),
        collected_at=NOW,
        is_local=True,
        is_verified=True,
    )


def test_a_driver_without_snapshots_is_no_error() -> None:
    found = read(Connection())
    assert found.coverage.state is CoverageState.COMPLETE
    assert found.gaps == ()
    [guest] = found.virtual_machines
    assert guest.snapshots == ()
    assert any("has no snapshots" in each for each in found.blind_spots)


def test_a_driver_that_lists_them_and_cannot_read_any_is_no_error_either() -> None:
    class Lists(Connection):
        def listAllDomains(self, flags: int) -> list[Domain]:
            return [] if flags in (2, 8) else [Domain(NO_SUPPORT)]

    found = read(Lists())
    assert found.coverage.state is CoverageState.COMPLETE
    assert found.virtual_machines[0].snapshots == ()


def test_any_other_error_stays_a_gap() -> None:
    found = read(Connection(OPERATION_FAILED))
    assert found.coverage.state is CoverageState.PARTIAL


def test_a_host_that_has_snapshots_is_not_said_to_have_none() -> None:
    found = inventory(
        raw_host(),
        UnreachableFiles("they are files of another machine"),
        endpoint=Endpoint(name="kvm1", kind="libvirt", url="qemu:///system"),
        collected_at=NOW,
        is_local=True,
        is_verified=True,
    )
    assert not any("plain Xen" in each for each in found.blind_spots)
