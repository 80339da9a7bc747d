"""The simulator as a server: who gets in, what a session sees, and that it outlives nobody."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.beds import vtags
from tests.beds.processes import belonging_to, is_alive, wait_until
from tests.beds.required import require_program
from tests.beds.simulator import SOURCES, Simulator
from tests.beds.vclients import leaf, managed, retrieve, session, values
from tests.beds.vtags import RestSession
from tests.canaries import REFUSED, VCENTER_SESSION

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def started() -> Iterator[Simulator]:
    with Simulator(vms=5, snapshots=2, hosts=2, datastores=2) as simulator:
        yield simulator


@pytest.fixture
def simulator(started: Simulator) -> Iterator[Simulator]:
    yield started
    started.tell("clear")
    started.tell("page", limit=0)


@pytest.fixture
def content(simulator: Simulator) -> Iterator[Any]:
    with session(simulator) as opened:
        yield opened


def test_only_the_throw_away_authority_vouches_for_it(simulator: Simulator) -> None:
    address, strangers = ("127.0.0.1", simulator.port), ssl.create_default_context()
    with (
        socket.create_connection(address) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
        strangers.wrap_socket(plain, server_hostname="127.0.0.1"),
    ):
        pass


def test_wrong_password_is_refused(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyVmomi import vim

    monkeypatch.setattr("tests.beds.vclients.PASSWORD", REFUSED)
    with pytest.raises(vim.fault.InvalidLogin), session(simulator):
        pass


def test_tst_13_cookie_of_a_session_is_known_wherever_it_turns_up(content: Any) -> None:
    cookie = content.rootFolder._stub.cookie.replace('"', "")
    assert cookie.startswith(f"vmware_soap_session={VCENTER_SESSION}-")


def test_view_holds_all_machines_with_trees_and_chains(content: Any) -> None:
    found = values(content, "name", "snapshot", "layoutEx", "runtime.consolidationNeeded")
    assert sorted(one["name"] for one in found.values()) == [f"vm-{n}" for n in range(5)]
    for one in found.values():
        assert one["runtime.consolidationNeeded"] is False
        assert one["snapshot"].rootSnapshotList[0].createTime.tzinfo is not None
        assert [len(disk.chain) for disk in one["layoutEx"].disk] == [3]


def test_datastores_are_there_for_every_host(content: Any) -> None:
    stores = values(content, "name", "summary.capacity", "host", "vm", kind="Datastore")
    assert sorted(one["name"] for one in stores.values()) == ["datastore1", "datastore2"]
    assert {len(one["host"]) for one in stores.values()} == {2}
    assert sorted(len(one["vm"]) for one in stores.values()) == [0, 5]


def test_answer_comes_in_pages_of_the_wished_size(content: Any) -> None:
    page, seen = retrieve(content, "name", most=2), []
    for _ in range(5):
        seen.append(len(page.objects))
        if page.token is None:
            break
        page = content.propertyCollector.ContinueRetrievePropertiesEx(page.token)
    assert seen == [2, 2, 1]


def test_server_may_send_smaller_pages_than_were_wished_for(
    simulator: Simulator, content: Any
) -> None:
    simulator.tell("page", limit=3)
    assert len(retrieve(content, "name").objects) == 3


def test_machine_that_vanishes_between_pages_is_left_out(
    simulator: Simulator, content: Any
) -> None:
    simulator.tell("machine", name="short-lived")
    page = retrieve(content, "name", most=5)
    simulator.tell("destroy", vm="short-lived")
    rest = content.propertyCollector.ContinueRetrievePropertiesEx(page.token)
    assert rest.objects == []


def test_token_is_good_for_one_page(content: Any) -> None:
    from pyVmomi import vmodl

    page = retrieve(content, "name", most=4)
    content.propertyCollector.ContinueRetrievePropertiesEx(page.token)
    with pytest.raises(vmodl.fault.InvalidArgument):
        content.propertyCollector.ContinueRetrievePropertiesEx(page.token)


def test_hidden_machine_is_not_seen_and_a_denied_path_is_missing(
    simulator: Simulator, content: Any
) -> None:
    simulator.tell("hide", object="vm-0")
    simulator.tell("deny", object="vm-1", path="snapshot")
    simulator.tell("deny", object="vm-1", path="config.keyId")
    found = retrieve(content, "name", "snapshot", "config.keyId").objects
    missing = {one.obj._moId: {m.path: m.fault for m in one.missingSet} for one in found}
    withheld = missing.pop(simulator.tell("id", object="vm-1")["moid"])
    assert set(withheld) == {"snapshot", "config.keyId"}
    assert withheld["snapshot"].privilegeId == "System.Read"
    assert list(missing.values()) == [{}] * 3


def test_path_of_a_later_release_is_refused_by_its_name(simulator: Simulator, content: Any) -> None:
    from pyVmomi import vmodl

    simulator.tell("unknown", path="runtime.instantCloneFrozen")
    with pytest.raises(vmodl.query.InvalidProperty) as refused:
        retrieve(content, "name", "runtime.instantCloneFrozen")
    assert refused.value.name == "runtime.instantCloneFrozen"


def test_session_that_expired_reads_nothing(simulator: Simulator, content: Any) -> None:
    from pyVmomi import vim

    assert simulator.tell("expire")["sessions"] >= 1
    with pytest.raises(vim.fault.NotAuthenticated):
        leaf(content, "VirtualMachine", simulator.tell("id", object="vm-0")["moid"], "name")


def test_privilege_that_was_taken_away_is_not_held(simulator: Simulator, content: Any) -> None:
    removing = "VirtualMachine.State.RemoveSnapshot"
    simulator.tell("lack", privilege=removing, object="vm-0")
    machines = [
        managed(content, "VirtualMachine", simulator.tell("id", object=name)["moid"])
        for name in ("vm-0", "vm-1")
    ]
    answer = content.authorizationManager.HasPrivilegeOnEntities(
        machines, content.sessionManager.currentSession.key, [removing, "System.Read"]
    )
    held = [[one.isGranted for one in entity.privAvailability] for entity in answer]
    assert held == [[False, True], [True, True]]


def test_property_is_set_by_its_path(simulator: Simulator, content: Any) -> None:
    simulator.tell("machine", name="agent")
    product = {"extensionKey": "com.example.product", "type": "agent"}
    simulator.tell("set", object="agent", path="config.managedBy", value=product)
    simulator.tell("set", object="agent", path="runtime.connectionState", value="disconnected")
    moid = simulator.tell("id", object="agent")["moid"]
    found = leaf(content, "VirtualMachine", moid, "config.managedBy", "runtime.connectionState")
    assert found["config.managedBy"].extensionKey == "com.example.product"
    assert found["runtime.connectionState"] == "disconnected"
    simulator.tell("destroy", vm="agent")


def test_custom_attribute_has_its_name(simulator: Simulator, content: Any) -> None:
    simulator.tell("attribute", vm="vm-2", name="keep-until", value="2030-01-01")
    names = {one.key: one.name for one in content.customFieldsManager.field}
    moid = simulator.tell("id", object="vm-2")["moid"]
    set_ones = leaf(content, "VirtualMachine", moid, "customValue")["customValue"]
    assert {names[one.key]: one.value for one in set_ones} == {"keep-until": "2030-01-01"}


def test_order_that_cannot_be_carried_out_is_explained(simulator: Simulator) -> None:
    with pytest.raises(ValueError, match='no machine "nobody"'):
        simulator.tell("snapshot", vm="nobody", name="x")
    with pytest.raises(ValueError, match='no order "juggle"'):
        simulator.tell("juggle")


def test_single_host_is_no_vcenter() -> None:
    with Simulator(esx=True, vms=2, snapshots=1) as host, session(host) as content:
        assert content.about.apiType == "HostAgent"
        assert len(values(content, "name", "snapshot")) == 2


def test_two_simulators_may_have_identities_of_their_own() -> None:
    uuid = "6f1c2f3e-8f2f-4d0a-9f33-0d8c1d6a5b11"
    with Simulator(uuid=uuid) as other, session(other) as content:
        assert content.about.instanceUuid == uuid


def test_saved_objects_are_loaded_and_can_be_changed(simulator: Simulator, tmp_path: Path) -> None:
    simulator.tell("save", path=tmp_path)
    with Simulator(load=tmp_path) as loaded:
        before = simulator.tell("look", vm="vm-3")
        assert loaded.tell("look", vm="vm-3") == before
        loaded.tell("remove", vm="vm-3", snapshot="snapshot 1")
        assert len(loaded.tell("look", vm="vm-3")["snapshots"]) == 1


def test_server_told_to_end_leaves_nothing() -> None:
    with Simulator(vms=1) as simulator:
        assert belonging_to(simulator.folder) == [simulator.pid]
        simulator.terminate()
        assert not simulator.folder.exists()
    assert belonging_to(simulator.folder) == []


def test_server_whose_tests_were_killed_leaves_nothing_either() -> None:
    program = (
        "import time\n"
        "from tests.beds.simulator import Simulator\n"
        "with Simulator(vms=1) as simulator:\n"
        "    print(simulator.pid, simulator.folder, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        pid, folder = tests.stdout.readline().split()
        assert is_alive(int(pid))
        tests.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_alive(int(pid)), 10, "the server ends")
    wait_until(lambda: not Path(folder).exists(), 10, "its folder is gone")


def test_bed_without_go_is_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tests.beds.gotools import built

    monkeypatch.delenv("SNAPAUDIT_REQUIRE_BEDS", raising=False)
    monkeypatch.setattr("tests.beds.gotools._LIBRARY", tmp_path)
    with pytest.raises(pytest.skip.Exception, match="golang-github-vmware-govmomi-dev"):
        built(tmp_path)


def test_machine_has_the_tags_that_were_attached(simulator: Simulator) -> None:
    vtags.attach(simulator, "vm-4", "Protection", "golden")
    rest, moid = RestSession(simulator), simulator.tell("id", object="vm-4")["moid"]
    with rest:
        attached = rest.post(
            "/rest/com/vmware/cis/tagging/tag-association?~action=list-attached-tags-on-objects",
            object_ids=[{"id": moid, "type": "VirtualMachine"}],
        )
        (association,) = attached
        (tag,) = association["tag_ids"]
        assert rest.get(f"/rest/com/vmware/cis/tagging/tag/id:{tag}")["name"] == "golden"


def test_program_is_formatted_as_go_formats() -> None:
    done = subprocess.run(
        [require_program("gofmt"), "-l", str(SOURCES)], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
