"""INV-08: each rule that leaves a checkpoint alone, by its word, and all that hold are told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from snapaudit.hypervisors.hyperv import statuses
from snapaudit.hypervisors.hyperv.protections import with_headroom
from tests.builders import GIB
from tests.hypervisors.hyperv.hrows import (
    FIXED,
    MERGING,
    OK,
    answer,
    checkpoint_row,
    disk_row,
    drive,
    error_row,
    guid,
    host_row,
    line,
    machine_row,
    volume_row,
)
from tests.hypervisors.hyperv.seen import machine, read, read_rows, snapshot, words

BASE = "D:\\VMs\\web.vhdx"
DELTA = f"D:\\VMs\\web_{guid('web s1')}.avhdx"


def protected(*rows: object, **changes: Any) -> set[str]:
    """The words of the checkpoint s1 of machine web in a line with one checkpoint."""
    return words(snapshot(read_rows(line("web", "s1", **changes), *rows)).protections)


def test_plain_checkpoint_of_a_plain_machine_is_free() -> None:
    assert protected() == set()


# 1, 2: what made it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("Recovery", "recovery"),
        ("Replica", "replica"),
        ("AppConsistentReplica", "replica"),
        ("SyncedReplica", "replica"),
        ("Planned", "planned"),
        ("Missing", "missing"),
        ("", "unknown-type"),
        ("Standard2", "unknown-type"),
    ],
)
def test_type_other_than_standard_is_never_touched(told: str, word: str) -> None:
    assert protected(cp={"type": told}) == {word}


@pytest.mark.parametrize(
    ("flag", "setting", "expected"),
    [
        (True, True, {"automatic"}),
        (None, True, {"automatic"}),
        (None, False, {"automatic"}),
        (None, None, set()),
        (False, True, set()),
    ],
)
def test_automatic_checkpoint_is_the_platforms_own_affair(
    flag: bool | None, setting: bool | None, expected: set[str]
) -> None:
    """Where neither flag nor setting is told, the release has no automatic checkpoints."""
    assert protected(cp={"is_automatic": flag}, vm={"automatic_checkpoints": setting}) == expected


# 3: the machine's condition ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [11, 23769, 32768, 32769, 32770, 32772, 32773, 32774, 32776, 32777, 32778, 32779, 1, 4711],
)
def test_each_status_of_work_and_each_unknown_one_is_busy(number: int) -> None:
    found = machine(read_rows(line("web", "s1", vm={"statuses": (OK, number)})))
    assert found.busy is True
    assert "busy" in words(found.protections)


@pytest.mark.parametrize("number", [3, 5])
def test_status_that_is_not_well_protects_without_being_busy(number: int) -> None:
    found = machine(read_rows(line("web", "s1", vm={"statuses": (number,)})))
    assert (found.busy, words(found.protections)) == (False, {"degraded"})


def test_critical_application_state_protects() -> None:
    assert protected(vm={"statuses": (OK, statuses.CRITICAL)}) == {"critical"}


def test_status_that_was_not_told_is_neither_busy_nor_idle() -> None:
    found = machine(read_rows(line("web", "s1", vm={"statuses": ()})))
    assert found.busy is None
    assert words(found.protections) == {"busy"}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (6, {"saved"}),
        (9, {"paused"}),
        (10, {"starting", "busy"}),
        (4, {"busy"}),
        (32773, {"busy"}),
        (999, {"busy"}),
    ],
)
def test_state_other_than_running_or_off_protects(state: int, expected: set[str]) -> None:
    assert protected(vm={"state": state}) == expected


# 4: replication ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [2, 3, 4, 99, None])
def test_replica_is_left_alone_and_so_is_an_unknown_mode(mode: int | None) -> None:
    assert protected(vm={"replication": mode}) == {"replica"}


def test_primary_of_a_replication_is_a_machine_like_others() -> None:
    assert protected(vm={"replication": 1}) == set()


# 5: what its disks are ---------------------------------------------------------------------------


@pytest.mark.parametrize("flag", [True, None])
def test_shared_disk_protects_and_so_does_one_that_may_be(flag: bool | None) -> None:
    rows = line("web", "s1")
    vm = machine_row("web", drive(DELTA, is_shared=flag), parent_checkpoint=guid("web s1"))
    assert words(snapshot(read_rows(*rows[:-1], vm)).protections) == {"shared-disk"}


def test_shared_disk_in_a_checkpoint_protects_too() -> None:
    rows = line("web", "s1")
    held = checkpoint_row("web", "s1", drive(BASE, is_shared=True))
    found = read_rows(*rows[:2], held, rows[3])
    assert words(snapshot(found).protections) == {"shared-disk"}


def test_vhd_set_protects() -> None:
    rows = line("web", "s1")
    extra = "D:\\VMs\\quorum.vhds"
    vm = machine_row("web", drive(DELTA), drive(extra, 1), parent_checkpoint=guid("web s1"))
    found = read_rows(*rows[:-1], disk_row(extra, format=4), vm)
    assert words(snapshot(found).protections) == {"disk-set"}


def test_stray_delta_protects_what_is_left() -> None:
    rows = line("web", "s1")
    top = "D:\\VMs\\web_lost.avhdx"
    vm = machine_row("web", drive(top), parent_checkpoint=guid("web s1"))
    found = read_rows(*rows[:-1], disk_row(top, DELTA), vm)
    assert words(snapshot(found).protections) == {"stray-delta"}
    assert machine(found).consolidation_needed is True
    assert machine(found).disks[0].layers[-1].role.value == "phantom"


def test_chain_that_was_not_read_protects() -> None:
    rows = line("web", "s1")
    assert "unknown-chain" in words(snapshot(read_rows(*rows[1:])).protections)


def test_chain_of_which_a_file_is_gone_protects() -> None:
    rows = line("web", "s1")
    found = read_rows(*rows[1:], error_row("disk", BASE, number=0x80070003))
    assert "broken-chain" in words(snapshot(found).protections)


def test_record_that_was_not_read_protects_its_machine_alone() -> None:
    broken = error_row("cp", guid("web"))
    found = read_rows(line("web", "s1"), line("db", "s9"), broken)
    assert words(snapshot(found).protections) == {"unread"}
    assert snapshot(found, "s9").protections == ()


def test_checkpoint_whose_parent_is_not_listed_protects_its_machine() -> None:
    assert protected(cp={"parent": guid("web s0")}) == {"unread"}


@pytest.mark.parametrize("number", [0x80041010, 0x80041010 - 2**32])
def test_release_that_cannot_switch_merging_off_misses_nothing(number: int) -> None:
    found = read_rows(line("web", "s1"), error_row("merge", number=number))
    assert (found.gaps, snapshot(found).protections) == ((), ())


def test_setting_of_merges_that_was_refused_is_a_hole() -> None:
    found = read_rows(line("web", "s1"), error_row("merge", number=0x80041003))
    assert [gap.subject for gap in found.gaps] == ["merge"]


def test_error_about_a_volume_says_nothing_of_the_machines() -> None:
    found = read_rows(line("web", "s1"), error_row("csv"))
    assert snapshot(found).protections == ()


def test_file_of_an_old_backup_in_the_chain_protects() -> None:
    top = "D:\\VMs\\web-AutoRecovery.avhdx"
    vm = machine_row("web", drive(top), parent_checkpoint=guid("web s1"))
    rows = line("web", "s1")
    found = read_rows(*rows[:-1], disk_row(top, DELTA), vm)
    assert "auto-recovery" in words(snapshot(found).protections)


def test_merging_that_is_switched_off_protects_and_is_told() -> None:
    found = read_rows(line("web", "s1", vm={"merging_disabled": True}))
    assert words(snapshot(found).protections) == {"merging-off"}
    assert "merging-off" in machine(found).traits


# 6: what stands on it ----------------------------------------------------------------------------


def branch(path: str = "D:\\VMs\\web_b.avhdx") -> list[object]:
    """A dead branch of web: checkpoint s2 holds a second delta on the base."""
    return [
        disk_row(path, BASE),
        checkpoint_row("web", "s2", drive(path), parent=guid("web s1"), age="5d"),
    ]


def test_checkpoint_with_two_children_cannot_be_merged() -> None:
    found = read_rows(line("web", "s1"), branch())
    assert words(snapshot(found).protections) == {"branched"}
    assert snapshot(found).reclaimable_bytes.max == snapshot(found).reclaimable_bytes.min


def test_clone_on_a_held_file_forbids_to_merge_into_it() -> None:
    clone = "D:\\Clones\\c.vhdx"
    rows = [disk_row(clone, BASE), machine_row("clone", drive(clone))]
    assert protected(*rows) == {"branched", "gold-image"}


def test_clone_on_a_delta_forbids_to_merge_that_delta() -> None:
    clone = "D:\\Clones\\c.vhdx"
    rows = [disk_row(clone, DELTA), machine_row("clone", drive(clone))]
    assert protected(*rows) == {"gold-image"}


def test_file_that_two_checkpoints_hold_is_merged_for_neither() -> None:
    twin = checkpoint_row("web", "s2", drive(BASE), parent=guid("web s1"))
    found = read_rows(line("web", "s1"), twin)
    for name in ("s1", "s2"):
        assert "shared-hold" in words(snapshot(found, name).protections)
    deltas = [snapshot(found, name).size_bytes or 0 for name in ("s1", "s2")]
    assert sum(deltas) == GIB + 2 * 2**20


def test_frozen_file_that_a_machine_writes_to_is_in_use() -> None:
    other = machine_row("other", drive(BASE))
    assert "in-use" in protected(other)


# 7: what people said -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["#keep", "golden [keep]", "DO NOT DELETE", "do-not-remove!", "Keep", "please\ndo not merge"],
)
def test_keep_mark_in_any_name_or_note_protects(text: str) -> None:
    assert protected(cp={"notes": text}) == {"keep"}
    assert protected(vm={"notes": text}) == {"keep"}
    rows = line("web", "s1")
    named = checkpoint_row("web", text, drive(BASE), id=guid("web s1"))
    assert words(snapshot(read_rows(*rows[:2], named, rows[3]), text).protections) == {"keep"}
    assert protected(vm={"name": f"web {text}"}) == ({"keep"} if text != "Keep" else set())


@pytest.mark.parametrize(
    "text", ["keep until 2026-01-01", "bookkeeping", "housekeeping #7", "before update", "upkeep"]
)
def test_other_words_are_no_mark(text: str) -> None:
    assert protected(cp={"notes": text}, vm={"notes": text}) == set()


# 8: room -----------------------------------------------------------------------------------------


def room(free: int | None, **base: Any) -> set[str]:
    """The words with so much free, where the merge takes one GiB."""
    return protected(volume_row("D:\\", free=free), base=base)


def test_merge_needs_its_headroom() -> None:
    least = with_headroom(GIB)
    assert room(least) == set()
    assert room(least - 1) == {"no-room"}


def test_unknown_free_space_is_no_room() -> None:
    assert room(None) == {"unknown-room"}


def test_fixed_disk_needs_no_room_at_all() -> None:
    assert room(0, type=FIXED, file_bytes=40 * GIB) == set()


def test_disk_that_is_nearly_full_needs_only_what_it_may_still_grow() -> None:
    full = 40 * GIB - (-40 * GIB * 2 // 1000)  # with its tables
    assert room(with_headroom(2**20), file_bytes=full - 2**20) == set()
    assert room(with_headroom(2**20) - 1, file_bytes=full - 2**20) == {"no-room"}


def test_needs_of_all_disks_on_a_volume_are_added() -> None:
    first, second = line("web", "s1"), "D:\\VMs\\data.vhdx"
    rows = [
        *first[:2],
        disk_row(second),
        disk_row("D:\\VMs\\data_1.avhdx", second),
        checkpoint_row("web", "s1", drive(BASE), drive(second, 1)),
        machine_row(
            "web",
            drive(DELTA),
            drive("D:\\VMs\\data_1.avhdx", 1),
            parent_checkpoint=guid("web s1"),
        ),
    ]
    enough = volume_row("D:\\", free=with_headroom(2 * GIB))
    short = volume_row("D:\\", free=with_headroom(2 * GIB) - 1)
    assert words(snapshot(read_rows(*rows, enough)).protections) == set()
    assert words(snapshot(read_rows(*rows, short)).protections) == {"no-room"}


def test_unknown_size_of_the_delta_is_no_room() -> None:
    assert protected(deltas={"file_bytes": None}) == {"unknown-room"}


def test_share_has_no_known_room() -> None:
    rows = line("web", "s1", folder="\\\\sofs\\vms")
    assert words(snapshot(read_rows(*rows)).protections) == {"unknown-room"}


# 9: merges on the same volume --------------------------------------------------------------------


def test_merge_of_another_machine_on_the_same_volume_makes_it_wait() -> None:
    other = line("db", vm={"statuses": (OK, MERGING)})
    assert protected(*other) == {"merge-nearby"}


def test_merge_of_its_own_is_busy_and_not_another_machines() -> None:
    assert protected(vm={"statuses": (OK, MERGING)}) == {"busy"}


def test_merge_on_another_volume_does_not() -> None:
    other = line("db", folder="E:\\VMs", vm={"statuses": (OK, MERGING)})
    found = read_rows(line("web", "s1"), *other, volume_row("D:\\"), volume_row("E:\\"))
    assert snapshot(found).protections == ()


# All of them, and in words -----------------------------------------------------------------------


def test_every_reason_is_told_and_not_only_the_first() -> None:
    found = read_rows(
        line(
            "web",
            "s1",
            cp={"type": "Recovery", "is_automatic": True, "notes": "#keep"},
            vm={"state": 9, "statuses": (OK, 32776), "replication": 2, "merging_disabled": True},
        ),
        branch(),
        volume_row("D:\\", free=0),
        line("db", vm={"statuses": (OK, MERGING)}),
    )
    assert words(snapshot(found).protections) == {
        "recovery", "automatic", "keep", "paused", "busy", "replica", "merging-off", "branched",
        "merge-nearby",
    }  # fmt: skip


def test_each_reason_is_a_word_and_a_sentence_once() -> None:
    found = read_rows(line("web", "s1", vm={"state": 10, "statuses": (11, 11, 3)}))
    told = snapshot(found).protections
    assert len(told) == len(set(told))
    assert all(re.fullmatch(r"[a-z-]+: \S.*", one) for one in told)


def test_machine_that_two_nodes_list_is_moving() -> None:
    rows = line("web", "s1", folder="C:\\ClusterStorage\\Volume1")
    nodes = [answer(*rows, host=host_row(name, cluster="c")) for name in ("N1", "N2")]
    found = read(*nodes)
    assert machine(found).busy is True
    assert words(machine(found).protections) == {"busy"}
