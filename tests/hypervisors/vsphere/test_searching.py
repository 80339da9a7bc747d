"""Searches and tasks of a server that answers as a test says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from snapaudit.errors import AccessDenied, Gone, HypervisorError, Unreachable
from snapaudit.hypervisors.vsphere.faults import Unsupported
from snapaudit.hypervisors.vsphere.raw import FoundFile, RawTask
from tests.hypervisors.vsphere.soapserver import SoapServer
from tests.hypervisors.vsphere.soapwords import fault, missing, objects, page, prop, response, text

FIRST, SEARCH = "RetrievePropertiesEx", "SearchDatastoreSubFolders_Task"
BROWSER = prop(
    "browser", "ManagedObjectReference", "browser-1", extra=' type="HostDatastoreBrowser"'
)
STORE = page(objects({"ds-1": text("name", "fast") + BROWSER}, "Datastore"))
STARTED = response(SEARCH, '<returnval type="Task">task-1</returnval>')


def state(word: str, more: str = "") -> bytes:
    return page(objects({"task-1": prop("info.state", "TaskInfoState", word) + more}, "Task"))


def result(*folders: str) -> bytes:
    inside = "".join(folders)
    kind = "ArrayOfHostDatastoreBrowserSearchResults"
    return page(objects({"task-1": prop("info.result", kind, inside)}, "Task"))


def folder(path: str, *files: str) -> str:
    inside = "".join(
        f'<file xsi:type="VmDiskFileInfo"><path>{name}</path><fileSize>7</fileSize>'
        "<modification>2026-01-01T00:00:00Z</modification></file>"
        for name in files
    )
    return (
        f"<HostDatastoreBrowserSearchResults><folderPath>{path}</folderPath>{inside}"
        "</HostDatastoreBrowserSearchResults>"
    )


def test_a_search_is_waited_for_and_its_files_are_told_by_their_whole_path() -> None:
    with SoapServer() as server:
        server.says(SEARCH, STARTED)
        server.says(
            FIRST,
            STORE,
            state("queued"),
            state("running"),
            state("success"),
            result(
                folder("[fast] vm-1/", "a.vmdk", "b &amp; c.vmdk"),
                folder("[fast]", "d.vmdk"),
                folder("[fast]/vm-2", "e.vmdk"),
            ),
        )
        found = list(server.client().search("ds-1"))
        [asked] = server.bodies[SEARCH]
    assert found[0] == FoundFile("[fast] vm-1/a.vmdk", 7, datetime(2026, 1, 1, tzinfo=UTC))
    assert [one.path for one in found[1:]] == [
        "[fast] vm-1/b & c.vmdk",
        "[fast] d.vmdk",
        "[fast] vm-2/e.vmdk",
    ]
    assert b">*.vmdk<" in asked
    assert b">[fast]<" in asked


def test_a_search_that_finds_much_is_no_absurd_answer() -> None:
    names = [f"{number:0200}.vmdk" for number in range(20_000)]
    with SoapServer() as server:
        server.says(SEARCH, STARTED)
        server.says(FIRST, STORE, state("success"), result(folder("[fast] x/", *names)))
        assert sum(1 for _ in server.client().search("ds-1")) == 20_000


def test_a_search_that_failed_says_why() -> None:
    told = '<fault xsi:type="FileFault"/><localizedMessage>cannot be opened</localizedMessage>'
    error = prop("info.error", "LocalizedMethodFault", told)
    with SoapServer() as server:
        server.says(SEARCH, STARTED)
        server.says(FIRST, STORE, state("error", error))
        with pytest.raises(HypervisorError, match="cannot be opened"):
            list(server.client().search("ds-1"))


def test_p7_a_search_that_does_not_end_is_given_up_at_the_deadline() -> None:
    with SoapServer() as server:
        server.says(SEARCH, STARTED)
        server.says(FIRST, STORE, state("running"))
        client = server.client()
        client._session.stub.seconds = 0.2
        with pytest.raises(Unreachable, match="did not end in time"):
            list(client.search("ds-1"))


def test_a_task_that_the_server_forgot_is_gone() -> None:
    with SoapServer() as server:
        server.says(SEARCH, STARTED)
        server.says(FIRST, STORE, page(""))
        with pytest.raises(Gone, match="no longer known"):
            list(server.client().search("ds-1"))


def test_c4_a_datastore_that_may_not_be_looked_at_is_named() -> None:
    hidden = missing("browser", "NoPermission", "<privilegeId>System.Read</privilegeId>")
    with SoapServer() as server:
        server.says(FIRST, page(objects({"ds-1": text("name", "fast") + hidden}, "Datastore")))
        with pytest.raises(AccessDenied, match="ds-1"):
            list(server.client().search("ds-1"))


# Tasks that made snapshots ----------------------------------------------------------------------

COLLECTOR = response(
    "CreateCollectorForTasks", '<returnval type="TaskHistoryCollector">collector-1</returnval>'
)
MADE = (
    '<returnval><key>task-9</key><task type="Task">task-9</task>'
    "<descriptionId>VirtualMachine.createSnapshot</descriptionId>"
    '<entity type="VirtualMachine">vm-1</entity><state>success</state>'
    '<result xsi:type="ManagedObjectReference" type="VirtualMachineSnapshot">snapshot-3</result>'
    '<reason xsi:type="TaskReasonUser"><userName>LAB\\ann</userName></reason>'
    "<queueTime>2026-01-01T00:00:00Z</queueTime></returnval>"
)
REMOVED = (  # its entity is a snapshot, which is no managed entity: client libraries stumble
    '<returnval><key>task-8</key><task type="Task">task-8</task>'
    "<descriptionId>vim.vm.Snapshot.remove</descriptionId>"
    '<entity type="VirtualMachineSnapshot">snapshot-2</entity><state>error</state>'
    '<error><fault xsi:type="FaultOfTheFuture"/><localizedMessage>?</localizedMessage></error>'
    "<queueTime>2026-01-01T00:00:00Z</queueTime></returnval>"
)
SINCE = datetime(2025, 12, 1, tzinfo=UTC)


def test_makers_are_read_page_by_page_over_tasks_that_client_libraries_cannot_read() -> None:
    with SoapServer() as server:
        server.says("CreateCollectorForTasks", COLLECTOR)
        server.says("DestroyCollector", response("DestroyCollector"))
        server.says(
            "ReadNextTasks",
            response("ReadNextTasks", REMOVED + MADE),
            response("ReadNextTasks", REMOVED),
            response("ReadNextTasks"),
        )
        found = list(server.client().creations(SINCE))
        assert server.called[-1] == "DestroyCollector"
        [asked] = server.bodies["CreateCollectorForTasks"]
    assert b"2025-12-01T00:00:00" in asked
    assert found == [
        RawTask(
            moid="task-9",
            description_id="VirtualMachine.createSnapshot",
            entity="vm-1",
            state="success",
            progress=None,
            queued_at=datetime(2026, 1, 1, tzinfo=UTC),
            user="LAB\\ann",
            result="snapshot-3",
            error=None,
            message=None,
        )
    ]


def test_a_server_without_a_list_of_tasks_is_told_apart_from_one_that_fails() -> None:
    inside = '<receiver type="TaskManager">TaskManager</receiver><method>x</method>'
    with SoapServer() as server:
        server.says("CreateCollectorForTasks", fault("MethodNotFound", "", inside))
        with pytest.raises(Unsupported):
            list(server.client().creations(SINCE))
    with SoapServer() as server:
        server.says("CreateCollectorForTasks", COLLECTOR)
        server.says("DestroyCollector", response("DestroyCollector"))
        server.says("ReadNextTasks", response("ReadNextTasks", MADE)[:-50])
        with pytest.raises(Unreachable, match="cut off"):
            list(server.client().creations(SINCE))
