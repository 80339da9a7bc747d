"""Examining an endpoint, over a service of our own and the REST interface beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from snapaudit.errors import AccessDenied, Unreachable, UsageError
from snapaudit.hypervisors.vsphere.examine import examine, peer_of
from snapaudit.hypervisors.vsphere.raw import About, RawObject, RawTask
from snapaudit.hypervisors.vsphere.rights import REMOVING, SEEING
from snapaudit.model.endpoint import Account, Endpoint, Tls
from snapaudit.model.examination import Peer, Probe, ProbeState
from tests.builders import NOW
from tests.canaries import ACTING
from tests.hypervisors.vsphere.restserver import PASSWORD, USER, Tagging, certified, serving
from tests.hypervisors.vsphere.silent import SilentService

CLEANER = "clean@vsphere.local"
THINGS = (
    RawObject("Folder", "group-v3", {"parent": "group-d1"}),
    RawObject("VirtualMachine", "vm-1", {"name": "web01"}),
    RawObject("HostSystem", "host-1", {"name": "esx1"}),
    RawObject("Datastore", "datastore-1", {"name": "ssd"}),
)


class Manager(SilentService):
    """A server as it should be; what is handed in is otherwise."""

    def __init__(self, *, ahead: float = 0.0, holds: Sequence[str] = SEEING, **faults: Exception):
        self._ahead, self._holds, self._faults = ahead, holds, faults
        self.is_open = True

    @property
    def about(self) -> About:
        return About("uuid", "VMware vCenter Server 8.0.3", "VirtualCenter", "8.0.3.0")

    def clock(self) -> datetime:
        return NOW + timedelta(seconds=self._ahead)

    def read(self, wanted: Mapping[str, Sequence[str]]) -> Iterator[RawObject]:
        self._may("read")
        yield from (one for one in THINGS if one.kind in wanted)

    def creations(self, since: datetime) -> Iterator[RawTask]:
        self._may("creations")
        yield from ()

    def privileges(
        self, moids: Sequence[str], kinds: Mapping[str, str], names: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        self._may("privileges")
        return {moid: frozenset(names) & frozenset(self._holds) for moid in moids}

    def close(self) -> None:
        self.is_open = False

    def _may(self, what: str) -> None:
        if what in self._faults:
            raise self._faults[what]


class Door:
    """Lets accounts in, each to its manager."""

    def __init__(self, **managers: Manager | Exception) -> None:
        self._managers = managers
        self.asked: list[tuple[str | None, str | None]] = []

    def __call__(self, _: Endpoint, account: Account, password: str | None) -> Manager:
        self.asked.append((account.username, password))
        found = self._managers["cleaner" if account.username == CLEANER else "auditor"]
        if isinstance(found, Exception):
            raise found
        return found


def endpoint(**changes: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "name": "vc1",
        "kind": "vsphere",
        "url": "https://vc.example.org",
        "account": Account(username=USER),
        "options": {"tags": False},
    }
    return Endpoint(**{**fields, **changes})


def probes(door: Door, where: Endpoint | None = None) -> dict[str, Probe]:
    found = examine(where or endpoint(), PASSWORD, ACTING, NOW, log_in=door)
    return {probe.name: probe for probe in found}


def test_everything_well_is_said_so_with_its_numbers() -> None:
    manager = Manager(ahead=2.0)
    found = probes(Door(auditor=manager))
    assert {probe.state for probe in found.values()} == {ProbeState.OK}
    assert "API 8.0.3.0; pyvmomi " in found["versions"].sentence
    assert "1 machine, 1 host, 1 datastore" in found["visible"].sentence
    assert "2 s ahead of ours" in found["clock"].sentence
    assert not manager.is_open


@pytest.mark.parametrize("ahead", [-61.0, 62.0])
def test_clock_that_is_off_by_more_than_a_minute_is_told(ahead: float) -> None:
    found = probes(Door(auditor=Manager(ahead=ahead)))["clock"]
    assert found.state is ProbeState.WARNING
    assert ("ahead of" if ahead > 0 else "behind") in found.sentence


def test_login_that_is_refused_ends_the_examination_with_its_repair() -> None:
    found = probes(Door(auditor=AccessDenied("vc1: https://vc: Cannot complete login")))
    [probe] = found.values()
    assert (probe.name, probe.state) == ("login", ProbeState.FAILED)
    assert probe.sentence == "https://vc: Cannot complete login"
    assert probe.repair is not None


def test_rights_that_the_server_does_not_tell_are_unknown_and_the_rest_goes_on() -> None:
    found = probes(Door(auditor=Manager(privileges=Unreachable("not offered"))))
    assert found["rights"].state is ProbeState.UNKNOWN
    assert found["creators"].state is ProbeState.OK


def test_tasks_that_may_not_be_read_are_told_unless_nobody_asks_for_them() -> None:
    door = Door(auditor=Manager(creations=AccessDenied("no right")))
    assert probes(door)["creators"].state is ProbeState.WARNING
    quiet = endpoint(options={"tags": False, "creators": False})
    assert "creators" not in probes(door, quiet)


def test_connection_that_breaks_in_the_middle_is_raised_after_what_was_seen() -> None:
    door = Door(auditor=Manager(read=Unreachable("reset")))
    looking = examine(endpoint(), PASSWORD, None, NOW, log_in=door)
    assert [next(looking).name for _ in range(3)] == ["login", "versions", "clock"]
    with pytest.raises(Unreachable):
        next(looking)


def test_acting_account_logs_in_with_its_own_password_and_is_looked_at_by_reading() -> None:
    cleaner = Manager(holds=(*SEEING, REMOVING))
    door = Door(auditor=Manager(), cleaner=cleaner)
    found = probes(door, endpoint(enforce_as=Account(username=CLEANER)))
    assert door.asked == [(USER, PASSWORD), (CLEANER, ACTING)]
    assert {probe.state for probe in found.values()} == {ProbeState.OK}
    assert "1 machine" in found["enforcement rights"].sentence
    assert not cleaner.is_open


def test_acting_account_that_is_refused_is_told() -> None:
    door = Door(auditor=Manager(), cleaner=AccessDenied("vc1: refused"))
    found = probes(door, endpoint(enforce_as=Account(username=CLEANER)))
    assert found["enforcement login"].state is ProbeState.FAILED
    assert found["visible"].state is ProbeState.OK


def test_peer_is_the_address_in_the_url() -> None:
    assert peer_of(endpoint(url="https://vc:8443/sdk")) == Peer(host="vc", port=8443)
    with pytest.raises(UsageError):
        peer_of(endpoint(url="http://vc"))


@pytest.mark.bed
@pytest.mark.parametrize(("status", "state"), [(0, ProbeState.OK), (503, ProbeState.WARNING)])
def test_tags_are_tried_over_the_other_interface(
    tmp_path: Path, status: int, state: ProbeState
) -> None:
    service = Tagging(statuses={"/": status} if status else {})
    service.tag("Environment", "prod", "vm-1")
    with serving(service, certified(tmp_path)):
        tls = Tls(ca_file=str(tmp_path / "cacert.pem"))
        where = endpoint(url=f"https://localhost:{service.port}", tls=tls, options={})
        found = probes(Door(auditor=Manager()), where)["tags"]
    assert found.state is state
    assert status or found.sentence == "1 of 1 machines carry tags"
