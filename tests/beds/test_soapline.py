"""The line in front of the simulator: what it counts, and what it does to calls and answers."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.beds.simulator import Simulator
from tests.beds.soapline import Deed, SoapLine, SoapTrouble
from tests.beds.vclients import ended, managed, retrieve, session

pytestmark = pytest.mark.bed

REMOVE = "RemoveSnapshot_Task"
READ = "RetrievePropertiesEx"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as started:
        yield started


@pytest.fixture
def line(simulator: Simulator) -> Iterator[SoapLine]:
    """In front of a simulator with a machine ``web`` that has a snapshot ``a``."""
    simulator.tell("machine", name="web")
    simulator.tell("snapshot", vm="web", name="a")
    with SoapLine(simulator) as started:
        yield started
    simulator.tell("clear")
    simulator.tell("destroy", vm="web")


@pytest.fixture
def content(line: SoapLine) -> Iterator[Any]:
    with session(line) as opened:
        yield opened
        line.calm()


def remove(line: SoapLine, content: Any) -> Any:
    seen = line.upstream.tell("look", vm="web")["snapshots"]
    snapshot = managed(content, "vm.Snapshot", seen[0]["moid"])
    return snapshot.RemoveSnapshot_Task(removeChildren=False)


def is_gone(line: SoapLine) -> bool:
    deadline = time.monotonic() + 10
    while line.upstream.tell("look", vm="web")["snapshots"]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_calls_are_counted_by_name_and_those_that_change_are_kept(
    line: SoapLine, content: Any
) -> None:
    retrieve(content, "name")
    assert line.counts.changes == []
    ended(content, remove(line, content))
    assert line.counts.arrived["Login"] == line.counts.answered["Login"] == 1
    assert line.counts.arrived["CreateContainerView"] == 1
    (change,) = line.counts.changes
    assert (change.method, change.this[:9]) == (REMOVE, "snapshot-")
    assert b">false</removeChildren>" in change.body


def test_lost_answer_means_that_the_call_was_made(line: SoapLine, content: Any) -> None:
    line.make(SoapTrouble(deed=Deed.LOSE, method=REMOVE))
    with pytest.raises((http.client.HTTPException, OSError)):
        remove(line, content)
    assert is_gone(line)
    assert (line.counts.passed[REMOVE], line.counts.answered[REMOVE]) == (1, 0)


def test_call_that_is_kept_never_arrives(line: SoapLine, content: Any) -> None:
    line.make(SoapTrouble(deed=Deed.KEEP, method=REMOVE))
    with pytest.raises((http.client.HTTPException, OSError)):
        remove(line, content)
    assert (line.counts.arrived[REMOVE], line.counts.passed[REMOVE]) == (1, 0)
    assert len(line.upstream.tell("look", vm="web")["snapshots"]) == 1


def test_connection_is_reset_in_the_middle_of_an_answer(line: SoapLine) -> None:
    line.make(SoapTrouble(deed=Deed.RESET, method="RetrieveServiceContent"))
    body = (
        b'<Envelope><Body><RetrieveServiceContent xmlns="urn:vim25">'
        b'<_this type="ServiceInstance">ServiceInstance</_this>'
        b"</RetrieveServiceContent></Body></Envelope>"
    )
    client = http.client.HTTPSConnection(
        "127.0.0.1",
        line.port,
        timeout=10,
        context=ssl.create_default_context(cafile=line.ca_file),
    )
    client.request("POST", "/sdk", body)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead, ssl.SSLError)):
        client.getresponse().read()
    client.close()


def test_only_the_calls_that_were_meant_meet_trouble(line: SoapLine, content: Any) -> None:
    from pyVmomi import vim

    line.make(SoapTrouble(deed=Deed.FAULT, method=READ, nth=2))
    retrieve(content, "name")
    with pytest.raises(vim.fault.NotAuthenticated):
        retrieve(content, "name")
    retrieve(content, "name")
    assert (line.counts.arrived[READ], line.counts.passed[READ]) == (3, 2)


def test_fault_of_any_type_may_come_in_place_of_an_answer(line: SoapLine, content: Any) -> None:
    from pyVmomi import vim

    line.make(SoapTrouble(deed=Deed.FAULT, method=REMOVE, fault="TaskInProgress"))
    with pytest.raises(vim.fault.TaskInProgress):
        remove(line, content)
    line.make(SoapTrouble(deed=Deed.FAULT, method=REMOVE, fault="ConcurrentAccess"))
    with pytest.raises(vim.fault.ConcurrentAccess):
        remove(line, content)


def test_proxy_on_the_way_may_say_that_nobody_is_there(line: SoapLine, content: Any) -> None:
    line.make(SoapTrouble(deed=Deed.STATUS, method=READ, status=503))
    with pytest.raises(http.client.HTTPException, match="503"):
        retrieve(content, "name")


def test_answer_that_hangs_comes_never_and_is_let_go_at_the_end(simulator: Simulator) -> None:
    with SoapLine(simulator) as line, session(line) as content:
        line.make(SoapTrouble(deed=Deed.HANG, method=READ))
        content.rootFolder._stub.schemeArgs["timeout"] = 0.3
        content.rootFolder._stub.DropConnections()
        with pytest.raises(TimeoutError):
            retrieve(content, "name")
        assert (line.counts.passed[READ], line.counts.answered[READ]) == (1, 0)


def test_answer_is_late_by_so_much(line: SoapLine, content: Any) -> None:
    line.make(SoapTrouble(deed=Deed.DELAY, method=READ, seconds=0.3))
    began = time.monotonic()
    assert len(retrieve(content, "name").objects) == 1
    assert time.monotonic() - began >= 0.3


def test_tags_pass_through_and_are_no_changes(line: SoapLine) -> None:
    context = ssl.create_default_context(cafile=line.ca_file)
    client = http.client.HTTPSConnection("127.0.0.1", line.port, timeout=10, context=context)
    client.request("POST", "/rest/com/vmware/cis/session")
    assert client.getresponse().read() is not None
    client.close()
    assert line.counts.arrived["POST /rest/com/vmware/cis/session"] == 1
    assert line.counts.changes == []
