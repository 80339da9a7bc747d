"""Files that no chain uses: told only where everything was seen, and never too early."""

from __future__ import annotations

import pytest

from snapaudit.model.inventory import StrayKind
from tests.builders import GIB
from tests.hypervisors.hyperv.hrows import (
    BACKING_UP,
    MERGING,
    OK,
    answer,
    checkpoint_row,
    drive,
    error_row,
    file_row,
    guid,
    host_row,
    line,
)
from tests.hypervisors.hyperv.seen import read, read_rows

ORPHAN = "D:\\VMs\\Lost_1.avhdx"
ON_CSV = "C:\\ClusterStorage\\Volume1"


def test_automatic_file_that_no_chain_contains_is_an_orphan() -> None:
    (stray,) = read_rows(line("web", "s1"), file_row(ORPHAN, 7)).strays
    assert (stray.id, stray.name, stray.path) == (ORPHAN, "Lost_1.avhdx", ORPHAN)
    assert (stray.kind, stray.datastore_id, stray.size_bytes) == (StrayKind.OVERLAY, "D:\\", 7)


def test_file_of_a_chain_is_none_whatever_its_case_and_slashes() -> None:
    chain = f"d:/vms/WEB_{guid('web s1').upper()}.AVHDX"
    assert read_rows(line("web", "s1"), file_row(chain)).strays == ()


def test_file_that_only_a_checkpoint_of_a_dead_branch_holds_is_none() -> None:
    found = read_rows(
        line("web", "s1"),
        checkpoint_row("web", "s2", drive(ORPHAN), parent=guid("web s1")),
        file_row(ORPHAN),
    )
    assert found.strays == ()


@pytest.mark.parametrize("name", ["web.avhdx.rct", "web.mrt", "web.vhdx", "notes.txt"])
def test_other_files_are_none(name: str) -> None:
    assert read_rows(line("web", "s1"), file_row(f"D:\\VMs\\{name}")).strays == ()


def test_leftover_of_an_old_backup_says_what_it_does() -> None:
    (stray,) = read_rows(line("web"), file_row("D:\\VMs\\web-AutoRecovery.avhdx")).strays
    assert "2012 R2" in stray.reason
    assert "next backup" in stray.reason


@pytest.mark.parametrize(
    "doubt",
    [
        error_row("folder", "D:\\VMs"),
        error_row("vm", guid("db")),
        checkpoint_row("db", "s9", drive("D:\\VMs\\db.vhdx")),
    ],
)
def test_inv_07_nothing_is_an_orphan_while_something_was_not_read(doubt: object) -> None:
    found = read_rows(line("web", "s1"), file_row(ORPHAN), doubt)
    assert found.strays == ()
    assert any("not looked for" in spot for spot in found.blind_spots)


def test_inv_07_nothing_is_an_orphan_while_a_chain_was_not_followed_to_its_base() -> None:
    found = read_rows(line("web", "s1")[1:], file_row(ORPHAN))
    assert found.strays == ()


def test_nothing_is_an_orphan_while_a_backup_runs_anywhere() -> None:
    found = read_rows(
        line("web"), line("db", folder="E:\\VMs", vm={"statuses": (BACKING_UP,)}), file_row(ORPHAN)
    )
    assert found.strays == ()
    assert any("a backup of db runs" in spot for spot in found.blind_spots)


def test_nothing_is_an_orphan_in_the_folder_of_a_machine_that_merges() -> None:
    merging = line("web", vm={"statuses": (OK, MERGING)})
    elsewhere = [*line("db", folder="E:\\VMs"), file_row("E:\\VMs\\db_9.avhdx")]
    found = read_rows(merging, file_row(ORPHAN), *elsewhere)
    assert [stray.path for stray in found.strays] == ["E:\\VMs\\db_9.avhdx"]


def test_file_written_just_now_may_be_of_a_machine_that_moves() -> None:
    assert read_rows(line("web"), file_row(ORPHAN, age="59m")).strays == ()
    assert len(read_rows(line("web"), file_row(ORPHAN, age="60m")).strays) == 1


def test_file_on_shared_storage_is_judged_by_the_chains_of_all_nodes() -> None:
    chain = f"{ON_CSV}\\web_{guid('web s1')}.avhdx"
    owner = answer(line("web", "s1", folder=ON_CSV), host=host_row("N1", cluster="c"))
    other = answer(
        line("db", folder=ON_CSV),
        file_row(chain),
        file_row(f"{ON_CSV}\\lost.avhdx"),
        host=host_row("N2", cluster="c"),
    )
    assert [stray.path for stray in read(owner, other).strays] == [f"{ON_CSV}\\lost.avhdx"]


def test_file_that_two_nodes_see_is_told_once() -> None:
    nodes = [
        answer(
            line(name, folder=ON_CSV),
            file_row(f"{ON_CSV}\\lost.avhdx", 5 * GIB),
            host=host_row(name, cluster="c"),
        )
        for name in ("N1", "N2")
    ]
    assert len(read(*nodes).strays) == 1


def test_same_local_path_on_two_nodes_is_two_files() -> None:
    chain = f"D:\\VMs\\web_{guid('web s1')}.avhdx"
    one = answer(line("web", "s1"), file_row(chain), host=host_row("N1", cluster="c"))
    two = answer(line("db"), file_row(chain), host=host_row("N2", cluster="c"))
    (stray,) = read(one, two).strays
    assert stray.id == f"n2:{chain}"
    assert stray.datastore_id == "n2:D:\\"


def test_c1_nothing_is_an_orphan_while_a_node_is_missing() -> None:
    one = answer(line("web"), file_row(ORPHAN), host=host_row("N1", cluster="c"))
    found = read(one, failed={"n2": "nothing answered"})
    assert found.strays == ()
    assert any("node n2 did not answer" in spot for spot in found.blind_spots)
