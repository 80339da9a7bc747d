"""TST-16 for vSphere: what the source of the platform must not name, read off its syntax trees."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.faults.test_lint import METHODS, calls, found, names_in, texts, trees

HERE = "hypervisors/vsphere"
DECIDING = ("act", "calls", "ways", "sending", "watching", "reading")
# Modules through which something can leave for a server. Others name methods as words that they
# read: those that a server has switched off, and the rights that an account should not have.
SENDING = frozenset(
    {*DECIDING, "acting", "client", "session", "stub", "bulk", "exchange", "tasks", "searching"}
)
BANNED = re.compile(
    r"RemoveAllSnapshots|removeAllSnapshots|RemoveAllSnapshotsEx|retentionDays"
    r"|RevertTo|revertTo|Revert_?Snapshot|DeleteDatastoreFile|DeleteVirtualDisk|DeleteFile"
    r"|FileManager\b|fileManager|virtualDiskManager|MoveDatastoreFile|MoveVirtualDisk"
    r"|CancelTask|cancelTask|CreateSnapshot_?(Ex_?)?Task|RenameSnapshot|Destroy_Task"
    r"|UnregisterVM|PowerO(n|ff)VM|ResetVM|ShutdownGuest|ReconfigVM|ReconfigureVM|CloneVM|MigrateVM"
    r"|RelocateVM|unregisterVApp|HostDatastoreSystem|SoapStubAdapter\.Retry|SessionOrientedStub"
)
MUTATING = frozenset({"RemoveSnapshot_Task", "ConsolidateVMDisks_Task"})


def sends(name: str) -> bool:
    return name.startswith(HERE) and Path(name).stem in SENDING


def called_anywhere() -> list[str]:
    return [
        f"{name}: {word}"
        for name, tree in trees().items()
        if name.startswith(HERE)
        for word in names_in(tree)
        if BANNED.search(word)
    ]


def test_tst_16_inv_04_nothing_that_takes_more_reverts_or_deletes_files_is_called() -> None:
    assert sum(sends(name) for name in trees()) == len(SENDING)
    assert found(sends, BANNED) == []
    assert called_anywhere() == []


def test_tst_16_inv_04_children_are_never_removed_and_disks_always_consolidated() -> None:
    given = [
        {word.arg: ast.unparse(word.value) for word in node.keywords}
        for _, node in calls(HERE)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "RemoveSnapshot_Task"
    ]
    assert given == [{"removeChildren": "False", "consolidate": "True"}]


def test_tst_16_inv_04_no_method_that_ends_or_wipes_a_machine_is_called() -> None:
    bad = [
        f"{name}:{node.lineno}"
        for name, node in calls(HERE)
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
    ]
    assert bad == []


def test_inv_12_each_mutating_method_is_called_by_the_acting_session_alone() -> None:
    named = {
        name
        for name, tree in trees().items()
        for word in (*names_in(tree), *(texts(tree) if sends(name) else ()))
        if word in MUTATING
    }
    assert named == {f"{HERE}/acting.py"}


def test_tst_16_inv_15_each_mutating_call_of_the_session_is_made_in_one_place() -> None:
    made = [
        (name, node.func.attr)
        for name, node in calls(HERE)
        if isinstance(node.func, ast.Attribute)
        and node.func.attr in ("remove_snapshot", "consolidate")
        and ast.unparse(node.func.value) == "service"
    ]
    assert sorted(made) == [
        (f"{HERE}/sending.py", "consolidate"),
        (f"{HERE}/sending.py", "remove_snapshot"),
    ]


@pytest.mark.parametrize("module", ["sending", "act", "acting"])
def test_tst_16_grd_24_no_call_that_changes_something_stands_in_a_loop(module: str) -> None:
    tree = trees()[f"{HERE}/{module}.py"]
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While)]
    sent = {"send", "remove_snapshot", "consolidate", *MUTATING}
    bad = [
        ast.unparse(node.func)
        for loop in loops
        for node in ast.walk(loop)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in sent
    ]
    assert bad == []


def test_what_decides_what_is_sent_knows_no_sdk() -> None:
    for module in DECIDING:
        tree = trees()[f"{HERE}/{module}.py"]
        assert not [word for word in names_in(tree) if "vmomi" in word.lower()], module


def test_a_lint_that_finds_nothing_can_find_something(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = ast.parse("vm.RemoveAllSnapshots_Task()\ntask.CancelTask()\n")
    monkeypatch.setitem(trees(), f"{HERE}/act.py", bad)
    assert len(found(sends, BANNED)) == len(called_anywhere()) == 2
