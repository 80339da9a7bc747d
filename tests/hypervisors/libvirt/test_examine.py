"""What doctor looks at on libvirt."""

from __future__ import annotations

import pytest

from snapaudit.errors import UsageError
from snapaudit.hypervisors.libvirt import LIBVIRT
from snapaudit.hypervisors.libvirt.address import parse_address
from snapaudit.hypervisors.libvirt.examine import peer_of
from snapaudit.model.endpoint import Account, Endpoint, Tls
from snapaudit.model.examination import Peer, Probe, ProbeState
from snapaudit.ports import Examinable
from tests.builders import NOW


def endpoint(url: str = "test:///default", enforce_as: str | None = None) -> Endpoint:
    account = None if enforce_as is None else Account(username=enforce_as)
    return Endpoint(name="kvm1", kind="libvirt", url=url, enforce_as=account)


def probes(where: Endpoint) -> dict[str, Probe]:
    return {probe.name: probe for probe in LIBVIRT.examine(where, None, None, NOW)}


@pytest.mark.parametrize(
    ("url", "peer"),
    [
        ("qemu:///system", None),
        ("test:///default", None),
        ("qemu+ssh://root@kvm1/system", None),
        ("qemu+unix:///system", None),
        ("qemu+tls://kvm1/system", Peer(host="kvm1", port=16514, checks_itself=True)),
        ("qemu://kvm1/system", Peer(host="kvm1", port=16514, checks_itself=True)),
        ("qemu+tcp://kvm1:1234/system", Peer(host="kvm1", port=1234, is_tls=False)),
    ],
)
def test_peer_is_whom_libvirt_itself_connects_to(url: str, peer: Peer | None) -> None:
    assert peer_of(parse_address(url)) == peer


def test_libvirt_can_be_examined() -> None:
    assert isinstance(LIBVIRT, Examinable)


def test_versions_and_what_is_visible_are_told() -> None:
    found = probes(endpoint())
    assert {probe.state for probe in found.values()} == {ProbeState.OK}
    assert found["visible"].sentence == "1 machine, 1 storage pool"
    assert found["versions"].sentence.startswith("libvirt ")
    assert not any(name.startswith("enforcement") for name in found)
    assert "libvirt-python" in found["versions"].sentence


def test_acting_account_is_tried_with_a_writable_connection() -> None:
    found = probes(endpoint(enforce_as="clean"))
    assert found["enforcement login"].state is ProbeState.OK
    assert found["enforcement rights"].state is ProbeState.OK


def test_daemon_that_is_not_there_is_a_login_that_failed() -> None:
    [probe] = probes(endpoint("qemu+unix:///system?socket=/nowhere/sock")).values()
    assert (probe.name, probe.state) == ("login", ProbeState.FAILED)
    assert not probe.sentence.startswith("kvm1: ")


def test_settings_that_libvirt_would_not_heed_are_refused() -> None:
    where = Endpoint(name="kvm1", kind="libvirt", url="test:///default", tls=Tls(verify=False))
    with pytest.raises(UsageError):
        probes(where)
