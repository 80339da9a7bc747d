"""What is seen against what is expected: the same, gone, half gone, or something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snapaudit.enforce.identity import Compared, Standing, after, compare, expectation
from snapaudit.model.inventory import Inventory, LayerRole, VirtualDisk, VirtualMachine
from snapaudit.model.plan import Action, Expectation
from tests.builders import disk, inventory, layer, snapshot, vm
from tests.enforce.planned import action

LINE = ("first", "second", "third")


def chain(label: str, *names: str) -> VirtualDisk:
    deltas = (
        layer(f"/{label}.{name}", role=LayerRole.DELTA, snapshot_id=name)
        for name in names
        if name != "phantom"
    )
    phantoms = (layer(f"/{label}.{n}", role=LayerRole.PHANTOM) for n in names if n == "phantom")
    return disk(layer(f"/{label}"), *deltas, *phantoms, label=label)


def machine(*names: str, vda: tuple[str, ...] | None = None) -> VirtualMachine:
    """A line of snapshots on two disks; ``vda`` says which deltas the first disk has instead."""
    parents = (None, *names)
    shots = (
        snapshot(name, age="9d", parent_id=parent)
        for name, parent in zip(names, parents, strict=False)
        if name != "phantom"
    )
    disks = (chain("vda", *(names if vda is None else vda)), chain("vdb", *names))
    return replace(vm("web01", *shots), disks=disks)


def view(*machines: VirtualMachine) -> Inventory:
    return inventory(*machines)


def expected(name: str | None, *names: str) -> Expectation:
    planned = machine(*names)
    shot = next((each for each in planned.snapshots if each.id == name), None)
    return expectation(view(planned), planned, shot)


def compared(
    name: str | None, *machines: VirtualMachine, names: tuple[str, ...] = LINE
) -> Compared:
    return compare(expected(name, *names), "id-web01", view(*machines))


def test_grd_01_the_same_machine_matches() -> None:
    assert compared("second", machine(*LINE)) == Compared(standing=Standing.MATCH)


def test_inv_06_a_target_that_is_gone_is_absent_and_its_disks_are_settled() -> None:
    found = compared("second", machine("first", "third"))
    assert (found.standing, found.disks_settled) == (Standing.ABSENT, True)


def test_p9_metadata_gone_with_a_delta_left_is_absent_but_not_settled() -> None:
    found = compared("second", machine("first", "third", vda=LINE))
    assert (found.standing, found.disks_settled) == (Standing.ABSENT, False)


def test_p9_one_of_two_deltas_gone_is_partial() -> None:
    found = compared("second", machine(*LINE, vda=("first", "third")))
    assert (found.standing, found.disks_settled) == (Standing.PARTIAL, False)


def test_all_deltas_gone_and_the_snapshot_still_listed_is_partial_but_settled() -> None:
    planned = machine(*LINE)
    seen = replace(planned, disks=machine("first", "third").disks)
    found = compared("second", seen)
    assert (found.standing, found.disks_settled) == (Standing.PARTIAL, True)


@pytest.mark.parametrize(
    "seen",
    [
        machine(*LINE, vda=(*LINE, "phantom")),
        machine(*LINE, vda=("second", "third")),
        machine(*LINE, vda=("first", "third", "second")),
        machine(*LINE, "fourth"),
    ],
    ids=["an image more", "another's image gone", "another order", "a snapshot more"],
)
def test_inv_02_a_chain_that_lost_or_got_anything_else_has_changed(seen: VirtualMachine) -> None:
    found = compared("second", seen)
    assert found.standing is Standing.CHANGED
    assert any("chain" in difference for difference in found.differences)


def test_inv_07_an_id_that_names_two_machines_has_changed_and_is_not_gone() -> None:
    found = compared("second", machine(*LINE), replace(machine(*LINE), name="twin"))
    assert found.standing is Standing.CHANGED
    assert "more than one machine" in found.differences[0]


def test_i5_another_manager_where_the_machine_is_missing_is_changed_and_not_gone() -> None:
    seen = replace(view(), manager_id="manager-2")
    assert compare(expected("second", *LINE), "id-web01", seen).standing is Standing.CHANGED


def test_phantoms_are_gone_once_none_of_them_is_left() -> None:
    names = ("first", "phantom")
    assert compared(None, machine(*names), names=names).standing is Standing.MATCH
    half = machine(*names, vda=("first",))
    assert compared(None, half, names=names).standing is Standing.PARTIAL
    found = compared(None, machine("first"), names=names)
    assert (found.standing, found.disks_settled) == (Standing.ABSENT, True)


@pytest.mark.parametrize("order", [LINE, LINE[::-1], ("second", "first"), ("second", "third")])
def test_later_actions_expect_what_earlier_ones_leave(order: tuple[str, ...]) -> None:
    done: list[Action] = []
    left = list(LINE)
    for name in order:
        wanted = after(expected(name, *LINE), done)
        assert compare(wanted, "id-web01", view(machine(*left))).standing is Standing.MATCH
        done.append(action(name, expects=expected(name, *LINE)))
        left.remove(name)


def test_a_step_that_failed_is_no_step_that_a_later_one_expects() -> None:
    wanted = after(expected("second", *LINE), [action("first", expects=expected("first", *LINE))])
    assert compare(wanted, "id-web01", view(machine(*LINE))).standing is Standing.CHANGED


def told_apart(planned: str | None, present: str | None, *, merged: bool) -> Standing:
    """The identity when planned and now; ``merged``: its delta is out of one chain already."""

    def named(found: VirtualMachine, identity: str | None) -> VirtualMachine:
        shots = (
            replace(one, identity=identity) if one.id == "second" else one
            for one in found.snapshots
        )
        return replace(found, snapshots=tuple(shots))

    before = named(machine(*LINE), planned)
    now = named(machine(*LINE, vda=("first", "third") if merged else None), present)
    shot = next(one for one in before.snapshots if one.id == "second")
    return compare(expectation(view(before), before, shot), "id-web01", view(now)).standing


def test_grd_01_what_was_read_off_its_images_counts_as_long_as_they_are_there() -> None:
    assert told_apart("record.a", "record.b", merged=False) is Standing.CHANGED


def test_what_was_read_off_its_images_is_lost_with_the_first_that_is_merged() -> None:
    assert told_apart("record.a", "record.b", merged=True) is Standing.PARTIAL


@pytest.mark.parametrize("present", ["other.a", None])
def test_grd_01_its_record_counts_to_the_end(present: str | None) -> None:
    assert told_apart("record.a", present, merged=True) is Standing.CHANGED


def test_grd_03_a_description_that_was_empty_is_told_as_such() -> None:
    now = machine(*LINE)
    changed = replace(now.snapshots[1], description="keep")
    seen = replace(now, snapshots=(now.snapshots[0], changed, now.snapshots[2]))
    assert "description: '' became 'keep'" in compared("second", seen).differences


def test_consolidation_changes_no_tree_and_a_deletion_no_consolidation() -> None:
    whole = expected(None, "first", "phantom")
    merged = action(expects=whole)
    deletion = expected("first", "first", "phantom")
    assert after(deletion, [merged]).snapshot == deletion.snapshot
    assert after(whole, [action(expects=deletion)]).snapshot is None
