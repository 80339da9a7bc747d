"""What goes over the wire: few calls, none that changes anything, and what a broken line means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from snapaudit.app.gather import collect
from snapaudit.app.reading import Secrets
from snapaudit.app.reading import collect as read_one
from snapaudit.model.endpoint import Account, Endpoint, SecretReference, SecretSource
from snapaudit.model.inventory import CoverageState
from tests.beds.libvirtd import LibvirtBed
from tests.beds.line import Line
from tests.beds.proxy import Proxy
from tests.beds.zoo import Zoo
from tests.canaries import REFUSED
from tests.hypervisors.libvirt.test_real_qemu import read

pytestmark = pytest.mark.bed

WRONG = SecretReference(source=SecretSource.ENV, name="WRONG")

# Procedure numbers of libvirt's remote protocol (src/remote/remote_protocol.x) that only read.
READING = {
    1: "connect open",
    2: "connect close",
    3: "connect get type",
    4: "connect get version",
    7: "connect get capabilities",
    14: "domain get xml desc",
    59: "connect get hostname",
    60: "connect supports feature",
    66: "auth list",
    88: "storage pool get xml desc",
    99: "storage volume get xml desc",
    157: "connect get lib version",
    163: "domain get job info",
    186: "domain snapshot get xml desc",
    191: "domain snapshot current",
    273: "connect list all domains",
    274: "domain list all snapshots",
    281: "connect list all storage pools",
    282: "storage pool list all volumes",
    344: "connect get all domain stats",
    412: "domain list all checkpoints",
    413: "domain checkpoint get xml desc",
}


def test_inv_12_an_audit_sends_only_calls_that_read(libvirt_zoo: Zoo) -> None:
    with Proxy(libvirt_zoo.bed.daemon.port) as proxy:
        read(libvirt_zoo.bed.tcp_uri(proxy.port))
        sent = proxy.counts.procedures()
    assert set(sent) - set(READING) == set()
    assert sum(sent.values()) == proxy.counts.total


def test_calls_are_one_a_snapshot_and_three_a_machine_that_has_some(libvirt_zoo: Zoo) -> None:
    with Proxy(libvirt_zoo.bed.daemon.port) as proxy:
        read(libvirt_zoo.bed.tcp_uri(proxy.port))
        sent = proxy.counts.procedures()
    machines = list(libvirt_zoo.machines.values())
    with_snapshots = sum(bool(machine.snapshots) for machine in machines)
    assert sent[186] == sum(len(machine.snapshots) for machine in machines)
    assert sent[274] == sent[191] == with_snapshots
    assert sent[344] == 1
    # Once the live definition of each, and of a running persistent one that of its next start.
    running = sum(m.power != "off" and m.persistent for m in machines)
    assert sent[14] == len(machines) + running


@pytest.mark.parametrize("after", [0, 400, 3_000, 20_000, 60_000])
def test_line_that_breaks_in_the_middle_leaves_the_endpoint_missing_and_not_half_clean(
    libvirt_zoo: Zoo, after: int
) -> None:
    with Proxy(libvirt_zoo.bed.daemon.port, Line(reset_after=after)) as proxy:
        endpoint = Endpoint(name="bed", kind="libvirt", url=libvirt_zoo.bed.tcp_uri(proxy.port))
        (seen,) = collect((endpoint,), datetime.now(UTC), lambda _: None, lambda _: None)
    assert seen.coverage.state is CoverageState.MISSING
    assert seen.coverage.reason
    assert seen.virtual_machines == ()


@pytest.mark.parametrize("after", [0, 3_000, 20_000])
def test_line_that_falls_silent_ends_at_the_deadline(libvirt_zoo: Zoo, after: int) -> None:
    with Proxy(libvirt_zoo.bed.daemon.port, Line(silent_after=after)) as proxy:
        endpoint = Endpoint(
            name="bed",
            kind="libvirt",
            url=libvirt_zoo.bed.tcp_uri(proxy.port),
            deadline=timedelta(seconds=3),
        )
        seen = read_one(endpoint, Secrets(), datetime.now(UTC))
    assert seen.coverage.state is CoverageState.MISSING
    assert "deadline of 3 s" in (seen.coverage.reason or "")


@pytest.mark.parametrize(
    "account",
    [
        Account(),
        Account(username="audit"),
        Account(username="audit", password=WRONG),
    ],
    ids=["no login", "no password", "wrong password"],
)
def test_refused_login_is_missing_with_the_repair(account: Account) -> None:
    with LibvirtBed(tcp_login="sasl") as bed:
        endpoint = Endpoint(name="bed", kind="libvirt", url=bed.tcp_uri(), account=account)
        password = REFUSED if account.password else None
        (seen,) = collect((endpoint,), datetime.now(UTC), lambda _: password, lambda _: None)
    assert seen.coverage.state is CoverageState.MISSING
    assert seen.coverage.reason is not None
    assert "check the endpoint's username and password" in seen.coverage.reason


def test_endpoints_are_read_side_by_side_and_one_dead_one_harms_no_other(libvirt_zoo: Zoo) -> None:
    bed = libvirt_zoo.bed
    with Proxy(bed.daemon.port, Line(silent_after=0)) as dead:
        endpoints = (
            Endpoint(name="alive", kind="libvirt", url=bed.uri),
            Endpoint(
                name="dead",
                kind="libvirt",
                url=bed.tcp_uri(dead.port),
                deadline=timedelta(seconds=2),
            ),
            Endpoint(name="never", kind="libvirt", url="qemu+tcp://127.0.0.1:1/system"),
        )
        seen = collect(endpoints, datetime.now(UTC), lambda _: None, lambda _: None)
    states = {inventory.endpoint: inventory.coverage.state for inventory in seen}
    assert states == {
        "alive": CoverageState.COMPLETE,
        "dead": CoverageState.MISSING,
        "never": CoverageState.MISSING,
    }
