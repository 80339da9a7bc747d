"""A session that ends is opened again at the same server, and at no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from snapaudit.errors import HypervisorError
from snapaudit.hypervisors.vsphere.connecting import reading_service
from snapaudit.model.endpoint import Account, Endpoint, Tls
from tests.beds.simulator import PASSWORD, USER, Simulator
from tests.beds.soapline import SoapLine

pytestmark = pytest.mark.bed
ANOTHER = "0f5f7a52-0000-4000-8000-000000000002"
NAMES = {"VirtualMachine": ("name",)}


@pytest.fixture
def line() -> Iterator[SoapLine]:
    with Simulator(vms=2) as simulator, SoapLine(simulator) as before:
        yield before


def logged_in(line: SoapLine) -> Any:
    account = Account(username=USER)
    endpoint = Endpoint(
        name="vc", kind="vsphere", url=line.url, account=account, tls=Tls(ca_file=str(line.ca_file))
    )
    return reading_service(endpoint, account, PASSWORD)


def test_session_that_ended_is_opened_again_and_the_reading_is_whole(line: SoapLine) -> None:
    with closing(logged_in(line)) as service:
        line.upstream.tell("expire")
        assert len(list(service.read(NAMES))) == 2
    assert line.counts.arrived["Login"] == 2


def test_i5_password_is_not_given_to_another_server_at_the_same_address(line: SoapLine) -> None:
    with Simulator(vms=2, uuid=ANOTHER) as other, closing(logged_in(line)) as service:
        line.upstream.tell("expire")
        line.lead_to(other)
        service._session.stub.DropConnections()
        with pytest.raises(HypervisorError, match="another server answers by now"):
            list(service.read(NAMES))
        assert line.counts.arrived["Login"] == 1
