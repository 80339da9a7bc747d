"""RVTools exports, read as inventories: what they say, what they do not, and hostile ones."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from snapaudit.codec import sheets
from snapaudit.codec.documents import read_inventories
from snapaudit.errors import InputError
from snapaudit.model.inventory import CoverageState, PowerState
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import NOW

_MIB = 2**20
_PLACE = {"Cluster": "Berlin", "Host": "esx-1", "VI SDK Server": "vc", "VI SDK UUID": "u-1"}
_SHOT = {
    "VM": "web01", "Powerstate": "poweredOn", "Name": "before", "Description": "CHG-1",
    "Date / time": datetime.fromisoformat("2026-05-01T08:30:00"), "Size MiB (total)": 2048.5,
    "Quiesced": False,
    "State": "poweredOff", "VM ID": "vm-7", **_PLACE,
}  # fmt: skip
_VM = {
    "VM": "web01", "Powerstate": "poweredOn", "Template": False, "Consolidation Needed": "True",
    "VM ID": "vm-7", "Annotation": "Owner: Web", **_PLACE,
}  # fmt: skip
_STORE = {
    "Name": "ssd", "Object ID": "datastore-9", "Type": "VMFS", "Capacity MiB": 1048576.0,
    "Free MiB": "524288", "Provisioned MiB": 900, "Accessible": "True", **_PLACE,
}  # fmt: skip


def book(path: Path, **given: list[dict[str, Any]]) -> Path:
    written = openpyxl.Workbook()
    written.remove(written["Sheet"])
    written.properties.created = datetime.fromisoformat("2026-05-31T07:00:00")
    for name, rows in given.items():
        sheet = written.create_sheet(name)
        columns = list(dict.fromkeys(key for row in rows for key in row))
        sheet.append(columns)
        for row in rows:
            sheet.append([row.get(column) for column in columns])
    written.save(path)
    return path


def test_an_export_is_an_inventory_with_what_it_says(tmp_path: Path) -> None:
    path = book(tmp_path / "e.xlsx", vInfo=[_VM], vSnapshot=[_SHOT], vDatastore=[_STORE])
    (seen,) = read_inventories(path)
    assert (seen.endpoint, seen.hypervisor, seen.manager_id) == ("vc", "vsphere", "u-1")
    assert seen.collected_at == datetime(2026, 5, 31, 7, 0, tzinfo=UTC)
    (vm,) = seen.virtual_machines
    assert (vm.id, vm.name, vm.host_id, vm.notes) == ("vm-7", "web01", "esx-1", "Owner: Web")
    assert vm.consolidation_needed is True
    (shot,) = vm.snapshots
    assert (shot.name, shot.description, shot.is_quiesced) == ("before", "CHG-1", False)
    assert shot.created_at == datetime(2026, 5, 1, 8, 30, tzinfo=UTC)
    assert shot.size_bytes == round(2048.5 * _MIB)
    assert shot.power_state is PowerState.OFF
    (store,) = seen.datastores
    assert (store.id, store.capacity_bytes, store.free_bytes) == ("datastore-9", 2**40, 2**39)
    assert [host.cluster for host in seen.hosts] == ["Berlin"]


def test_what_an_export_does_not_tell_is_unknown_and_the_view_is_partial(tmp_path: Path) -> None:
    (seen,) = read_inventories(book(tmp_path / "e.xlsx", vSnapshot=[_SHOT]))
    (vm,) = seen.virtual_machines
    (shot,) = vm.snapshots
    assert seen.coverage.state is CoverageState.PARTIAL
    assert "machines without snapshots are not listed" in (seen.coverage.reason or "")
    assert (vm.busy, vm.consolidation_needed, shot.has_memory, shot.pinned_bytes) == (
        None, None, None, None,
    )  # fmt: skip
    assert shot.reclaimable_bytes.max is None


def test_a_datastore_of_an_export_is_not_called_free_of_snapshots(tmp_path: Path) -> None:
    path = book(tmp_path / "e.xlsx", vInfo=[_VM], vSnapshot=[_SHOT], vDatastore=[_STORE])
    policy = load_policy((), disable={}, levels={}, environments=())
    undetermined = {one.rule for one in audit(read_inventories(path), policy, NOW).undetermined}
    assert {"datastore-held-by-snapshots", "no-room-to-merge"} <= undetermined


@pytest.mark.parametrize("name", ["before", "ticket #4711", "#"])
def test_snapshots_of_one_name_and_moment_stay_apart(tmp_path: Path, name: str) -> None:
    shot = {**_SHOT, "Name": name}
    (seen,) = read_inventories(book(tmp_path / "e.xlsx", vSnapshot=[shot, shot, shot]))
    ids = [shot.id for vm in seen.virtual_machines for shot in vm.snapshots]
    assert len(set(ids)) == 3


def test_each_server_of_an_export_is_an_endpoint(tmp_path: Path) -> None:
    other = {**_SHOT, "VI SDK Server": "vc-2"}
    seen = read_inventories(book(tmp_path / "e.xlsx", vSnapshot=[_SHOT, other]))
    assert [one.endpoint for one in seen] == ["vc", "vc-2"]


def test_columns_of_earlier_versions_are_known(tmp_path: Path) -> None:
    shot = {key: value for key, value in _SHOT.items() if key != "Size MiB (total)"}
    old = {**shot, "Size MB (total)": "1,024", "Date / time": "2026/05/01 08:30:00"}
    (seen,) = read_inventories(book(tmp_path / "e.xlsx", vSnapshot=[old]))
    (found,) = seen.virtual_machines[0].snapshots
    assert found.size_bytes == 1024 * _MIB
    assert found.created_at == datetime(2026, 5, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ("Date / time", "05/01/2026 08:30"),
        ("Size MiB (total)", "large"),
        ("Size MiB (total)", -5),
        ("Size MiB (total)", float("1e300")),
        ("Quiesced", "perhaps"),
    ],
)
def test_a_cell_that_cannot_be_understood_is_unknown_and_told(
    tmp_path: Path, column: str, written: object
) -> None:
    path = book(tmp_path / "e.xlsx", vSnapshot=[{**_SHOT, column: written}])
    (seen,) = read_inventories(path)
    (shot,) = seen.virtual_machines[0].snapshots
    values = {
        "Date / time": shot.created_at,
        "Size MiB (total)": shot.size_bytes,
        "Quiesced": shot.is_quiesced,
    }
    assert values[column] is None
    assert [gap.subject for gap in seen.gaps] == [f"vSnapshot row 2, {column}"]


def test_a_row_that_names_nothing_is_a_gap(tmp_path: Path) -> None:
    (seen,) = read_inventories(book(tmp_path / "e.xlsx", vSnapshot=[{"VM": None, "Name": "x"}]))
    assert seen.gaps[0].subject == "vSnapshot row 2"


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_inventories(path)
    return str(caught.value)


def test_a_workbook_that_is_no_export_is_refused_by_what_it_has(tmp_path: Path) -> None:
    path = book(tmp_path / "e.xlsx", Costs=[{"a": 1}])
    assert "there is no sheet 'vSnapshot', but Costs" in _refusal(path)


def test_a_sheet_without_the_column_that_names_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "e.xlsx", vSnapshot=[{"VM": "a", "Nmae": "b"}])
    assert "sheet vSnapshot: has no column 'Name'" in _refusal(path)


def test_what_is_no_workbook_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "e.xlsx"
    path.write_bytes(b"VM,Name\n")
    assert "is cut or no xlsx file" in _refusal(path)
    whole = book(tmp_path / "w.xlsx", vSnapshot=[_SHOT]).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "is cut or no xlsx file" in _refusal(path)
    assert "cannot be read" in _refusal(tmp_path / "absent.xlsx")


def _with_part(path: Path, name: str, body: bytes) -> Path:
    """The workbook with one of its parts replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member, body if member.filename == name else old.read(member))
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_they_are_parsed(tmp_path: Path, encoding: str) -> None:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "aaaa">'
        '<!ENTITY b "&a;&a;&a;">]><sst>&b;</sst>'
    )
    path = book(tmp_path / "e.xlsx", vSnapshot=[_SHOT])
    _with_part(path, "xl/theme/theme1.xml", text.encode(encoding))
    assert "declares a document type" in _refusal(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path / "e.xlsx", vSnapshot=[_SHOT])
    _with_part(path, "xl/theme/theme1.xml", b" " * (2 * _MIB))
    monkeypatch.setattr(sheets, "MAX_UNPACKED_BYTES", _MIB)
    assert path.stat().st_size < _MIB / 8
    assert "would unpack to" in _refusal(path)


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "[Content_Types].xml"]
)
@pytest.mark.parametrize("body", [b"", b"<x/>", b"\x00\xff", b"<a><b></a>"])
def test_a_damaged_part_is_one_line_or_no_rows(tmp_path: Path, part: str, body: bytes) -> None:
    path = _with_part(book(tmp_path / "e.xlsx", vSnapshot=[_SHOT]), part, body)
    if _is_refused(path):
        assert "\n" not in _refusal(path)


def _is_refused(path: Path) -> bool:
    try:
        return not read_inventories(path)
    except InputError:
        return True
