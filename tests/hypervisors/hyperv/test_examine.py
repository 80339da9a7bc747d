"""What is told of a Windows host before anybody audits it or deletes on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from snapaudit.errors import UsageError
from snapaudit.hypervisors.hyperv import HYPERV
from snapaudit.model.endpoint import Account, Tls
from snapaudit.model.examination import Peer, Probe, ProbeState
from snapaudit.ports import Examinable
from tests.beds.wsman.faults import Faults
from tests.beds.wsman.papers import Papers
from tests.beds.wsman.powershell import Respond
from tests.beds.wsman.recording import NOW, printed, rows
from tests.beds.wsman.server import Host
from tests.canaries import REFUSED
from tests.hypervisors.hyperv.wires import PASSWORD, USER, endpoint

Change = Callable[[list[dict[str, Any]]], object]
ASKER = {
    "k": "self", "user": "HV1\\audit", "vmms": True, "module": "2.0.0.0",
    "admin": True, "hyperv": False,
}  # fmt: skip


def told(change: Change = lambda _: None) -> Respond:
    """A host with two machines that says who asks; only the audit's own script may be run."""
    said = rows(machines=2)
    said.insert(1, dict(ASKER))
    change(said)

    def respond(script: str, argument: Mapping[str, Any]) -> Iterator[str]:
        assert script == "collect"
        assert argument == {"sizes": False, "folders": False, "examine": True}
        yield from printed(said)

    return respond


def cut_after_the_lists_failed(said: list[dict[str, Any]], message: str) -> None:
    said[2:] = [{"k": "err", "where": "vms", "id": None, "fqid": "x", "hr": 5, "msg": message}]


def examined(
    host: Host, *, password: str = PASSWORD, after: timedelta = timedelta(0), **more: Any
) -> dict[str, Probe]:
    probes = HYPERV.examine(endpoint(host.url, **more), password, PASSWORD, NOW + after)
    found = {probe.name: probe for probe in probes}
    assert host.left_open == 0
    return found


def states(found: dict[str, Probe]) -> dict[str, ProbeState]:
    return {name: probe.state for name, probe in found.items() if probe.state is not ProbeState.OK}


def test_a_host_as_it_should_be(host_papers: Papers) -> None:
    with Host(told(), tls=host_papers.context(), offers="Negotiate, Basic") as host:
        tls = Tls(ca_file=str(host_papers.ca_file))
        found = examined(host, tls=tls, enforce_as=Account(username=USER))
    assert states(found) == {"audit rights": ProbeState.WARNING}
    assert list(found) == [
        "listener", "login", "versions", "clock", "service", "visible", "audit rights",
        "enforcement login", "enforcement rights",
    ]  # fmt: skip
    assert found["listener"].sentence.endswith("offers the logins Basic, Negotiate; ntlm is used")
    assert found["login"].sentence == "HV1\\audit is logged in by ntlm, session winrs"
    assert "Windows 10.0.20348, PowerShell 5.1.20348.1" in found["versions"].sentence
    assert "Hyper-V module 2.0.0.0; pywinrm" in found["versions"].sentence
    assert found["visible"].sentence == "2 machines, 4 checkpoints"
    assert "(it is in Administrators)" in found["audit rights"].sentence
    assert "session: jea" in (found["audit rights"].repair or "")
    assert isinstance(HYPERV, Examinable)


def test_grd_35_without_tls_nobody_proves_who_answers() -> None:
    with Host(told()) as host:
        assert examined(host)["tls"].state is ProbeState.WARNING


def test_a_login_that_the_host_does_not_offer_is_told_before_any_password_is_sent(
    host_papers: Papers,
) -> None:
    heard: list[str] = []
    with Host(told(), tls=host_papers.context(), offers="Negotiate") as host:
        host.overheard = heard.append
        found = examined(host, transport="basic", tls=Tls(ca_file=str(host_papers.ca_file)))
    assert states(found) == {"listener": ProbeState.FAILED}
    assert 'auth @{Basic="true"}' in (found["listener"].repair or "")
    assert heard == []


def test_a_wrong_password_ends_it_with_the_repair() -> None:
    with Host(told()) as host:
        found = examined(host, password=REFUSED)
    assert states(found) == {"login": ProbeState.FAILED}
    assert found["login"].repair


def test_something_else_on_the_port_is_no_listener() -> None:
    with Host(told(), faults=Faults(redirect="http://127.0.0.1:9/")) as host:
        found = examined(host)
    assert states(found) == {"listener": ProbeState.FAILED}
    assert "HTTP status 307" in found["listener"].sentence


def test_a_stopped_service_is_told_beside_the_list_that_it_costs() -> None:
    def stopped(said: list[dict[str, Any]]) -> None:
        said[1]["vmms"] = False
        cut_after_the_lists_failed(said, "The service is stopped.")

    with Host(told(stopped)) as host:
        found = examined(host)
    assert found["service"].state is ProbeState.FAILED
    assert found["service"].repair == "Start-Service vmms on the host"
    assert found["visible"].state is ProbeState.FAILED


def test_an_account_that_may_not_list_machines_is_told_which_group_it_needs() -> None:
    with Host(told(lambda said: cut_after_the_lists_failed(said, "No permission."))) as host:
        found = examined(host, enforce_as=Account(username=USER))
    assert states(found)["visible"] is ProbeState.FAILED
    assert "Hyper-V Administrators" in (found["visible"].repair or "")
    assert "audit rights" not in found
    assert "enforcement login" not in found


@pytest.mark.parametrize(("after", "state"), [(0, ProbeState.OK), (300, ProbeState.WARNING)])
def test_a_clock_that_is_off(after: int, state: ProbeState) -> None:
    with Host(told()) as host:
        clock = examined(host, after=timedelta(seconds=after))["clock"]
    assert clock.state is state
    assert not after or re.fullmatch("its clock is 300 s behind ours", clock.sentence)


def test_an_older_script_on_a_jea_endpoint_tells_what_it_knows(host_papers: Papers) -> None:
    with Host(told(lambda said: said.pop(1)), tls=host_papers.context()) as host:
        found = examined(
            host,
            tls=Tls(ca_file=str(host_papers.ca_file)),
            options={"session": "jea", "configuration": "Snapaudit"},
            enforce_as=Account(username=USER),
        )
    assert states(found) == {"enforcement rights": ProbeState.WARNING}
    assert "service" not in found
    assert "Invoke-SnapauditRemove" in (found["enforcement rights"].repair or "")


def test_a_node_that_is_named_outside_the_domain_is_not_asked() -> None:
    def clustered(said: list[dict[str, Any]]) -> None:
        said[0] |= {"cluster": "C1", "nodes": ["HV1", "hv2.elsewhere.example"]}

    with Host(told(clustered)) as host:
        found = examined(host)
    assert found["node hv2"].state is ProbeState.FAILED
    assert "nodes:" in (found["node hv2"].repair or "")


def test_every_node_is_looked_at() -> None:
    with Host(told()) as host:
        found = examined(host, options={"nodes": "localhost"})
        gone = examined(host, options={"nodes": "nowhere.invalid"})
    assert found["node localhost"].state is ProbeState.OK
    assert found["node localhost"].sentence.startswith("2 machines; ")
    assert gone["node nowhere"].state is ProbeState.FAILED


def test_where_a_host_listens() -> None:
    assert HYPERV.peer(endpoint("https://hv1")) == Peer(host="hv1", port=5986)
    assert HYPERV.peer(endpoint("http://hv1")) == Peer(host="hv1", port=5985, is_tls=False)
    assert HYPERV.peer(endpoint("https://hv1", options={"proxy": "http://p:3128"})) is None
    with pytest.raises(UsageError):
        HYPERV.peer(endpoint("ftp://hv1"))
