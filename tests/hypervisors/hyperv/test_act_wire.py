"""The hand through everything that is between us and a host: NTLM, sealing or TLS, shells, scripts.

The host is the model behind our own WS-Man server; nothing here is Windows.
"""

from __future__ import annotations

import gc
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from snapaudit.errors import AccessDenied, CallRefused, HypervisorError, Unreachable, UsageError
from snapaudit.hypervisors.hyperv import HYPERV, delivery, visiting
from snapaudit.model.acting import Phase
from snapaudit.model.endpoint import Account, Endpoint, Tls
from snapaudit.model.journal import Event
from snapaudit.model.plan import VmId
from tests.beds import certificates
from tests.beds.wsman import powershell
from tests.beds.wsman.estate import Estate
from tests.beds.wsman.faults import CREATE, DENIED, RECEIVE, SEND
from tests.beds.wsman.host import Site
from tests.beds.wsman.papers import Papers
from tests.beds.wsman.server import Host
from tests.enforce.folders import quick_folder
from tests.hypervisors.hyperv.handling import action_on
from tests.hypervisors.hyperv.office import CLUSTER, ENDPOINT, Desk
from tests.hypervisors.hyperv.test_proxy import Tunnel
from tests.hypervisors.hyperv.wires import PASSWORD, endpoint

ODD = "a 'b\" `$(Remove-Item C:\\) [d] *?\r\nRemove-VMSnapshot *\r\n\u00e4\u4e2d\U0001f600\u2028;"


def verified(host: Host, papers: Papers, **changes: Any) -> Endpoint:
    return endpoint(host.url, name=ENDPOINT, tls=Tls(ca_file=str(papers.ca_file)), **changes)


@dataclass
class Wired:
    """A desk whose host is reached over the wire."""

    desk: Desk
    host: Host


@contextmanager
def wired(papers: Papers, *names: str, machine: str = "web01") -> Iterator[Wired]:
    """At the end nothing forbidden was asked for, every script was ours, and no shell is left."""
    with quick_folder() as folder:
        desk = Desk(folder)
        desk.vm = desk.estate.line(machine, *names)
        with Host(desk.site.node("HV1").respond, tls=papers.context()) as host:
            desk.endpoint = verified(host, papers)
            desk.runners = visiting.runners(desk.endpoint, desk.endpoint.account, PASSWORD)
            yield Wired(desk, host)
            assert host.shells.complaints == []
            assert host.left_open == 0
        desk.site.sound()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every command line that the host is asked to start."""
    started: list[str] = []
    check = powershell.check_command

    def noted(line: str, *, is_direct: bool) -> None:
        started.append(line)
        check(line, is_direct=is_direct)

    monkeypatch.setattr(powershell, "check_command", noted)
    return started


def test_planned_applied_and_merged_over_the_wire(host_papers: Papers) -> None:
    with wired(host_papers, "a", "b") as one:
        words = one.desk.estate.reads(one.desk.vm)
        assert one.desk.ends(one.desk.plan()) == [Event.DONE, Event.DONE]
        assert one.desk.vm.checkpoints == {}
        assert one.desk.estate.reads(one.desk.vm) == words
        assert [run.script for run in one.host.runs].count("remove") == 2


def test_grd_32_no_name_is_ever_in_a_command(host_papers: Papers, lines: list[str]) -> None:
    with wired(host_papers, ODD, machine=ODD) as one:
        one.desk.first.notes = ODD
        assert one.desk.ends(one.desk.plan()) == [Event.DONE]
        assert set(lines) == {" ".join((delivery.PROGRAM, *delivery.switches()))}
        [removal] = [run.argument for run in one.host.runs if run.script == "remove"]
        [target] = removal["targets"]
        assert (target["name"], target["notes"]) == (ODD, ODD)
        watched = [run.argument for run in one.host.runs if run.script == "watch"]
        assert all(ODD not in str(argument) for argument in watched)


def cut_while_removing(one: Wired) -> None:
    one.desk.site.surprise = lambda: setattr(one.host.faults, "cut", 1)


def drop_while_removing(one: Wired) -> None:
    one.desk.site.surprise = lambda: setattr(one.host.faults, "drop", frozenset({RECEIVE}))


def garbage_while_removing(one: Wired) -> None:
    one.desk.site.surprise = lambda: setattr(one.host.faults, "garbage", {RECEIVE: b"<a/>"})


def dies_while_removing(one: Wired) -> None:
    one.desk.site.surprise = lambda: setattr(one.host.faults, "refusals", {RECEIVE: DENIED})


LOST: dict[str, Callable[[Wired], None]] = {
    "cut": cut_while_removing,
    "connection lost": drop_while_removing,
    "garbage": garbage_while_removing,
    "refused afterwards": dies_while_removing,
}


@pytest.mark.parametrize("how", LOST)
def test_inv_16_answer_that_is_lost_is_unknown_and_the_removal_is_sent_once(
    host_papers: Papers, how: str
) -> None:
    with wired(host_papers, "a") as one:
        plan = one.desk.plan()
        LOST[how](one)
        assert one.desk.ends(plan) == [Event.UNKNOWN]
        faults = one.host.faults
        faults.cut, faults.drop, faults.garbage, faults.refusals = None, frozenset(), {}, {}
        one.desk.apply_until_used(plan)
        assert len(one.desk.site.sent) == 1
        assert [run.script for run in one.host.runs].count("remove") == 1
        assert one.desk.vm.checkpoints == {}


def test_watching_for_long_leaves_no_connection_behind(host_papers: Papers) -> None:
    with wired(host_papers, "a") as one, acting(one) as (hand, call):
        hand.send(call)
        made = one.host.connections
        gc.disable()
        try:
            for _ in range(5):
                looking = HYPERV.actuator(one.desk.endpoint, PASSWORD)
                looking.observe(VmId(one.desk.vm.id))
                assert looking.watch(call, None).phase is Phase.RUNNING
            assert one.host.connections >= made + 10
            assert _until(lambda: one.host.open_connections == 0)
        finally:
            gc.enable()


def _until(holds: Callable[[], bool]) -> bool:
    """Whether it comes true; a server hears of a closed connection a little later."""
    for _ in range(200):
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_a_host_that_opens_no_shell_has_been_sent_nothing(host_papers: Papers) -> None:
    with wired(host_papers, "a") as one, acting(one) as (hand, call):
        one.host.faults.refusals = {CREATE: DENIED}
        with pytest.raises(CallRefused, match="nothing was sent"):
            hand.send(call)
        one.host.faults.refusals = {}
        assert one.desk.site.sent == []


def test_a_script_whose_sending_broke_may_have_arrived(host_papers: Papers) -> None:
    with wired(host_papers, "a") as one, acting(one) as (hand, call):
        one.host.faults.drop = frozenset({SEND})
        with pytest.raises(Unreachable) as told:
            hand.send(call)
        one.host.faults.drop = frozenset()
        assert not isinstance(told.value, CallRefused)
        assert len(one.desk.site.sent) == 1


@contextmanager
def acting(one: Wired) -> Iterator[tuple[Any, Any]]:
    """The real platform's hand, and the call that is due."""
    hand = HYPERV.actuator(one.desk.endpoint, PASSWORD)
    seen = hand.observe(VmId(one.desk.vm.id))
    action = action_on(seen, one.desk.vm.id, one.desk.first.id)
    call = hand.next_call(action, seen, ())
    assert call is not None
    yield hand, call
    hand.close()


def test_the_platform_collects_and_acts_by_itself(host_papers: Papers) -> None:
    estate = Estate(lambda: datetime.now(UTC))
    vm = estate.line("web01", "a")
    site = Site(estate)
    with Host(site.node("HV1").respond, tls=host_papers.context()) as host:
        chosen = verified(host, host_papers)
        found = HYPERV.collect(chosen, PASSWORD, datetime.now(UTC), lambda _: None)
        assert [one.name for one in found.virtual_machines] == ["web01"]
        assert found.connection_verified is True
        hand = HYPERV.actuator(chosen, PASSWORD)
        seen = hand.observe(VmId(vm.id))
        [target] = vm.checkpoints
        call = hand.next_call(action_on(seen, vm.id, target), seen, ())
        assert call is not None
        assert hand.send(call) is None
        assert site.sent == [target]
        assert hand.watch(call, None).phase is Phase.RUNNING
        assert host.left_open == 0
    site.sound()


class Router(Tunnel):
    """A proxy behind which each host has a port of its own."""

    routes: Mapping[str, int] = {}

    def leads_to(self, name: str, port: str) -> int:
        assert port == "5986"
        return self.routes[name]


def test_machine_of_another_node_is_removed_on_it_and_followed_to_a_third(tmp_path: Path) -> None:
    names = [f"{node.lower()}.lab.example" for node in CLUSTER]
    certificates.server(certificates.authority(tmp_path), *names)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "servercert.pem", tmp_path / "serverkey.pem")
    desk = Desk(tmp_path / "state", is_cluster=True)
    desk.vm = desk.estate.line("web01", "a", node="HV2")
    with ExitStack() as stack:
        router = stack.enter_context(Router())
        hosts = [stack.enter_context(Host(desk.site.node(n).respond, tls=tls)) for n in CLUSTER]
        router.routes = {n: host.port for n, host in zip(names, hosts, strict=True)}
        desk.endpoint = endpoint(
            f"https://{names[0]}",
            name=ENDPOINT,
            tls=Tls(ca_file=str(tmp_path / "cacert.pem")),
            options={"proxy": router.url},
        )
        desk.runners = visiting.runners(desk.endpoint, desk.endpoint.account, PASSWORD)
        plan = desk.plan()
        desk.estate.in_a_while(8, lambda: setattr(desk.vm, "node", "HV3"))
        assert desk.ends(plan) == [Event.DONE]
        ran = [{run.script for run in host.runs} for host in hosts]
        assert ran == [{"collect"}, {"collect", "remove", "watch"}, {"collect", "watch"}]
        assert [host.left_open for host in hosts] == [0, 0, 0]
    desk.site.sound()


def test_grd_36_the_acting_account_is_the_one_that_logs_in(host_papers: Papers) -> None:
    estate = Estate(lambda: datetime.now(UTC))
    estate.line("web01", "a")
    with Host(Site(estate).node("HV1").respond, tls=host_papers.context()) as host:
        chosen = verified(host, host_papers, enforce_as=Account(username="nobody"))
        hand = HYPERV.actuator(chosen, PASSWORD)
        with pytest.raises(AccessDenied):
            hand.observe(VmId("11111111-2222-4333-8444-555555555555"))


@pytest.mark.parametrize("way", ["http", "not verified"])
def test_grd_35_no_hand_over_a_line_on_which_nobody_proves_who_he_is(
    host_papers: Papers, way: str
) -> None:
    estate = Estate(lambda: datetime.now(UTC))
    tls = None if way == "http" else host_papers.context()
    with Host(Site(estate).node("HV1").respond, tls=tls) as host:
        chosen = endpoint(host.url, tls=Tls() if tls is None else Tls(verify=False))
        with pytest.raises(UsageError, match="nobody proves who answers"):
            HYPERV.actuator(chosen, PASSWORD)
        assert host.requests == 0


def test_nodes_are_reached_in_the_form_of_the_endpoints_url() -> None:
    chosen = Endpoint(
        name="hv",
        kind="hyperv",
        url="https://hv1.example.org:5999/x",
        account=Account(username="auditor"),
        transport="ntlm",
    )
    of = visiting.runners(chosen, chosen.account, PASSWORD)
    assert of("hv1.example.org").host == "https://hv1.example.org:5999"
    assert of("hv2.example.org").host == "https://hv2.example.org:5999"
    assert of("10.0.0.7").host == "https://10.0.0.7:5999"
    for name in ("a@b", "a/b", "a b", "a:1", ""):
        with pytest.raises((UsageError, HypervisorError)):
            of(name)


def test_nothing_that_talks_is_loaded_with_the_platform(tmp_path: Path) -> None:
    code = (
        "import sys, snapaudit.hypervisors.hyperv as h; h.HYPERV.options; h.HYPERV.abilities;"
        "print([m for m in sys.modules if m.split('.')[0] in ('winrm','pypsrp','requests','spnego')"
        " or m.endswith(('hyperv.act', 'hyperv.sending', 'hyperv.visiting'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
