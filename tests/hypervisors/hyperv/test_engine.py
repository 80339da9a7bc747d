"""The scripts in a real PowerShell, over stubs of the cmdlets, where there is one.

It is no proof for Windows PowerShell 5.1 unless that is what runs them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from snapaudit.hypervisors.hyperv import delivery, parsing
from snapaudit.hypervisors.hyperv.rows import Answer
from tests.beds.wsman.recording import guid
from tests.hypervisors.hyperv.grammar import complaints

MODULES = Path(__file__).parents[2] / "beds/wsman/modules"
ENGINE = shutil.which("powershell") or shutil.which("pwsh")
engine = pytest.mark.skipif(
    ENGINE is None, reason="engine test: neither powershell nor pwsh is installed here"
)
PLACES = "PSModulePath"
WITHIN = 120
ODD = "a 'b\" `$(c) [d] *? \u00e4\u4e2d\U0001f600 \u212a;"


def drive(path: str | None, **changes: Any) -> dict[str, Any]:
    fields = {
        "ControllerType": "SCSI", "ControllerNumber": 0, "ControllerLocation": 0, "Path": path,
        "DiskNumber": None, "SupportPersistentReservations": False,
    }  # fmt: skip
    return {**fields, **changes}


def machine(name: str, *drives: dict[str, Any], **changes: Any) -> dict[str, Any]:
    fields = {
        "Id": guid(name), "Name": name, "State": 2, "OperationalStatus": [2],
        "ParentSnapshotId": None, "CheckpointType": 3, "AutomaticCheckpointsEnabled": False,
        "ReplicationMode": 0, "IsClustered": False, "Version": "9.0", "Notes": "",
        "HardDrives": list(drives),
    }  # fmt: skip
    return {**fields, **changes}


def checkpoint(owner: str, name: str, *drives: dict[str, Any], **changes: Any) -> dict[str, Any]:
    fields = {
        "Id": guid(name), "VMId": guid(owner), "Name": name, "SnapshotType": "Standard",
        "CreationTime": "2026-01-02T03:04:05Z", "ParentSnapshotId": None,
        "IsAutomaticCheckpoint": False, "State": 3, "SizeOfSystemFiles": 7, "Notes": "",
        "HardDrives": list(drives),
    }  # fmt: skip
    return {**fields, **changes}


def disk(path: str, parent: str = "") -> dict[str, Any]:
    return {
        "Path": path, "VhdType": 4 if parent else 3, "VhdFormat": 3, "FileSize": 5, "Size": 50,
        "MinimumSize": None, "ParentPath": parent, "DiskIdentifier": guid(path),
    }  # fmt: skip


def ran(folder: Path, script: str, argument: dict[str, Any], **told: Any) -> Answer:
    """What a script says of a host with that in it."""
    stub = folder / "stub.json"
    cim = {
        "Win32_OperatingSystem": {"Version": "10.0.20348"},
        "Win32_ComputerSystemProduct": {"UUID": guid("host")},
        "Win32_Volume": [{"Name": "D:\\", "DeviceID": "x", "Capacity": 9, "FreeSpace": 3}],
    }
    host: dict[str, Any] = {"machines": [], "checkpoints": [], "disks": [], "throws": []}
    host |= {"events": [], "cim": cim, "log": str(folder / "removed"), **told}
    stub.write_text(json.dumps(host), encoding="utf-8")
    paths = f"{MODULES}{os.pathsep}{os.environ.get(PLACES, '')}"
    assert ENGINE is not None
    done = subprocess.run(
        [ENGINE, *delivery.switches()],
        input=delivery.standard_input(script, argument),
        capture_output=True,
        check=False,
        timeout=WITHIN,
        env={**os.environ, PLACES: paths, "SNAPAUDIT_STUB": str(stub)},
    )
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said
    assert done.stdout.isascii()
    return parsing.answer(done.stdout.decode("ascii").splitlines(), "engine")


def test_the_stubs_are_powershell() -> None:
    for module in MODULES.rglob("*.psm1"):
        assert complaints(module.read_text("utf-8")) == []


@engine
def test_a_host_without_machines_is_an_answer_too(tmp_path: Path) -> None:
    answer = ran(tmp_path, "collect", {})
    assert answer.machines == []
    assert answer.errors == []
    assert answer.host is not None
    assert answer.host.powershell
    assert answer.volumes[0].free == 3


@engine
def test_one_machine_and_one_checkpoint_keep_the_brackets_of_their_lists(tmp_path: Path) -> None:
    base, top = str(tmp_path / "a.vhdx"), str(tmp_path / "a_1.avhdx")
    loose = tmp_path / "loose.avhdx"
    loose.write_bytes(b"xyz")
    answer = ran(
        tmp_path, "collect", {},
        machines=[machine("a", drive(top), ParentSnapshotId=guid("s"))],
        checkpoints=[checkpoint("a", "s", drive(base))],
        disks=[disk(base), disk(top, base)],
    )  # fmt: skip
    assert answer.errors == []
    assert answer.machines[0].statuses == (2,)
    assert answer.machines[0].drives[0].path == top
    assert answer.checkpoints[0].drives[0].path == base
    assert {(one.path, one.parent) for one in answer.disks} == {(top, base), (base, None)}
    assert [(one.path, one.length) for one in answer.files] == [(str(loose), 3)]


@engine
def test_odd_names_come_through_as_they_are(tmp_path: Path) -> None:
    answer = ran(tmp_path, "collect", {}, machines=[machine(ODD, Notes=f"{ODD}\r\n\t\0")])
    assert answer.machines[0].name == ODD
    assert answer.machines[0].notes == f"{ODD}\r\n\t\0"


@engine
def test_properties_that_an_older_windows_lacks_are_not_told(tmp_path: Path) -> None:
    old = machine("a")
    for name in ("CheckpointType", "AutomaticCheckpointsEnabled", "Version", "HardDrives"):
        del old[name]
    answer = ran(tmp_path, "collect", {}, machines=[old])
    assert answer.errors == []
    assert answer.machines[0].checkpoint_setting is None
    assert answer.machines[0].automatic_checkpoints is None
    assert answer.machines[0].drives == ()


@engine
def test_a_passed_through_disk_has_a_number_and_no_path(tmp_path: Path) -> None:
    passed = drive("Disk 3 20.00 GB Bus 0 Lun 0", DiskNumber=3)
    found = ran(tmp_path, "collect", {}, machines=[machine("a", passed)]).machines[0].drives[0]
    assert (found.path, found.disk_number) == (None, 3)


@engine
def test_one_broken_object_costs_that_object_alone(tmp_path: Path) -> None:
    answer = ran(
        tmp_path, "collect", {},
        machines=[machine("a", State="upside down"), machine("b"), {"broken": True}],
    )  # fmt: skip
    assert [one.name for one in answer.machines] == ["b"]
    assert [(one.where, one.id) for one in answer.errors] == [("vm", None), ("vm", guid("a"))]


@engine
def test_a_disk_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "a.vhdx")
    answer = ran(tmp_path, "collect", {"folders": False}, machines=[machine("a", drive(path))])
    assert [(one.where, one.id) for one in answer.errors] == [("disk", path)]


@engine
def test_without_sizes_no_disk_is_asked_for(tmp_path: Path) -> None:
    path = str(tmp_path / "a.vhdx")
    answer = ran(
        tmp_path, "collect", {"sizes": False},
        machines=[machine("a", drive(path))], throws=["Get-VHD"],
    )  # fmt: skip
    assert answer.errors == []


@engine
@pytest.mark.parametrize("command", ["Get-VM", "Get-VMSnapshot"])
def test_a_list_that_fails_is_a_failed_host(tmp_path: Path, command: str) -> None:
    with pytest.raises(Exception, match="cannot be listed"):
        ran(tmp_path, "collect", {}, machines=[machine("a")], throws=[command])


@engine
def test_a_cluster_names_its_nodes_and_volumes(tmp_path: Path) -> None:
    part = {"Size": 90, "FreeSpace": 30}
    info = {"FriendlyVolumeName": "C:\\ClusterStorage\\V1", "Partition": part, "FaultState": 0}
    volume = {"Name": "V1", "OwnerNode": {"Name": "HV1"}, "SharedVolumeInfo": [info]}
    answer = ran(
        tmp_path, "collect", {},
        cluster={"Name": "C", "Id": guid("C"), "nodes": [{"Name": "HV1"}], "volumes": [volume]},
        cim={
            "Win32_OperatingSystem": {"Version": "10"}, "Win32_ComputerSystemProduct": {},
            "Win32_Service": {"StartMode": "Auto"},
        },
    )  # fmt: skip
    assert answer.errors == []
    assert answer.host is not None
    assert (answer.host.cluster, answer.host.nodes) == ("C", ("HV1",))
    assert [(one.path, one.free, one.owner) for one in answer.volumes if one.is_csv] == [
        ("C:\\ClusterStorage\\V1", 30, "HV1")
    ]


def staged(folder: Path) -> dict[str, Any]:
    """A machine with one checkpoint, on one disk."""
    base, top = str(folder / "a.vhdx"), str(folder / "a_1.avhdx")
    return {
        "machines": [machine("a", drive(top), ParentSnapshotId=guid("s"))],
        "checkpoints": [checkpoint("a", "s", drive(base))],
        "disks": [disk(base), disk(top, base)],
    }


def target(folder: Path, **changes: Any) -> dict[str, Any]:
    """That checkpoint, as a plan has it."""
    base, top = str(folder / "a.vhdx"), str(folder / "a_1.avhdx")
    fields = {
        "vm": guid("a"), "checkpoint": guid("s"), "created": "2026-01-02T03:04:05.000000Z",
        "type": "Standard", "parent": None, "name": "s", "notes": "", "children": [],
        "files": [base.upper()], "disks": [{"label": "SCSI 0:0", "paths": [base, top]}],
    }  # fmt: skip
    return {**fields, **changes}


def removed(folder: Path) -> list[str]:
    log = folder / "removed"
    return log.read_text("utf-8").split() if log.exists() else []


@engine
def test_a_target_that_is_as_planned_is_removed_and_nothing_else(tmp_path: Path) -> None:
    argument = {"targets": [target(tmp_path)], "dry": False}
    answer = ran(tmp_path, "remove", argument, **staged(tmp_path))
    assert [(one.kind, one.id) for one in answer.removals] == [("removed", guid("s"))]
    assert removed(tmp_path) == [guid("s")]


@engine
@pytest.mark.parametrize("argument", [{"dry": True}, {}, {"dry": None}])
def test_a_dry_run_says_what_it_would_do_and_does_not(tmp_path: Path, argument: Any) -> None:
    argument = {"targets": [target(tmp_path)], **argument}
    answer = ran(tmp_path, "remove", argument, **staged(tmp_path))
    assert [(one.kind, one.id) for one in answer.removals] == [("would", guid("s"))]
    assert removed(tmp_path) == []


@engine
@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"created": "2026-01-02T03:04:05.000001Z"}, "creation differs"),
        ({"type": "Recovery"}, "type differs"), ({"parent": guid("x")}, "parent differs"),
        ({"name": "S"}, "name differs"), ({"notes": "keep"}, "notes differs"),
        ({"children": [guid("x")]}, "children differ"), ({"files": []}, "files differ"),
        ({"disks": []}, "disks differ"), ({"checkpoint": guid("x")}, "there are 0 checkpoints"),
    ],
)  # fmt: skip
def test_inv_05_any_difference_is_a_reason_to_skip(
    tmp_path: Path, change: dict[str, Any], word: str
) -> None:
    argument = {"targets": [target(tmp_path, **change)], "dry": False}
    answer = ran(tmp_path, "remove", argument, **staged(tmp_path))
    assert [one.kind for one in answer.removals] == ["skip"]
    assert word in (answer.removals[0].why or "")
    assert removed(tmp_path) == []


@engine
@pytest.mark.parametrize(
    "change",
    [{"State": 6}, {"OperationalStatus": [2, 32772]}, {"OperationalStatus": []},
     {"ReplicationMode": 2}],
)  # fmt: skip
def test_a_machine_that_is_not_at_rest_is_skipped(tmp_path: Path, change: dict[str, Any]) -> None:
    host = staged(tmp_path)
    host["machines"][0] |= change
    argument = {"targets": [target(tmp_path)], "dry": False}
    assert [one.kind for one in ran(tmp_path, "remove", argument, **host).removals] == ["skip"]
    assert removed(tmp_path) == []


@engine
def test_a_target_that_lacks_something_is_an_error_and_stays(tmp_path: Path) -> None:
    short = target(tmp_path)
    del short["children"]
    answer = ran(tmp_path, "remove", {"targets": [short], "dry": False}, **staged(tmp_path))
    assert [(one.where, one.id) for one in answer.errors] == [("remove", guid("s"))]
    assert removed(tmp_path) == []


@engine
def test_a_removal_that_fails_is_told_apart_from_one_that_was_never_tried(tmp_path: Path) -> None:
    argument = {"targets": [target(tmp_path)], "dry": False}
    host = {**staged(tmp_path), "throws": ["Remove-VMSnapshot"]}
    answer = ran(tmp_path, "remove", argument, **host)
    assert [(one.where, one.id) for one in answer.errors] == [("removal", guid("s"))]
    assert answer.removals == []


@engine
def test_the_watcher_tells_what_is_gone_and_what_is_not(tmp_path: Path) -> None:
    host = staged(tmp_path)
    (tmp_path / "a.vhdx").write_bytes(b"1234")
    files = [str(tmp_path / "a.vhdx"), str(tmp_path / "b.avhdx"), str(tmp_path / "no/c.avhdx")]
    answer = ran(
        tmp_path, "watch",
        {"vm": guid("a"), "checkpoints": [guid("s"), guid("old")], "files": files,
         "since": "2026-01-01T00:00:00Z"},
        events=[{"Id": 19080, "TimeCreated": "2026-01-02T00:00:00Z",
                 "Properties": [{"Value": "a"}, {"Value": guid("a")}]}],
        **host,
    )  # fmt: skip
    assert sorted(answer.gone) == sorted([guid("old"), files[1]])
    assert [(one.path, one.length) for one in answer.files] == [(files[0], 4)]
    assert [(one.where, one.id) for one in answer.errors] == [("file", files[2])]
    assert [(one.number, one.data) for one in answer.events] == [(19080, ("a", guid("a")))]
    assert answer.machines[0].drives[0].controller == ("SCSI", 0, 0)
