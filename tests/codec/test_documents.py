from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snapaudit.codec.documents import inventories_document, read_inventories, to_json
from snapaudit.errors import InputError
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from tests.builders import datastore, inventory, snapshot, stray, vm

SOUND = inventory(
    vm("web01", snapshot("a", age="3d"), snapshot("b", age="1h", parent_id="a")),
    vm("db01", snapshot("a", size_bytes=None, created_at=None)),
    strays=(stray(),),
)
OTHER = inventory(endpoint="kvm2", coverage=Coverage(state=CoverageState.MISSING, reason="gone"))


def _saved(folder: Path, *inventories: Inventory, name: str = "i.json") -> Path:
    path = folder / name
    path.write_bytes(inventories_document(inventories, compress=path.suffix == ".gz"))
    return path


def _fault(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_inventories(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def _changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The sound inventory as a file, after a change to its document."""
    document = json.loads(to_json(SOUND))
    change(document)
    path = folder / "changed.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("name", ["i.json", "i.json.gz"])
def test_what_was_written_is_read_back_the_same(tmp_path: Path, name: str) -> None:
    assert read_inventories(_saved(tmp_path, SOUND, name=name)) == (SOUND,)
    assert read_inventories(_saved(tmp_path, SOUND, OTHER, name=name)) == (SOUND, OTHER)


def test_equal_inventories_give_equal_bytes(tmp_path: Path) -> None:
    (again,) = read_inventories(_saved(tmp_path, SOUND))
    for compress in (False, True):
        first = inventories_document((SOUND,), compress=compress)
        assert inventories_document((again,), compress=compress) == first


def test_document_carries_its_schema_utc_times_whole_bytes_and_null() -> None:
    document = json.loads(to_json(SOUND))
    written = document["virtual_machines"][1]["snapshots"][0]
    assert document["schema"] == "snapaudit/inventory@1"
    assert document["collected_at"] == "2026-06-01T12:00:00Z"
    assert (written["created_at"], written["size_bytes"]) == (None, None)
    assert isinstance(document["datastores"][0]["capacity_bytes"], int)


def test_json_ends_in_one_newline() -> None:
    assert to_json(SOUND).endswith("}\n")


def test_fields_of_a_later_version_are_passed_over(tmp_path: Path) -> None:
    def add(document: dict[str, Any]) -> None:
        document["mood"] = "fine"
        document["virtual_machines"][0]["snapshots"][0]["colour"] = {"deep": [1]}

    assert read_inventories(_changed(tmp_path, add)) == (SOUND,)


def test_field_with_a_default_may_be_missing(tmp_path: Path) -> None:
    (read,) = read_inventories(_changed(tmp_path, lambda document: document.pop("strays")))
    assert read.strays == ()


@pytest.mark.parametrize("keep", [0, 1, 40, -2])
def test_cut_json_is_refused(tmp_path: Path, keep: int) -> None:
    path = _saved(tmp_path, SOUND)
    path.write_bytes(path.read_bytes()[:keep])
    assert _fault(path).startswith("is not complete JSON: ")


@pytest.mark.parametrize("keep", [1, 15, 60, -1, -8])
def test_cut_gzip_is_refused(tmp_path: Path, keep: int) -> None:
    path = _saved(tmp_path, SOUND, name="i.json.gz")
    path.write_bytes(path.read_bytes()[:keep])
    assert _fault(path).startswith("is cut or no gzip file: ")


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = _saved(tmp_path, SOUND, name="i.json.gz")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    assert _fault(path).startswith("is cut or no gzip file: ")


def test_plain_json_under_a_gzip_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "i.json.gz"
    path.write_text(to_json(SOUND))
    assert _fault(path).startswith("is cut or no gzip file: ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"schema": "snapaudit/inventory@2"}', "'snapaudit/inventory@2' (document 1)"),
        ('{"schema": "snapaudit/audit@1"}', "'snapaudit/audit@1' (document 1)"),
        ("{}", "None (document 1)"),
        ("null", "None (document 1)"),
        ('"text"', "None (document 1)"),
        ("[1]", "None (document 1)"),
    ],
)
def test_other_schema_is_refused(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "i.json"
    path.write_text(text)
    assert _fault(path) == f"expected schema 'snapaudit/inventory@1', found {found}"


def test_wrong_document_in_a_list_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "i.json"
    path.write_text(f'[{to_json(SOUND)}, {{"schema": 7}}]')
    assert _fault(path).endswith("found 7 (document 2)")


def test_list_of_nothing_is_refused(tmp_path: Path) -> None:
    assert _fault(_saved(tmp_path)) == "holds no inventory"


def test_missing_field_is_named_with_its_path(tmp_path: Path) -> None:
    path = _changed(tmp_path, lambda document: document["virtual_machines"][1].pop("name"))
    assert _fault(path).startswith("virtual_machines.1.name: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [("size_bytes", "12"), ("size_bytes", 1.5), ("has_memory", 1), ("power_state", "onn")],
)
def test_value_of_another_type_is_refused(tmp_path: Path, field: str, value: object) -> None:
    def put(document: dict[str, Any]) -> None:
        document["virtual_machines"][0]["snapshots"][1][field] = value

    assert _fault(_changed(tmp_path, put)).startswith(f"virtual_machines.0.snapshots.1.{field}: ")


@pytest.mark.parametrize(
    ("unsound", "said"),
    [
        (
            inventory(vm("a", snapshot("s", size_bytes=-1))),
            "snapshot 's' of virtual machine 'id-a': a size is negative",
        ),
        (
            inventory(datastores=(datastore(free_bytes=-5),)),
            "datastore 'pool-1': a size is negative",
        ),
        (
            inventory(strays=(stray("/x", size_bytes=-1),)),
            "stray file '/x': a size is negative",
        ),
        (inventory(vm("a"), vm("a")), "virtual machine 'id-a' stands 2 times"),
        (
            inventory(vm("a", snapshot("s"), snapshot("s"))),
            "snapshot of virtual machine 'id-a' 's' stands 2 times",
        ),
        (inventory(datastores=(datastore(), datastore())), "datastore 'pool-1' stands 2 times"),
    ],
)
def test_inventory_that_contradicts_itself_is_refused(
    tmp_path: Path, unsound: Inventory, said: str
) -> None:
    assert _fault(_saved(tmp_path, unsound)) == said


def test_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    def put(document: dict[str, Any]) -> None:
        document["virtual_machines"][0]["snapshots"][0]["created_at"] = "2026-06-01T12:00:00"

    assert _fault(_changed(tmp_path, put)) == (
        "snapshot 'a' of virtual machine 'id-web01': the time 2026-06-01T12:00:00 has no time zone"
    )


@pytest.mark.parametrize("written", ["2026-06-01", "yesterday", 1.5, None])
def test_what_is_no_time_is_refused(tmp_path: Path, written: object) -> None:
    path = _changed(tmp_path, lambda document: document.update(collected_at=written))
    assert _fault(path).startswith("collected_at: ")


def test_missing_file_is_told(tmp_path: Path) -> None:
    assert _fault(tmp_path / "gone.json") == "cannot be read: No such file or directory"
    assert _fault(tmp_path / "gone.json.gz") == "cannot be read: No such file or directory"


def test_record_that_json_cannot_hold_ends_in_an_input_error() -> None:
    with pytest.raises(InputError, match=r"^output: cannot be written as JSON"):
        to_json(inventory(vm("lone-surrogate-\ud800")))


@pytest.mark.parametrize("name", ["i.json", "i.json.gz"])
def test_tst_11_room_is_asked_for_as_a_document_comes_and_not_for_the_largest_there_may_be(
    tmp_path: Path, name: str
) -> None:
    path = _saved(tmp_path, SOUND, name=name)
    tracemalloc.start()
    try:
        read_inventories(path)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()
