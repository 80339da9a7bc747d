"""Volumes: the longest mount point holds a file, and what nobody told is unknown."""

from __future__ import annotations

from snapaudit.model.inventory import Datastore, Inventory
from tests.builders import GIB
from tests.hypervisors.hyperv.hrows import (
    answer,
    disk_row,
    drive,
    host_row,
    line,
    machine_row,
    volume_row,
)
from tests.hypervisors.hyperv.seen import machine, read, read_rows

CSV = "C:\\ClusterStorage\\Volume1"


def store(found: Inventory, identity: str) -> Datastore:
    return next(one for one in found.datastores if one.id == identity)


def test_cluster_shared_volume_below_the_system_drive_is_a_volume_of_its_own() -> None:
    found = read_rows(
        line("web", "s1", folder=CSV),
        volume_row("C:\\", free=1),
        volume_row(f"{CSV}\\", free=77 * GIB, is_csv=True),
    )
    assert {layer.datastore_id for layer in machine(found).disks[0].layers} == {f"{CSV}\\"}
    assert store(found, f"{CSV}\\").free_bytes == 77 * GIB
    assert store(found, f"{CSV}\\").kind == "csv"


def test_mount_point_in_a_folder_wins_over_its_drive() -> None:
    found = read_rows(
        line("web", folder="D:\\Mounts\\Fast\\VMs"),
        volume_row("D:\\"),
        volume_row("D:\\Mounts\\Fast\\"),
        volume_row("D:\\Mounts\\Fas\\"),
    )
    assert [one.id for one in found.datastores] == ["D:\\Mounts\\Fast\\"]


def test_cluster_shared_volume_that_no_row_tells_of_never_gets_the_system_drives_space() -> None:
    found = read_rows(line("web", folder=CSV), volume_row("C:\\", free=99 * GIB))
    (one,) = found.datastores
    assert (one.id.upper(), one.free_bytes, one.kind) == (f"{CSV}\\".upper(), None, "csv")


def test_space_of_a_share_is_unknown_and_said_to_be() -> None:
    found = read_rows(line("web", folder="\\\\SOFS\\VMs\\web"), volume_row("C:\\"))
    (one,) = found.datastores
    assert (one.kind, one.capacity_bytes, one.free_bytes) == ("smb", None, None)
    assert any("share" in spot for spot in found.blind_spots)


def test_drive_that_no_row_tells_of_is_there_with_unknown_figures() -> None:
    found = read_rows(line("web", folder="X:\\VMs"))
    (one,) = found.datastores
    assert (one.id, one.capacity_bytes, one.free_bytes) == ("X:\\", None, None)


def test_figures_of_the_cluster_win_where_both_are_told() -> None:
    both = [
        volume_row(f"{CSV}\\", free=1 * GIB),
        volume_row(CSV, free=2 * GIB, is_csv=True),
    ]
    for rows in (both, both[::-1]):
        (one,) = read_rows(line("web", folder=CSV), *rows).datastores
        assert one.free_bytes == 2 * GIB


def test_figures_of_the_volume_do_where_the_cluster_tells_none() -> None:
    rows = [
        volume_row(CSV, capacity=None, free=None, is_csv=True),
        volume_row(CSV, free=3 * GIB),
    ]
    (one,) = read_rows(line("web", folder=CSV), *rows).datastores
    assert one.free_bytes == 3 * GIB


def test_size_below_zero_is_unknown() -> None:
    (one,) = read_rows(line("web"), volume_row("D:\\", capacity=-1, free=-5)).datastores
    assert (one.capacity_bytes, one.free_bytes) == (None, None)


def test_volume_in_maintenance_is_not_accessible() -> None:
    (one,) = read_rows(
        line("web", folder=CSV), volume_row(CSV, is_csv=True, in_maintenance=True)
    ).datastores
    assert not one.accessible


def test_shared_volume_is_one_and_a_local_drive_is_each_nodes_own() -> None:
    nodes = [
        answer(
            line(f"shared-{name}", folder=CSV),
            line(f"local-{name}"),
            volume_row(CSV, is_csv=True),
            volume_row("D:\\"),
            host=host_row(name, cluster="c"),
        )
        for name in ("N1", "N2")
    ]
    found = read(*nodes)
    assert {one.id: one.host_ids for one in found.datastores} == {
        CSV: ("n1", "n2"),
        "n1:D:\\": ("n1",),
        "n2:D:\\": ("n2",),
    }


def test_what_disks_can_grow_to_counts_frozen_files_as_they_are() -> None:
    found = read_rows(line("web", "s1"))
    assert found.datastores[0].provisioned_bytes == 10 * GIB + 40 * GIB


def test_what_disks_can_grow_to_is_unknown_where_one_does_not_tell() -> None:
    path = "D:\\VMs\\other.vhdx"
    untold = [disk_row(path, size_bytes=None), machine_row("other", drive(path))]
    assert read_rows(line("web", "s1"), *untold).datastores[0].provisioned_bytes is None
