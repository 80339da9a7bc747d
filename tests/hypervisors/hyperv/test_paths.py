"""Paths are compared as Windows compares them."""

from __future__ import annotations

import pytest

from snapaudit.hypervisors.hyperv import paths


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("D:\\VMs\\Web.vhdx", "d:/vms/WEB.VHDX"),
        ("D:\\VMs\\\\web.vhdx", "D:\\VMs\\web.vhdx"),
        ("D:\\VMs\\", "d:\\vms"),
        ("\\\\?\\D:\\VMs\\web.vhdx", "D:\\VMs\\web.vhdx"),
        ("\\\\?\\UNC\\sofs\\vms\\web.vhdx", "\\\\SOFS\\vms\\web.vhdx"),
        ("//sofs/vms/web.vhdx", "\\\\sofs\\vms\\web.vhdx"),
        ("D:\\Größe\\é.vhdx", "D:\\GRÖßE\\É.vhdx"),
    ],
)
def test_two_spellings_of_a_path_are_one(one: str, other: str) -> None:
    assert paths.key(one) == paths.key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("D:\\VMs\\straße.vhdx", "D:\\VMs\\strasse.vhdx"),
        ("D:\\VMs\\[web].vhdx", "D:\\VMs\\web.vhdx"),
        ("D:\\VMs\\web*.vhdx", "D:\\VMs\\web1.vhdx"),
        ("\\\\sofs\\vms\\web.vhdx", "C:\\sofs\\vms\\web.vhdx"),
        ("\\\\?\\Volume{1}\\web.vhdx", "Volume{1}\\web.vhdx"),
    ],
)
def test_names_that_only_look_alike_stay_apart(one: str, other: str) -> None:
    assert paths.key(one) != paths.key(other)


def test_automatic_files_are_told_by_their_ending_whatever_its_case() -> None:
    names = ("a.avhd", "a.AVHDX", "a.vhdx", "a.vhd", "a.avhdx.rct", "a.mrt", "avhdx")
    assert [paths.is_automatic(paths.key(name)) for name in names] == [
        True, True, False, False, False, False, False,
    ]  # fmt: skip


def test_leftover_of_an_old_backup_is_told_by_its_name() -> None:
    assert paths.is_auto_recovery(paths.key("D:\\web-AutoRecovery.avhdx"))
    assert not paths.is_auto_recovery(paths.key("D:\\web-AutoRecovery\\web.avhdx"))


def test_longest_root_wins_and_a_root_is_whole_names_only() -> None:
    roots = ("C:", "C:\\CLUSTERSTORAGE\\VOLUME1", "C:\\MOUNT")
    assert paths.longest("C:\\CLUSTERSTORAGE\\VOLUME1\\X", roots) == roots[1]
    assert paths.longest("C:\\CLUSTERSTORAGE\\VOLUME10\\X", roots) == "C:"
    assert paths.longest("C:\\MOUNT", roots) == "C:\\MOUNT"
    assert paths.longest("D:\\X", roots) is None


def test_share_and_cluster_folder_and_drive_are_read_off_the_path() -> None:
    assert paths.share("\\\\SOFS\\VMS\\WEB\\A.VHDX") == "\\\\SOFS\\VMS"
    assert paths.share("D:\\A.VHDX") is None
    assert paths.share("\\\\?\\VOLUME{1}\\A.VHDX") is None
    found = paths.cluster_folder("C:\\CLUSTERSTORAGE\\VOLUME1\\WEB\\A.VHDX")
    assert found == "C:\\CLUSTERSTORAGE\\VOLUME1"
    assert paths.cluster_folder("D:\\CLUSTERSTORAGE") is None
    assert paths.drive("D:\\A.VHDX") == "D:"
    assert paths.drive("\\\\?\\VOLUME{1}\\A.VHDX") == "\\\\?\\VOLUME{1}"


def test_name_is_kept_as_it_was_written() -> None:
    assert paths.name("D:\\VMs/Wéb [1].avhdx") == "Wéb [1].avhdx"
    assert paths.folder(paths.key("D:\\VMs\\web.vhdx")) == "D:\\VMS"
