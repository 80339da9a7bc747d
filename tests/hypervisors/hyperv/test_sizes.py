"""What deleting a checkpoint gives back and takes, by the number of files on what it holds."""

from __future__ import annotations

from typing import Any

import pytest

from snapaudit.hypervisors.hyperv import sizes
from snapaudit.hypervisors.hyperv.images import Image
from snapaudit.hypervisors.hyperv.sizes import Part
from snapaudit.model.inventory import ByteRange, Snapshot
from tests.builders import GIB
from tests.hypervisors.hyperv.hrows import (
    FIXED,
    MIB,
    checkpoint_row,
    disk_row,
    drive,
    file_row,
    guid,
    line,
    machine_row,
)
from tests.hypervisors.hyperv.seen import read_rows, snapshot

BASE = "D:\\VMs\\web.vhdx"
DELTA = f"D:\\VMs\\web_{guid('web s1')}.avhdx"
DEAD = "D:\\VMs\\web_dead.avhdx"


def gain(shot: Snapshot) -> tuple[int, int | None]:
    return shot.reclaimable_bytes.min, shot.reclaimable_bytes.max


def dead_branch(**changes: Any) -> list[object]:
    """The end of a branch that the machine no longer stands on."""
    return [
        disk_row(DEAD, BASE, file_bytes=3 * GIB, **changes),
        checkpoint_row("web", "s2", drive(DEAD), parent=guid("web s1"), age="5d"),
    ]


def test_one_child_gives_back_up_to_its_size() -> None:
    shot = snapshot(read_rows(line("web", "s1")))
    assert (shot.size_bytes, shot.pinned_bytes) == (GIB + MIB, None)
    assert gain(shot) == (MIB, GIB + MIB)
    assert "merged into what it holds" in shot.reclaimable_bytes.basis


def test_end_of_a_dead_branch_gives_back_the_file_it_holds() -> None:
    shot = snapshot(read_rows(line("web", "s1"), dead_branch()), "s2")
    assert (shot.size_bytes, shot.pinned_bytes) == (MIB, 3 * GIB + MIB)
    assert gain(shot) == (3 * GIB + MIB, 3 * GIB + MIB)


def test_two_children_give_back_nothing_but_the_system_files() -> None:
    shot = snapshot(read_rows(line("web", "s1"), dead_branch()))
    assert shot.size_bytes == 4 * GIB + MIB
    assert gain(shot) == (MIB, MIB)
    assert "2 files stand on what it holds" in shot.reclaimable_bytes.basis


def test_clone_beside_the_only_delta_keeps_that_from_being_merged() -> None:
    clone = [disk_row("D:\\c.vhdx", BASE), machine_row("clone", drive("D:\\c.vhdx"))]
    shot = snapshot(read_rows(line("web", "s1"), clone))
    assert shot.size_bytes == GIB + MIB
    assert gain(shot) == (MIB, MIB)


def test_held_file_that_a_machine_writes_to_is_not_given_back() -> None:
    other = machine_row("other", drive(DEAD))
    shot = snapshot(read_rows(line("web", "s1"), dead_branch(), other), "s2")
    assert gain(shot) == (MIB, MIB)


def test_held_plain_file_without_children_stays() -> None:
    rows = [disk_row(BASE), checkpoint_row("web", "s1", drive(BASE)), machine_row("web")]
    assert gain(snapshot(read_rows(*rows))) == (MIB, MIB)


def test_file_that_two_checkpoints_hold_gives_back_nothing_and_says_why() -> None:
    twin = checkpoint_row("web", "s2", drive(BASE), parent=guid("web s1"))
    found = read_rows(line("web", "s1"), twin)
    for name in ("s1", "s2"):
        assert gain(snapshot(found, name)) == (MIB, MIB)
        assert "another checkpoint holds" in snapshot(found, name).reclaimable_bytes.basis


@pytest.mark.parametrize("age", ["1d", "90d"])
def test_file_that_two_checkpoints_hold_is_charged_to_the_older_one(age: str) -> None:
    twin = checkpoint_row("web", "s2", drive(BASE), parent=guid("web s1"), age=age)
    found = read_rows(line("web", "s1"), twin)
    older, younger = ("s2", "s1") if age == "90d" else ("s1", "s2")
    assert snapshot(found, older).size_bytes == GIB + MIB
    assert snapshot(found, younger).size_bytes == MIB


def test_all_disks_count() -> None:
    second, top = "D:\\VMs\\data.vhdx", "D:\\VMs\\data_1.avhdx"
    rows = [
        *line("web", "s1")[:2],
        disk_row(second, type=FIXED, file_bytes=40 * GIB),
        disk_row(top, second, file_bytes=2 * GIB),
        checkpoint_row("web", "s1", drive(BASE), drive(second, 1)),
        machine_row("web", drive(DELTA), drive(top, 1), parent_checkpoint=guid("web s1")),
    ]
    shot = snapshot(read_rows(*rows))
    assert shot.size_bytes == 3 * GIB + MIB
    assert gain(shot) == (2 * GIB + MIB, 3 * GIB + MIB)


def test_inv_07_system_files_of_unknown_size_make_the_checkpoint_unknown() -> None:
    shot = snapshot(read_rows(line("web", "s1", cp={"system_bytes": None})))
    assert shot.size_bytes is None
    assert gain(shot) == (0, None)
    assert "unknown" in shot.reclaimable_bytes.basis


def test_inv_07_delta_of_unknown_size_makes_the_checkpoint_unknown() -> None:
    shot = snapshot(read_rows(line("web", "s1", deltas={"file_bytes": None})))
    assert shot.size_bytes is None
    assert gain(shot) == (MIB, None)
    assert DELTA in shot.reclaimable_bytes.basis


def test_size_of_a_file_that_could_not_be_opened_is_its_length_in_the_folder() -> None:
    found = read_rows(line("web", "s1", deltas={"file_bytes": None}), file_row(DELTA, 5 * GIB))
    assert snapshot(found).size_bytes == 5 * GIB + MIB


# Need --------------------------------------------------------------------------------------------


def part(held: dict[str, Any] | None = None, *children: int | None) -> Part:
    fields: dict[str, Any] = {"size_bytes": 10 * GIB, "capacity_bytes": 40 * GIB, "kind": 3}
    files = tuple(
        Image(key=f"C{n}.AVHDX", path=f"c{n}.avhdx", size_bytes=size)
        for n, size in enumerate(children)
    )
    image = Image(key="H.VHDX", path="h.vhdx", **{**fields, **(held or {})})
    return Part(held=image, children=files, own=files, is_alone=True, is_written=False)


@pytest.mark.parametrize(
    ("held", "child", "expected"),
    [
        ({}, GIB, GIB),
        ({}, 100 * GIB, 40 * GIB + 80 * GIB // 1000 + 1 - 10 * GIB),
        ({"kind": FIXED}, GIB, 0),
        ({"kind": FIXED}, None, 0),
        ({"size_bytes": 60 * GIB}, GIB, 0),
        ({"size_bytes": None}, GIB, GIB),
        ({"capacity_bytes": None}, GIB, GIB),
        ({"kind": None}, GIB, GIB),
        ({}, None, None),
        ({"size_bytes": None}, None, None),
    ],
)
def test_need_is_the_smaller_of_the_delta_and_the_growth_below(
    held: dict[str, Any], child: int | None, expected: int | None
) -> None:
    assert sizes.need(part(held, child)) == expected


@pytest.mark.parametrize("children", [(), (GIB, GIB)])
def test_where_nothing_is_merged_nothing_is_needed(children: tuple[int, ...]) -> None:
    assert sizes.need(part(None, *children)) == 0
    assert list(sizes.needs([part(None, *children)])) == []


def test_needs_are_told_by_the_file_they_are_written_to() -> None:
    assert list(sizes.needs([part(None, GIB)])) == [("H.VHDX", GIB)]


def test_range_is_exact_where_nothing_can_vary() -> None:
    fixed = {"type": FIXED, "file_bytes": 40 * GIB}
    shot = snapshot(read_rows(line("web", "s1", base=fixed)))
    assert isinstance(shot.reclaimable_bytes, ByteRange)
    assert gain(shot) == (GIB + MIB, GIB + MIB)
    assert shot.pinned_bytes == GIB + MIB
