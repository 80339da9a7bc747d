"""The session that may change something: what it sends, how often, and what it makes of answers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.errors import CallRefused, HypervisorError, Unreachable
from snapaudit.hypervisors import vsphere
from snapaudit.hypervisors.vsphere import paths
from snapaudit.hypervisors.vsphere.acting import ACTING, ActingClient
from snapaudit.hypervisors.vsphere.client import Client
from snapaudit.hypervisors.vsphere.faults import Refused
from snapaudit.hypervisors.vsphere.raw import RawTask, RawTree
from snapaudit.hypervisors.vsphere.stub import READING, NotAllowed
from snapaudit.model.endpoint import Account, Endpoint, Tls
from tests import canaries
from tests.beds.processes import wait_until
from tests.beds.simulator import Simulator
from tests.beds.soapline import Deed, SoapLine, SoapTrouble
from tests.hypervisors.vsphere.soapserver import SoapServer
from tests.hypervisors.vsphere.soapwords import fault, response

REMOVE, CONSOLIDATE = "RemoveSnapshot_Task", "ConsolidateVMDisks_Task"
TASK = '<returnval type="Task">task-7</returnval>'


@contextmanager
def acting(server: SoapServer) -> Iterator[ActingClient]:
    client = ActingClient(server.endpoint(), Account(username="janitor"), canaries.ACTING)
    try:
        yield client
    finally:
        client._session.stub.DropConnections()


# What is sent -----------------------------------------------------------------------------------


def test_inv_04_a_removal_is_of_one_snapshot_with_its_disks_and_by_its_id() -> None:
    with SoapServer() as server, acting(server) as client:
        server.says(REMOVE, response(REMOVE, TASK))
        assert client.remove_snapshot("snapshot-7") == "task-7"
        [sent] = server.bodies[REMOVE]
    assert re.search(rb'<_this[^>]* type="VirtualMachineSnapshot">snapshot-7</_this>', sent)
    assert re.search(rb"<removeChildren[^>]*>false</removeChildren>", sent)
    assert re.search(rb"<consolidate[^>]*>true</consolidate>", sent)


def test_inv_04_a_removal_that_takes_children_along_cannot_leave() -> None:
    from pyVmomi import vim

    with SoapServer() as server, acting(server) as client:
        before = list(server.called)
        snapshot = vim.vm.Snapshot("snapshot-7", client._session.stub)
        for words in ((True, True), (True, None)):
            with pytest.raises(NotAllowed):
                snapshot.RemoveSnapshot_Task(*words)
        assert server.called == before


@pytest.mark.parametrize(
    "method",
    [
        *("RemoveAllSnapshots_Task", "RevertToCurrentSnapshot_Task", "Destroy_Task"),
        *("CreateSnapshot_Task", "UnregisterVM", "ReconfigVM_Task", "PowerOffVM_Task"),
    ],
)
@pytest.mark.parametrize("kind", [Client, ActingClient])
def test_inv_12_no_session_can_send_anything_that_is_not_on_its_list(
    kind: type[Client], method: str
) -> None:
    from pyVmomi import vim

    with SoapServer() as server:
        client = kind(server.endpoint(), Account(username="a"), "b")
        before = list(server.called)
        machine = vim.VirtualMachine("vm-7", client._session.stub)
        info = type(machine)._methodInfo.get(method) or getattr(type(machine), method).info
        with pytest.raises(NotAllowed):
            client._session.stub.InvokeMethod(machine, info, (None,) * len(info.params))
        assert server.called == before
        client._session.stub.DropConnections()


@pytest.mark.parametrize("method", sorted(ACTING - READING))
def test_inv_12_grd_37_a_reading_session_refuses_what_changes_before_a_byte_leaves(
    method: str,
) -> None:
    with SoapServer() as server:
        client = server.client()
        with pytest.raises(NotAllowed):
            client._session.stub.permit(method, (False, True))
        assert server.called == ["RetrieveServiceContent", "Login"]


def test_inv_12_a_reading_session_has_no_method_that_acts() -> None:
    only = {name for name in vars(ActingClient) if not name.startswith("_")}
    assert {"remove_snapshot", "consolidate"} <= only
    assert not hasattr(Client, "remove_snapshot")
    assert not hasattr(Client, "consolidate")


def test_grd_24_the_stubs_that_send_again_or_log_in_again_are_named_nowhere() -> None:
    root = Path(vsphere.__file__).parent
    for path in root.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        named |= {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
        assert not named & {"SessionOrientedStub", "VimSessionOrientedStub", "SmartConnect"}, path


# What is made of the answer ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("TaskInProgress", "another task holds the machine"),
        ("InvalidState", "state does not allow it"),
        ("FileLocked", "backup proxy"),
        ("NoDiskSpace", "datastore is full"),
        ("MethodDisabled", "backup software"),
        ("ManagedObjectNotFound", "no longer there"),
        ("NotAuthenticated", "session is no longer valid"),
        ("FaultOfTheFuture", "FaultOfTheFuture"),
    ],
)
def test_a_refused_call_changed_nothing_and_says_why(name: str, words: str) -> None:
    inside = '<obj type="VirtualMachine">vm-1</obj>' if name == "ManagedObjectNotFound" else ""
    with SoapServer() as server, acting(server) as client:
        server.says(REMOVE, fault(name, "as the server says", inside))
        if name == "FaultOfTheFuture":  # which pyVmomi cannot decode, so nobody knows what it means
            with pytest.raises(HypervisorError) as raised:
                client.remove_snapshot("snapshot-7")
            assert not isinstance(raised.value, CallRefused)
        else:
            with pytest.raises(Refused, match=words) as refused:
                client.remove_snapshot("snapshot-7")
            assert refused.value.fault == name
        assert server.called.count(REMOVE) == 1
        assert server.called.count("Login") == 1


def test_a_missing_privilege_is_named() -> None:
    inside = (
        '<object type="VirtualMachine">vm-1</object>'
        "<privilegeId>VirtualMachine.State.RemoveSnapshot</privilegeId>"
    )
    with SoapServer() as server, acting(server) as client:
        server.says(REMOVE, fault("NoPermission", "Permission was denied.", inside))
        with pytest.raises(Refused, match=r"VirtualMachine\.State\.RemoveSnapshot"):
            client.remove_snapshot("snapshot-7")


@pytest.mark.parametrize("name", ["SystemError", "HostCommunication", "RuntimeFault"])
def test_inv_16_a_fault_that_tells_nothing_about_the_effect_leaves_it_open(name: str) -> None:
    with SoapServer() as server, acting(server) as client:
        server.says(CONSOLIDATE, fault(name, "something went wrong", "<reason>x</reason>"))
        with pytest.raises(HypervisorError) as raised:
            client.consolidate("vm-7")
        assert not isinstance(raised.value, CallRefused)


@pytest.mark.parametrize("answer", [(503, b"busy"), b"<html>login</html>", response(REMOVE)])
def test_inv_16_an_answer_that_is_none_leaves_it_open(answer: bytes | tuple[int, bytes]) -> None:
    with SoapServer() as server, acting(server) as client:
        server.says(REMOVE, answer)
        with pytest.raises(HypervisorError) as raised:
            client.remove_snapshot("snapshot-7")
        assert not isinstance(raised.value, CallRefused)
        assert server.called.count(REMOVE) == 1


def test_p5_a_server_that_is_gone_before_the_call_means_that_nothing_was_sent() -> None:
    with SoapServer() as server, acting(server) as client:
        stub = client._session.stub
        stub.schemeArgs = {**stub.schemeArgs, "seconds": 2.0}
        stub.host, stub.port = "127.0.0.1:1", 1
        with pytest.raises(CallRefused, match="nothing was sent"):
            client.remove_snapshot("snapshot-7")
        assert REMOVE not in server.called


def test_a_mutating_call_goes_over_a_connection_opened_for_it() -> None:
    """A kept one may have died unnoticed, and then it is not known what has arrived."""
    with SoapServer() as server, acting(server) as client:
        server.says(REMOVE, response(REMOVE, TASK))
        [(kept, _)] = client._session.stub.pool
        client.remove_snapshot("snapshot-7")
        [(used, _)] = client._session.stub.pool
        assert used is not kept
        assert kept.sock is None


def test_an_estimate_that_the_server_does_not_offer_is_none() -> None:
    method = "EstimateStorageForConsolidateSnapshots_Task"
    inside = f'<receiver type="VirtualMachine">vm-7</receiver><method>{method}</method>'
    with SoapServer() as server, acting(server) as client:
        server.says(method, fault("NotSupported"), fault("MethodNotFound", "", inside))
        assert client.estimate("vm-7") is None
        assert client.estimate("vm-7") is None


# Against the simulator --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(vms=8, snapshots=2) as started:
        yield started


@contextmanager
def line(simulator: Simulator) -> Iterator[tuple[SoapLine, ActingClient]]:
    with SoapLine(simulator) as carried:
        endpoint = Endpoint(
            name="vc1",
            kind="vsphere",
            url=carried.url,
            tls=Tls(ca_file=str(carried.ca_file)),
            deadline=timedelta(seconds=3),
        )
        client = ActingClient(endpoint, Account(username=simulator.username), simulator.password)
        with closing(client):
            yield carried, client
        carried.release()


def snapshots(client: Client, simulator: Simulator, name: str) -> list[str]:
    moid = simulator.tell("id", object=name)["moid"]
    [found] = client.read_of(paths.VIRTUAL_MACHINE, [moid], ("snapshot",))
    tree = found.values.get("snapshot")
    return [one.moid for one in tree.snapshots] if isinstance(tree, RawTree) else []


def ended(client: ActingClient, task: str) -> RawTask:
    found: list[RawTask] = []

    def over() -> bool:
        now = client.task(task)
        assert now is not None
        found.append(now)
        return now.state in ("success", "error")

    wait_until(over, 20, f"{task} has ended")
    return found[-1]


@pytest.mark.bed
def test_a_snapshot_is_removed_and_its_sibling_stays(simulator: Simulator) -> None:
    with line(simulator) as (carried, client):
        first, second = snapshots(client, simulator, "vm-0")
        done = ended(client, client.remove_snapshot(first))
        assert (done.state, done.error) == ("success", None)
        assert snapshots(client, simulator, "vm-0") == [second]
        assert carried.counts.arrived[REMOVE] == 1


@pytest.mark.bed
@pytest.mark.parametrize(
    ("deed", "number"), [(Deed.LOSE, 1), (Deed.RESET, 2), (Deed.HANG, 3), (Deed.KEEP, 4)]
)
def test_tst_09_a_lost_answer_is_unreachable_and_the_call_was_sent_exactly_once(
    simulator: Simulator, deed: Deed, number: int
) -> None:
    with line(simulator) as (carried, client):
        first, *_ = snapshots(client, simulator, f"vm-{number}")
        carried.make(SoapTrouble(deed=deed, method=REMOVE))
        with pytest.raises(Unreachable):
            client.remove_snapshot(first)
        assert carried.counts.arrived[REMOVE] == 1
        carried.release()
        assert (first in snapshots(client, simulator, f"vm-{number}")) == (deed is Deed.KEEP)


@pytest.mark.bed
def test_p10_a_session_that_expired_is_a_refused_call_and_no_second_login(
    simulator: Simulator,
) -> None:
    with line(simulator) as (carried, client):
        first, *_ = snapshots(client, simulator, "vm-5")
        simulator.tell("expire")
        with pytest.raises(Refused, match="session is no longer valid"):
            client.remove_snapshot(first)
        assert carried.counts.arrived[REMOVE] == carried.counts.arrived["Login"] == 1
        assert first in snapshots(client, simulator, "vm-5")  # reading logs in again
        assert carried.counts.arrived["Login"] == 2


@pytest.mark.bed
def test_a_task_that_fails_is_told_with_its_fault_and_words(simulator: Simulator) -> None:
    with line(simulator) as (_, client):
        first, *_ = snapshots(client, simulator, "vm-6")
        simulator.tell("fault", method=REMOVE, fault="FileLocked", at="task", times=1)
        failed = ended(client, client.remove_snapshot(first))
        assert (failed.state, failed.error) == ("error", "FileLocked")
        assert failed.description_id


@pytest.mark.bed
def test_disks_are_consolidated_and_the_need_is_estimated(simulator: Simulator) -> None:
    with line(simulator) as (_, client):
        machine = simulator.tell("id", object="vm-7")["moid"]
        needed = client.estimate(machine)
        assert needed
        assert all(size >= 0 for size in needed.values())
        assert ended(client, client.consolidate(machine)).state == "success"


@pytest.mark.bed
def test_a_task_nobody_knows_any_more_is_none(simulator: Simulator) -> None:
    with line(simulator) as (_, client):
        assert client.task("task-999999") is None
