"""What is told of a pool before anybody audits it or deletes on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from snapaudit.errors import UsageError
from snapaudit.hypervisors.xen import XEN
from snapaudit.model.endpoint import Account
from snapaudit.model.examination import Peer, Probe, ProbeState
from snapaudit.ports import Examinable
from tests.beds.xapi.office import User
from tests.beds.xapi.server import XapiBed
from tests.builders import NOW
from tests.canaries import REFUSED
from tests.hypervisors.xen.office import CHANGING
from tests.hypervisors.xen.visiting import PASSWORD, endpoint


def examined(bed: XapiBed, *, password: str = PASSWORD, **more: Any) -> dict[str, Probe]:
    probes = XEN.examine(endpoint(bed, **more), password, PASSWORD, NOW)
    found = {probe.name: probe for probe in probes}
    assert bed.office.sessions == {}
    assert not set(CHANGING) & set(bed.counts)
    return found


def states(found: dict[str, Probe]) -> dict[str, ProbeState]:
    return {name: probe.state for name, probe in found.items()}


def staged(bed: XapiBed) -> None:
    bed.world.snapshot(bed.world.vm("web"), "s")
    bed.office.users |= {
        "audit": User(PASSWORD, "read-only"), "clean": User(PASSWORD, "vm-admin"),
    }  # fmt: skip


def test_a_pool_as_it_should_be(bed: XapiBed) -> None:
    staged(bed)
    found = examined(bed, user="audit", enforce_as=Account(username="clean"))
    assert set(states(found).values()) == {ProbeState.OK}
    assert list(found) == [
        "login", "versions", "clock", "visible", "audit rights", "enforcement login",
        "enforcement rights",
    ]  # fmt: skip
    assert "XCP-ng 8.3.0" in found["versions"].sentence
    assert isinstance(XEN, Examinable)


def test_an_account_that_may_do_more_than_it_needs_is_told(bed: XapiBed) -> None:
    staged(bed)
    found = examined(bed, enforce_as=Account(username="root"))
    assert found["audit rights"].state is ProbeState.WARNING
    assert found["enforcement rights"].state is ProbeState.WARNING
    assert "read-only" in (found["audit rights"].repair or "")


def test_an_account_that_may_not_delete_is_told(bed: XapiBed) -> None:
    staged(bed)
    found = examined(bed, user="audit", enforce_as=Account(username="audit"))
    assert found["enforcement rights"].state is ProbeState.FAILED
    assert "VM.destroy" in found["enforcement rights"].sentence
    assert "vm-admin" in (found["enforcement rights"].repair or "")


@pytest.mark.parametrize(("skew", "state"), [(0, ProbeState.OK), (300, ProbeState.WARNING)])
def test_a_clock_that_is_off(bed: XapiBed, skew: int, state: ProbeState) -> None:
    staged(bed)
    bed.world.skew = timedelta(seconds=skew)
    assert examined(bed, user="audit")["clock"].state is state


def test_a_wrong_password_ends_it_with_the_repair(bed: XapiBed) -> None:
    found = examined(bed, password=REFUSED)
    assert states(found) == {"login": ProbeState.FAILED}
    assert found["login"].repair


def test_an_acting_account_that_cannot_log_in(bed: XapiBed) -> None:
    staged(bed)
    found = examined(bed, user="audit", enforce_as=Account(username="nobody"))
    assert found["enforcement login"].state is ProbeState.FAILED
    assert "enforcement rights" not in found


def test_a_pool_that_shows_nothing(bed: XapiBed) -> None:
    assert examined(bed)["visible"].state is ProbeState.WARNING


def test_where_a_pool_listens(bed: XapiBed) -> None:
    assert XEN.peer(endpoint(bed)) == Peer(host="localhost", port=bed.port)
    with pytest.raises(UsageError):
        XEN.peer(endpoint(bed, url="ftp://pool"))
