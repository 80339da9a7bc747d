"""TST-05: for every fault and platform, the tests that prove what happens, or why none applies."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from snapaudit import registry
from snapaudit.codec.yaml import Node, read_yaml

ROOT = Path(__file__).parents[2]
MATRIX = Path(__file__).with_name("matrix.yaml")
COLUMNS = ("vsphere", "libvirt", "hyperv", "xen")
COUNTS = {"I": 11, "U": 12, "R": 8, "P": 15, "B": 14, "S": 10, "C": 6}
ROWS = tuple(f"{letter}{n}" for letter, most in COUNTS.items() for n in range(1, most + 1))
VERIFIED = (
    "real libvirt/QEMU",
    "libvirt's test driver",
    "model",
    "simulator",
    "own server",
    "code",
)
LATER = "later"
BED = "pytest.mark.bed"


def bare(node: Node) -> Any:
    """The value without its places."""
    match node.value:
        case dict() as found:
            return {key: bare(child) for key, child in found.items()}
        case tuple() as found:
            return [bare(child) for child in found]
        case other:
            return other


@cache
def matrix() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = bare(read_yaml(MATRIX))
    for column in COLUMNS:
        cells: dict[str, Any] = bare(read_yaml(MATRIX.parent / f"columns/{column}.yaml"))
        assert tuple(cells) == ROWS, column
        for row, cell in cells.items():
            found[row][column] = cell
    return found


@cache
def written_in(path: str) -> dict[str, bool]:
    """The tests of a file, read off its syntax tree; whether each needs a bed."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    marks = (n.value for n in tree.body if isinstance(n, ast.Assign) and _names_pytestmark(n))
    all_of_them = any(BED in ast.unparse(mark) for mark in marks)
    tests = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {
        node.name: all_of_them or any(BED in ast.unparse(d) for d in node.decorator_list)
        for node in tests
        if node.name.startswith("test_")
    }


def _names_pytestmark(node: ast.Assign) -> bool:
    return any(ast.unparse(target) == "pytestmark" for target in node.targets)


def complaints(row: str, column: str, cell: Any, built: frozenset[str]) -> Iterator[str]:
    """What is wrong with a cell."""
    where = f"{row} {column}"
    match cell:
        case None | "":
            yield f"{where}: is empty"
        case "later":
            if column in built:
                yield f"{where}: the platform is built, so 'later' will not do"
        case str() as text:
            word, _, reason = text.partition(": ")
            if word != "n/a" or len(reason) < 20:
                yield f"{where}: neither tests nor 'n/a: reason'"
        case {"tests": [*tests], "verified_on": [*verified]} if tests and verified:
            yield from (f"{where}: {one} is no test" for one in tests if not is_test(one))
            yield from (f"{where}: {on!r}?" for on in verified if on not in VERIFIED)
            if "real libvirt/QEMU" in verified and not any(map(needs_a_bed, tests)):
                yield f"{where}: none of its tests needs a real daemon"
        case _:
            yield f"{where}: needs tests and verified_on, both lists that are not empty"


def is_test(test_id: str) -> bool:
    path, _, name = test_id.partition("::")
    return (ROOT / path).is_file() and name in written_in(path)


def needs_a_bed(test_id: str) -> bool:
    path, _, name = test_id.partition("::")
    return is_test(test_id) and written_in(path)[name]


def test_tst_05_every_fault_has_its_row_and_nothing_else_has() -> None:
    assert tuple(matrix()) == ROWS
    assert len(ROWS) == 76
    for row, cells in matrix().items():
        assert set(cells) == {"fault", *COLUMNS}, row
        assert len(cells["fault"]) > 10, row


def test_tst_05_every_cell_names_tests_that_exist_or_why_there_are_none() -> None:
    built = frozenset(registry.kinds())
    assert built & set(COLUMNS)
    found = [
        complaint
        for row, cells in matrix().items()
        for column in COLUMNS
        for complaint in complaints(row, column, cells[column], built)
    ]
    assert found == []


def test_tst_05_no_test_is_named_twice_in_a_cell() -> None:
    for row, cells in matrix().items():
        for column in COLUMNS:
            tests = cells[column].get("tests", []) if isinstance(cells[column], dict) else []
            assert len(tests) == len(set(tests)), (row, column)


REAL = "tests/faults/test_matrix.py::test_tst_05_no_test_is_named_twice_in_a_cell"


@pytest.mark.parametrize(
    "cell",
    [
        None,
        "",
        LATER,
        "n/a: ",
        "n/a: no",
        "none",
        [REAL],
        {"tests": [REAL]},
        {"tests": [], "verified_on": ["model"]},
        {"tests": [REAL], "verified_on": []},
        {"tests": [REAL], "verified_on": ["a hunch"]},
        {"tests": [REAL], "verified_on": ["real libvirt/QEMU"], "why": "x"},
        {"tests": [f"{REAL}_"], "verified_on": ["model"]},
        {"tests": ["tests/faults/test_nothing.py::test_x"], "verified_on": ["model"]},
    ],
)
def test_tst_05_cell_that_proves_nothing_is_noticed(cell: Any) -> None:
    assert list(complaints("I1", "libvirt", cell, frozenset({"libvirt"})))


@pytest.mark.parametrize("cell", ["n/a: there is no such thing on it", LATER])
def test_tst_05_platform_that_is_not_built_may_wait(cell: str) -> None:
    assert not list(complaints("I1", "xen", cell, frozenset({"libvirt"})))
    assert not list(
        complaints("I1", "libvirt", {"tests": [REAL], "verified_on": ["model"]}, frozenset({"xen"}))
    )


def test_tst_05_real_is_only_what_ran_on_the_real_thing() -> None:
    cell = {
        "tests": ["tests/model/test_pace.py::test_copy_that_stands_still_has_no_end_in_sight"],
        "verified_on": ["real libvirt/QEMU"],
    }
    assert list(complaints("I1", "libvirt", cell, frozenset({"libvirt"})))
