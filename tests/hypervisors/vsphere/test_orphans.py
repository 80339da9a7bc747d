"""Files on datastores that nothing uses: what is reported and what is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from snapaudit.errors import AccessDenied
from snapaudit.hypervisors.vsphere.orphans import RECENT, Orphans, search_orphans
from snapaudit.hypervisors.vsphere.raw import (
    About,
    FoundFile,
    RawDisk,
    RawFile,
    RawLayout,
    RawObject,
)
from snapaudit.hypervisors.vsphere.strays import key
from snapaudit.model.inventory import Datastore, StrayKind
from tests.builders import GIB, NOW, datastore
from tests.hypervisors.vsphere.silent import SilentService

OLD = NOW - timedelta(days=40)
WEB = ("[ssd] web/web.vmdk", "[ssd] web/web-flat.vmdk")


def file(path: str, size: int | None = 512, at: datetime | None = OLD) -> FoundFile:
    return FoundFile(path, size, at)


def machine(*files: str, **changes: Any) -> RawObject:
    layout = RawLayout({n: RawFile(n, name, "x", 1) for n, name in enumerate(files)}, (), (), OLD)
    values = {"name": "web", "runtime.connectionState": "connected", "layoutEx": layout}
    left = {name: value for name, value in {**values, **changes}.items() if value is not None}
    return RawObject("VirtualMachine", "vm-1", left)


def ssd(**changes: Any) -> Datastore:
    return datastore("ssd", **{"id": "datastore-1", "kind": "VMFS", **changes})


class Browser(SilentService):
    """Finds these files on whatever datastore is searched, or is refused."""

    def __init__(self, *files: FoundFile, refused: str | None = None, api: str = "VirtualCenter"):
        self._files, self._refused, self._api = files, refused, api
        self.searched: list[str] = []

    @property
    def about(self) -> About:
        return About("uuid", "vCenter", self._api, "8.0.3.0")

    def search(self, datastore: str) -> Iterator[FoundFile]:
        self.searched.append(datastore)
        yield from self._files
        if self._refused is not None:
            raise AccessDenied(self._refused)


def search(*files: FoundFile, machines: tuple[RawObject, ...] = (machine(*WEB),)) -> Orphans:
    return search_orphans(Browser(*files), [ssd()], machines, NOW)


def test_file_of_no_machine_is_reported_with_what_was_compared() -> None:
    [stray] = search(*map(file, WEB), file("[ssd] old/old.vmdk", 7 * GIB)).strays
    assert (stray.name, stray.kind, stray.size_bytes) == ("old.vmdk", StrayKind.VOLUME, 7 * GIB)
    assert (stray.datastore_id, stray.changed_at) == ("datastore-1", OLD)
    assert "no machine of this vCenter" in stray.reason
    assert "outside this vCenter" in stray.reason


def test_single_host_is_called_so() -> None:
    service = Browser(file("[ssd] old/old.vmdk"), api="HostAgent")
    [stray] = search_orphans(service, [ssd()], [machine()], NOW).strays
    assert "this host" in stray.reason


def test_files_of_layouts_and_backings_are_used() -> None:
    top, parent = "[ssd] web/web-000001.vmdk", "[ssd] golden/golden.vmdk"
    disk = RawDisk(2000, "Hard disk 1", GIB, "x", top, "datastore-1", "persistent", (parent,))
    user = machine(*WEB, **{"config.hardware.device": (disk,)})
    assert search(*map(file, (*WEB, top, parent)), machines=(user,)) == Orphans()


@pytest.mark.parametrize(
    "told",
    ["[ssd] /web/web.vmdk", "[ssd] web//web.vmdk", "[ssd]web/web.vmdk", "[ssd] web/%77eb.vmdk"],
)
def test_one_path_in_several_spellings_is_one_path(told: str) -> None:
    assert key(told) == key(WEB[0])
    assert search(file(told)) == Orphans()


def test_extents_belong_to_their_descriptor_and_give_it_its_size() -> None:
    parts = (file("[ssd] old/old.vmdk"), file("[ssd] old/old-flat.vmdk", 40 * GIB))
    [stray] = search(*parts).strays
    assert (stray.name, stray.size_bytes) == ("old.vmdk", 40 * GIB)


def test_descriptor_that_already_has_the_size_of_its_disk_does_not_count_twice() -> None:
    parts = (file("[ssd] a/a.vmdk", 41 * GIB), file("[ssd] a/a-flat.vmdk", 40 * GIB))
    assert [one.size_bytes for one in search(*parts).strays] == [41 * GIB]


def test_inv_07_extent_of_unknown_size_makes_the_disk_unknown() -> None:
    parts = (file("[ssd] a/a.vmdk"), file("[ssd] a/a-flat.vmdk", None))
    assert [one.size_bytes for one in search(*parts).strays] == [None]


def test_extent_of_a_used_descriptor_is_used() -> None:
    assert search(file("[ssd] web/web-flat.vmdk"), machines=(machine(WEB[0]),)) == Orphans()


def test_extents_without_a_descriptor_stand_for_themselves() -> None:
    parts = (file("[ssd] a/a-s001.vmdk", 1 * GIB), file("[ssd] a/a-s002.vmdk", 2 * GIB))
    strays = search(*parts).strays
    assert [one.size_bytes for one in strays] == [1 * GIB, 2 * GIB]
    assert all("without its descriptor" in one.reason for one in strays)


@pytest.mark.parametrize("name", ["a-000003.vmdk", "a-000003-delta.vmdk", "a-000003-sesparse.vmdk"])
def test_left_over_delta_is_called_one(name: str) -> None:
    assert [one.kind for one in search(file(f"[ssd] a/{name}")).strays] == [StrayKind.OVERLAY]


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        ("[ssd] a/a-ctk.vmdk", "change tracking"),
        ("[ssd] a/hbrdisk.RDID-1.vmdk", "replication"),
        ("[ssd] contentlib-8f2c/8f2d/a.vmdk", "content libraries"),
        ("[ssd] fcd/a.vmdk", "first-class disks"),
    ],
)
def test_what_others_keep_is_passed_over_and_counted(path: str, whose: str) -> None:
    found = search(file(path))
    assert found.strays == ()
    assert found.blind_spots == (f"unused files that are not judged: 1 ({whose})",)


def test_machine_file_in_a_folder_that_only_looks_like_a_products_is_judged() -> None:
    assert len(search(file("[ssd] web/fcd/a.vmdk"), file("[ssd] fcd2/a.vmdk")).strays) == 2


def test_file_in_the_making_is_no_orphan() -> None:
    young, settled = NOW - RECENT, NOW - RECENT - timedelta(seconds=1)
    parts = (file("[ssd] a/a.vmdk"), file("[ssd] a/a-flat.vmdk", at=young))
    assert search(*parts).strays == ()
    assert len(search(file("[ssd] a/a.vmdk", at=settled)).strays) == 1
    assert len(search(file("[ssd] a/a.vmdk", at=None)).strays) == 1


@pytest.mark.parametrize(
    "unread",
    [
        machine(layoutEx=None),
        machine(**{"runtime.connectionState": "disconnected"}),
        machine(**{"runtime.connectionState": None}),
        RawObject(
            "VirtualMachine", "vm-2", machine().values, {"config.hardware.device": "NoPermission"}
        ),
    ],
)
def test_inv_13_machine_whose_files_are_not_known_makes_no_file_an_orphan(
    unread: RawObject,
) -> None:
    service = Browser(file("[ssd] old/old.vmdk"))
    found = search_orphans(service, [ssd()], [machine(*WEB), unread], NOW)
    assert (found.strays, service.searched) == ((), [])
    [gap] = found.gaps
    assert "1 machine(s)" in gap.reason
    assert "web" in gap.reason


def test_path_that_a_release_does_not_know_leaves_a_machine_readable() -> None:
    older = RawObject("VirtualMachine", "vm-2", machine(*WEB).values, {"config.keyId": "x"})
    assert len(search(file("[ssd] old/old.vmdk"), machines=(older,)).strays) == 1


def test_inv_22_datastore_that_cannot_be_searched_is_a_gap_and_the_next_one_is_searched() -> None:
    service = Browser(file("[nfs] a/a.vmdk"), refused="no right Datastore.Browse")
    stores = [ssd(accessible=False), datastore("nfs", id="datastore-2", kind="NFS")]
    found = search_orphans(service, stores, [machine()], NOW)
    assert (found.strays, service.searched) == ((), ["datastore-2"])
    assert [(gap.subject, gap.reason) for gap in found.gaps] == [
        ("unused files on ssd", "the datastore is not accessible"),
        ("unused files on nfs", "no right Datastore.Browse"),
    ]


@pytest.mark.parametrize("kind", ["vsan", "VVOL"])
def test_object_store_is_not_searched_and_that_is_told(kind: str) -> None:
    service = Browser(file("[ssd] a/a.vmdk"))
    found = search_orphans(service, [ssd(kind=kind)], [machine()], NOW)
    assert (found.strays, found.gaps, service.searched) == ((), (), [])
    assert f"ssd ({kind})" in found.blind_spots[0]


def test_datastores_of_one_name_keep_their_files_apart() -> None:
    stores = [ssd(), ssd(id="datastore-2")]
    found = search_orphans(Browser(file("[ssd] a/a.vmdk")), stores, [machine()], NOW)
    assert len({one.id for one in found.strays}) == 2


def test_progress_counts_datastores() -> None:
    told: list[tuple[int, int]] = []
    stores = [ssd(), ssd(id="datastore-2")]
    search_orphans(Browser(), stores, [], NOW, lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2)]
