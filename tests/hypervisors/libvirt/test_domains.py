"""What may happen between two calls. A real daemon cannot be made to do it at the right moment, so
a small stand-in for its library answers here; its errors carry libvirt's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from snapaudit.hypervisors.libvirt import domains
from snapaudit.hypervisors.libvirt.crew import Crew
from snapaudit.hypervisors.libvirt.raw import RawDomain

NO_DOMAIN, NO_SNAPSHOT, DENIED, BROKEN = 42, 72, 88, 38


class LibvirtError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"error {code}")
        self.code = code

    def get_error_code(self) -> int:
        return self.code

    def get_error_message(self) -> str:
        return str(self)


class Sdk:
    libvirtError = LibvirtError
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING = 1
    VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT = 2
    VIR_DOMAIN_STATS_STATE = VIR_DOMAIN_STATS_BLOCK = 4
    VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_CRASHED, VIR_DOMAIN_XML_INACTIVE = 5, 6, 8
    VIR_CONNECT_LIST_DOMAINS_PERSISTENT = 16
    VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE = 17
    VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT = 18
    VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT = 19


class Snapshot:
    def __init__(self, name: str, read: Callable[[], str] | None = None) -> None:
        self._name, self._read = name, read or (lambda: f"<{name}/>")

    def getName(self) -> str:
        return self._name

    def getXMLDesc(self, _: int) -> str:
        return self._read()


class Domain:
    def __init__(self, name: str = "web", *listings: list[Snapshot]) -> None:
        self._name, self._listings = name, list(listings) or [[]]
        self.trouble: LibvirtError | None = None

    def UUIDString(self) -> str:
        return f"uuid-{self._name}"

    def name(self) -> str:
        return self._name

    def state(self, _: int) -> tuple[int, int]:
        return 5, 0

    def XMLDesc(self, _: int) -> str:
        if self.trouble:
            raise self.trouble
        return "<domain/>"

    def listAllSnapshots(self, _: int) -> list[Snapshot]:
        return self._listings.pop(0) if len(self._listings) > 1 else self._listings[0]

    def snapshotCurrent(self, _: int) -> Snapshot:
        return self._listings[0][-1]

    def listAllCheckpoints(self, _: int) -> list[Any]:
        return []


class Connection:
    """All domains carry all marks; a flag in ``fails`` cannot be asked for."""

    def __init__(self, *found: Domain, fails: tuple[int, ...] = (), alive: bool = True) -> None:
        self._found, self._fails, self._alive = found, fails, alive

    def listAllDomains(self, flag: int) -> list[Domain]:
        if flag in self._fails:
            raise LibvirtError(DENIED)
        return list(self._found)

    def getAllDomainStats(self, _: int, __: int) -> list[tuple[Domain, dict[str, int]]]:
        return [(domain, {"state.state": 5, "state.reason": 1}) for domain in self._found]

    def isAlive(self) -> bool:
        return self._alive


def read(connection: Connection) -> tuple[list[RawDomain], list[str]]:
    trouble: list[str] = []
    return domains.read(Sdk, connection, Crew(2), trouble, lambda _, __: None), trouble


def gone(code: int) -> Callable[[], str]:
    def fail() -> str:
        raise LibvirtError(code)

    return fail


def test_list_by_a_mark_that_fails_makes_every_domain_be_asked_and_is_told() -> None:
    domain = Domain("web", [Snapshot("s1")])
    marked = Sdk.VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT
    (raw,), trouble = read(Connection(domain, fails=(marked,)))
    assert raw["snapshots"] == ["<s1/>"]
    assert any("HAS_SNAPSHOT" in line for line in trouble)


def test_mark_that_nobody_could_read_is_trouble_of_the_domain_and_so_protects_it() -> None:
    for mark in (Sdk.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, Sdk.VIR_CONNECT_LIST_DOMAINS_PERSISTENT):
        (raw,), _ = read(Connection(Domain(), fails=(mark,)))
        assert len(raw["trouble"]) == 1


def test_snapshot_that_vanishes_makes_all_be_read_again_since_its_neighbours_changed() -> None:
    before = [Snapshot("s1"), Snapshot("s2", gone(NO_SNAPSHOT))]
    (raw,), _ = read(Connection(Domain("web", before, [Snapshot("s1", lambda: "<rewritten/>")])))
    assert raw["snapshots"] == ["<rewritten/>"]
    assert raw["trouble"] == []


def test_domain_that_vanishes_is_left_out_and_the_others_stay() -> None:
    lost = Domain("lost")
    lost.trouble = LibvirtError(NO_DOMAIN)
    found, trouble = read(Connection(lost, Domain("web")))
    assert [raw["name"] for raw in found] == ["web"]
    assert trouble == []


def test_domain_that_may_not_be_read_stays_with_its_trouble() -> None:
    secret = Domain("secret")
    secret.trouble = LibvirtError(DENIED)
    found, _ = read(Connection(secret, Domain("web")))
    assert {raw["name"]: raw["trouble"] for raw in found} == {
        "secret": [f"error {DENIED}"],
        "web": [],
    }


def test_lost_connection_ends_the_reading_and_is_no_trouble_of_a_domain() -> None:
    cut = Domain("cut")
    cut.trouble = LibvirtError(BROKEN)
    with pytest.raises(LibvirtError):
        read(Connection(cut, Domain("web"), alive=False))
