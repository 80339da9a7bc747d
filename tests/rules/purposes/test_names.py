from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from tests.rules.purposes.labelled import (
    FRESH,
    LABELS,
    SECOND,
    SEEN,
    UNREAD,
    LabelledName,
    labelled,
)

HYPERVISORS = {"vsphere", "libvirt", "proxmox", "hyperv", "xen", "any"}


@pytest.fixture(scope="module")
def rows() -> tuple[LabelledName, ...]:
    return tuple(row for path in (SEEN, SECOND, FRESH, UNREAD) for row in labelled(path))


def folded(text: str) -> str:
    """As two people would call it the same name: case, accents, width and spaces aside."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def repeated(values: list[str]) -> list[str]:
    return sorted(value for value, times in Counter(values).items() if times > 1)


def test_every_name_has_a_label_that_is_defined(rows: tuple[LabelledName, ...]) -> None:
    assert {row.label for row in rows} == set(LABELS)


def test_every_name_says_where_it_is_from(rows: tuple[LabelledName, ...]) -> None:
    assert [row.id for row in rows if not (row.source and row.language)] == []
    assert {row.hypervisor for row in rows} == HYPERVISORS


def test_no_id_is_given_twice(rows: tuple[LabelledName, ...]) -> None:
    assert repeated([row.id for row in rows]) == []


def test_no_name_stands_twice_not_even_in_two_files(rows: tuple[LabelledName, ...]) -> None:
    assert repeated([folded(row.name) for row in rows]) == []


def test_no_description_stands_twice_not_even_in_two_files(rows: tuple[LabelledName, ...]) -> None:
    assert repeated([folded(row.description) for row in rows if row.description]) == []


def test_the_second_half_has_as_much_of_each_purpose_as_the_other() -> None:
    seen, second = (Counter(row.label for row in labelled(path)) for path in (SEEN, SECOND))
    assert {
        label: (seen[label], second[label])
        for label in LABELS
        if abs(seen[label] - second[label]) > 2
    } == {}


@pytest.mark.parametrize("file", [FRESH, UNREAD])
def test_the_later_names_hold_every_purpose_of_which_a_figure_is_told(file: Path) -> None:
    held = Counter(row.label for row in labelled(file))
    assert {label: held[label] for label in LABELS if held[label] < 10} == {}
