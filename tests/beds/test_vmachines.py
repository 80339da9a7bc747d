"""Machines of the simulator: what snapshots and merges do to their chains, and tasks take time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.beds.processes import wait_until
from tests.beds.simulator import Simulator
from tests.beds.vclients import ended, leaf, managed, session

pytestmark = pytest.mark.bed

GIB = 1 << 30
DELTAS = ["web.vmdk", "web-000001.vmdk", "web-000002.vmdk", "web-000003.vmdk"]


@pytest.fixture(scope="module")
def started() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(started: Simulator) -> Iterator[Simulator]:
    """With a machine ``web`` that has snapshots ``a``, ``b`` and ``c`` in one line."""
    started.tell("machine", name="web", disks=[{"capacity": 40 * GIB, "used": 10 * GIB}])
    for name, age in (("a", 900), ("b", 600), ("c", 300)):
        started.tell("snapshot", vm="web", name=name, age=age, written=GIB)
    yield started
    started.tell("clear")
    started.tell("taking", seconds=0)
    started.tell("hold", on=False)
    started.tell("destroy", vm="web")


@pytest.fixture
def content(simulator: Simulator) -> Iterator[Any]:
    with session(simulator) as opened:
        yield opened


def look(simulator: Simulator, vm: str = "web") -> Any:
    return simulator.tell("look", vm=vm)


def chain(simulator: Simulator, vm: str = "web") -> list[str]:
    return [name for name, _ in look(simulator, vm)["chains"]["2000"]]


def tree(simulator: Simulator) -> dict[str, str]:
    """The parent's name by the snapshot's."""
    seen = look(simulator)["snapshots"]
    names = {"": "", **{one["moid"]: one["name"] for one in seen}}
    return {one["name"]: names[one["parent"]] for one in seen}


def web(simulator: Simulator, content: Any) -> Any:
    return managed(content, "VirtualMachine", simulator.tell("id", object="web")["moid"])


def snapshot(simulator: Simulator, content: Any, name: str) -> Any:
    moids = {one["name"]: one["moid"] for one in look(simulator)["snapshots"]}
    return managed(content, "vm.Snapshot", moids[name])


def remove(simulator: Simulator, content: Any, name: str) -> Any:
    task = snapshot(simulator, content, name).RemoveSnapshot_Task(removeChildren=False)
    return ended(content, task)


def test_each_snapshot_lets_the_machine_go_on_in_a_delta(simulator: Simulator) -> None:
    assert chain(simulator) == DELTAS
    assert tree(simulator) == {"a": "", "b": "a", "c": "b"}
    made = datetime.fromisoformat(look(simulator)["snapshots"][0]["created"][:26] + "+00:00")
    assert abs(datetime.now(UTC) - made - timedelta(seconds=900)) < timedelta(minutes=1)


def test_device_stands_on_the_same_files_as_the_layout(simulator: Simulator, content: Any) -> None:
    moid = simulator.tell("id", object="web")["moid"]
    found = leaf(content, "VirtualMachine", moid, "config.hardware.device", "layoutEx")
    disk = next(one for one in found["config.hardware.device"] if one.key == 2000)
    backings, below = [], disk.backing
    while below is not None:
        backings.append(below.fileName.rpartition("/")[2])
        below = below.parent
    assert backings[::-1] == DELTAS


def test_layout_lists_files_of_every_snapshot(simulator: Simulator, content: Any) -> None:
    simulator.tell("snapshot", vm="web", name="d", memory=2 * GIB, data=5000)
    moid = simulator.tell("id", object="web")["moid"]
    layout = leaf(content, "VirtualMachine", moid, "layoutEx")["layoutEx"]
    files = {one.key: one for one in layout.file}
    assert [len(one.disk[0].chain) for one in layout.snapshot] == [1, 2, 3, 4]
    assert [one.memoryKey for one in layout.snapshot[:3]] == [-1, -1, -1]
    assert files[layout.snapshot[3].memoryKey].size == 2 * GIB
    assert files[layout.snapshot[3].dataKey].size == 5000
    used = {key for unit in layout.disk[0].chain for key in unit.fileKey}
    assert used <= files.keys()


@pytest.mark.parametrize(
    ("name", "left", "parents"),
    [
        ("a", [0, 2, 3], {"b": "", "c": "b"}),
        ("b", [0, 1, 3], {"a": "", "c": "a"}),
        ("c", [0, 1, 2], {"a": "", "b": "a"}),
    ],
)
def test_removal_merges_the_delta_written_since_and_keeps_the_children(
    simulator: Simulator, content: Any, name: str, left: list[int], parents: dict[str, str]
) -> None:
    assert remove(simulator, content, name)["info.state"] == "success"
    assert chain(simulator) == [DELTAS[number] for number in left]
    assert tree(simulator) == parents


def test_merge_grows_what_it_merges_into_and_frees_the_delta(
    simulator: Simulator, content: Any
) -> None:
    def free() -> int:
        moid = simulator.tell("id", object="datastore1")["moid"]
        return int(leaf(content, "Datastore", moid, "summary.freeSpace")["summary.freeSpace"])

    before = free()
    remove(simulator, content, "a")
    sizes = [size for _, size in look(simulator)["chains"]["2000"]]
    assert sizes == [11 * GIB, GIB, GIB]
    assert 0 <= free() - before < GIB


def test_removing_where_two_branches_begin_leaves_what_both_stand_on(
    simulator: Simulator, content: Any
) -> None:
    simulator.tell("revert", vm="web", snapshot="a")
    simulator.tell("snapshot", vm="web", name="branch", written=GIB)
    branched = chain(simulator)
    remove(simulator, content, "a")
    assert tree(simulator) == {"b": "", "c": "b", "branch": ""}
    assert chain(simulator) == branched


def test_removing_one_sibling_leaves_the_other(simulator: Simulator, content: Any) -> None:
    simulator.tell("revert", vm="web", snapshot="b")
    simulator.tell("snapshot", vm="web", name="sibling", written=GIB)
    branched = chain(simulator)
    remove(simulator, content, "c")
    assert tree(simulator) == {"a": "", "b": "a", "sibling": "b"}
    assert chain(simulator) == branched


def test_independent_disk_is_left_out(simulator: Simulator) -> None:
    gib = {"capacity": GIB}
    simulator.tell("machine", name="mixed", disks=[gib, {**gib, "mode": "independent_persistent"}])
    simulator.tell("snapshot", vm="mixed", name="a")
    chains = look(simulator, "mixed")["chains"]
    assert [len(chains["2000"]), len(chains["2001"])] == [2, 1]
    simulator.tell("destroy", vm="mixed")


def test_half_a_removal_leaves_deltas_that_consolidating_merges(
    simulator: Simulator, content: Any
) -> None:
    simulator.tell("fault", method="RemoveSnapshot_Task", fault="FileLocked", half=True)
    failed = remove(simulator, content, "b")
    assert (failed["info.state"], type(failed["info.error"]).__name__) == (
        "error",
        "vim.fault.FileLocked",
    )
    assert tree(simulator) == {"a": "", "c": "a"}
    assert look(simulator)["consolidation_needed"] is True
    assert chain(simulator) == DELTAS
    ended(content, web(simulator, content).ConsolidateVMDisks_Task())
    assert look(simulator)["consolidation_needed"] is False
    assert chain(simulator) == [DELTAS[0], DELTAS[1], DELTAS[3]]


@pytest.mark.parametrize(
    "fault", ["TaskInProgress", "InvalidState", "FileLocked", "NoDiskSpace", "ConcurrentAccess"]
)
def test_task_fails_with_the_fault_that_was_asked_for_and_changes_nothing(
    simulator: Simulator, content: Any, fault: str
) -> None:
    simulator.tell("fault", method="RemoveSnapshot_Task", fault=fault)
    failed = remove(simulator, content, "a")
    assert type(failed["info.error"]).__name__ == f"vim.fault.{fault}"
    assert chain(simulator) == DELTAS
    assert remove(simulator, content, "a")["info.state"] == "success"


def test_call_is_refused_with_the_fault_that_was_asked_for(
    simulator: Simulator, content: Any
) -> None:
    from pyVmomi import vim

    simulator.tell("fault", method="RemoveSnapshot_Task", fault="NotAuthenticated", at="call")
    with pytest.raises(vim.fault.NotAuthenticated):
        remove(simulator, content, "a")
    simulator.tell("lack", privilege="VirtualMachine.State.RemoveSnapshot", object="web")
    with pytest.raises(vim.fault.NoPermission):
        remove(simulator, content, "a")
    simulator.tell("clear")
    simulator.tell("set", object="web", path="disabledMethod", value=["RemoveSnapshot_Task"])
    with pytest.raises(vim.fault.MethodDisabled):
        remove(simulator, content, "a")
    assert chain(simulator) == DELTAS


def test_machine_does_one_thing_at_a_time_and_shows_it(simulator: Simulator, content: Any) -> None:
    from pyVmomi import vim

    simulator.tell("hold", on=True)
    first = snapshot(simulator, content, "a").RemoveSnapshot_Task(removeChildren=False)
    with pytest.raises(vim.fault.TaskInProgress) as busy:
        remove(simulator, content, "b")
    assert busy.value.task._moId == first._moId
    moid = simulator.tell("id", object="web")["moid"]
    recent = leaf(content, "VirtualMachine", moid, "recentTask")["recentTask"]
    assert [one._moId for one in recent] == [first._moId]
    simulator.tell("hold", on=False)
    assert ended(content, first)["info.state"] == "success"


def test_task_tells_its_progress_while_it_runs(simulator: Simulator, content: Any) -> None:
    simulator.tell("taking", seconds=1)
    task = snapshot(simulator, content, "a").RemoveSnapshot_Task(removeChildren=False)
    seen: set[int] = set()

    def over() -> bool:
        leaves = leaf(content, "Task", task._moId, "info.state", "info.progress")
        seen.add(leaves.get("info.progress", 0))
        return bool(leaves["info.state"] == "success")

    wait_until(over, 20, "the task ends")
    assert len(seen) > 3


def test_whole_task_can_be_read_and_names_the_machine(simulator: Simulator, content: Any) -> None:
    task = snapshot(simulator, content, "a").RemoveSnapshot_Task(removeChildren=False)
    ended(content, task)
    info = task.info
    assert (info.entityName, info.descriptionId) == ("web", "vim.vm.Snapshot.remove")
    assert info.reason.userName == simulator.username


def test_ended_task_may_be_forgotten(simulator: Simulator, content: Any) -> None:
    from pyVmomi import vmodl

    task = snapshot(simulator, content, "a").RemoveSnapshot_Task(removeChildren=False)
    ended(content, task)
    simulator.tell("forget-tasks")
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        leaf(content, "Task", task._moId, "info.state")


def test_past_tasks_tell_who_made_a_snapshot(simulator: Simulator, content: Any) -> None:
    from pyVmomi import vim

    simulator.tell("forget-tasks")
    made = web(simulator, content).CreateSnapshot_Task("mine", "", memory=False, quiesce=False)
    moid = ended(content, made)["info.result"]._moId
    reading = content.taskManager.CreateCollectorForTasks(vim.TaskFilterSpec())
    tasks = reading.ReadNextTasks(100)
    reading.DestroyCollector()
    assert [(one.result._moId, one.reason.userName) for one in tasks] == [
        (moid, simulator.username)
    ]
    assert tasks[0].descriptionId == "VirtualMachine.createSnapshot"


def test_estimate_tells_the_deltas_by_datastore(simulator: Simulator, content: Any) -> None:
    task = web(simulator, content).EstimateStorageForConsolidateSnapshots_Task()
    needs = ended(content, task)["info.result"]
    store = simulator.tell("id", object="datastore1")["moid"]
    assert [(one.datastore._moId, one.freeSpaceRequiredInKb) for one in needs] == [
        (store, 3 * GIB // 1024)
    ]


def test_merge_into_what_a_clone_stands_on_is_noted_as_damage(
    simulator: Simulator, content: Any
) -> None:
    simulator.tell("clone", name="desktop", of="web", snapshot="b")
    assert chain(simulator, "desktop") == [*DELTAS[:2], "desktop-000001.vmdk"]
    remove(simulator, content, "c")
    assert simulator.tell("damage") == {"damage": []}
    remove(simulator, content, "b")
    assert any("web-000001" in words for words in simulator.tell("damage")["damage"])
    simulator.tell("destroy", vm="desktop")


def test_search_finds_the_file_that_no_machine_has(simulator: Simulator, content: Any) -> None:
    simulator.tell("files")
    simulator.tell("file", path="[datastore1] gone/gone-000001-delta.vmdk", size=3 * GIB)
    store = simulator.tell("id", object="datastore1")["moid"]
    browser = leaf(content, "Datastore", store, "browser")["browser"]
    from pyVmomi import vim

    spec = vim.host.DatastoreBrowser.SearchSpec(matchPattern=["*.vmdk"])
    spec.details = vim.host.DatastoreBrowser.FileInfo.Details(fileSize=True)
    task = browser.SearchDatastoreSubFolders_Task("[datastore1]", spec)
    folders = ended(content, task)["info.result"]
    found = {file.path: file.fileSize for folder in folders for file in folder.file}
    assert found["gone-000001-delta.vmdk"] == 3 * GIB
    assert found["web-000001-sesparse.vmdk"] == GIB


def test_disk_on_another_datastore_has_its_deltas_there(simulator: Simulator, content: Any) -> None:
    simulator.tell("datastore", name="archive", capacity=GIB << 10, free=GIB << 10)
    away = {"capacity": 8 * GIB, "used": 2 * GIB, "datastore": "archive"}
    simulator.tell("machine", name="wide", disks=[{"capacity": GIB}, away])
    simulator.tell("snapshot", vm="wide", name="a", written=GIB)
    moids = [simulator.tell("id", object=name)["moid"] for name in ("wide", "archive")]
    layout = leaf(content, "VirtualMachine", moids[0], "layoutEx")["layoutEx"]
    names = {one.key: one.name for one in layout.file}
    assert names[layout.disk[1].chain[1].fileKey[0]] == "[archive] wide/wide_1-000001.vmdk"
    free = leaf(content, "Datastore", moids[1], "summary.freeSpace")["summary.freeSpace"]
    assert free == (GIB << 10) - 3 * GIB
    simulator.tell("remove", vm="wide", snapshot="a")
    assert [len(units) for units in look(simulator, "wide")["chains"].values()] == [1, 1]
    simulator.tell("destroy", vm="wide")
