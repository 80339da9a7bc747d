from __future__ import annotations

import pytest

from snapaudit.demo.blueprint import Disk, Image, Machine, Overlay, Snap, days
from snapaudit.demo.layout import by_path, chain, lay_out


def machine(*snaps: Snap, disks: tuple[Disk, ...] | None = None) -> Machine:
    default = (Disk(pool="p", size_gib=8, used_gib=4),)
    return Machine(name="m", title="", disks=disks or default, snaps=snaps)


def snap(name: str, *, writes_gib: float | None = None, **changes: object) -> Snap:
    return Snap(name=name, age=days(1), writes_gib=writes_gib, **changes)  # type: ignore[arg-type]


def test_internal_snapshot_leaves_the_image_in_its_place() -> None:
    layout = lay_out(machine(snap("s")))
    assert layout.active == {"vda": "/srv/vm/p/m.qcow2"}
    assert layout.snaps["s"].overlays == {}


def test_external_snapshot_freezes_what_was_written_before() -> None:
    layout = lay_out(machine(snap("a", writes_gib=1), snap("b", writes_gib=2)))
    assert layout.snaps["b"].images == {"vda": "/srv/vm/p/m.a"}
    assert list(chain(by_path(layout.images), layout.active["vda"])) == [
        "/srv/vm/p/m.b",
        "/srv/vm/p/m.a",
        "/srv/vm/p/m.qcow2",
    ]


def test_branches_of_external_snapshots_stand_on_one_image() -> None:
    layout = lay_out(
        machine(
            snap("root", writes_gib=1),
            snap("left", writes_gib=1),
            snap("right", writes_gib=1, after="root"),
        )
    )
    backing = {image.file: image.backing for image in layout.images}
    assert backing["m.left"] == backing["m.right"] == "/srv/vm/p/m.root"
    assert layout.active == {"vda": "/srv/vm/p/m.right"}


def test_disk_that_a_snapshot_leaves_out_keeps_its_image() -> None:
    disks = (
        Disk(pool="p", size_gib=8, used_gib=4),
        Disk(pool="p", size_gib=8, used_gib=4, target="vdb"),
    )
    layout = lay_out(machine(snap("s", writes_gib=1, targets=("vdb",)), disks=disks))
    assert layout.active == {"vda": "/srv/vm/p/m.qcow2", "vdb": "/srv/vm/p/m-vdb.s"}


def test_unregistered_overlays_lie_on_top_and_belong_to_no_snapshot() -> None:
    overlays = (Overlay("x", 1), Overlay("y", 1))
    disk = Disk(pool="p", size_gib=8, used_gib=4, unregistered=overlays)
    layout = lay_out(machine(snap("s", writes_gib=1), disks=(disk,)))
    assert list(chain(by_path(layout.images), layout.active["vda"])) == [
        "/srv/vm/p/y",
        "/srv/vm/p/x",
        "/srv/vm/p/m.s",
        "/srv/vm/p/m.qcow2",
    ]


def test_chain_ends_with_the_path_that_no_pool_knows() -> None:
    image = Image(pool="p", file="a", size_gib=1, used_gib=1, backing="/elsewhere/b")
    assert list(chain({image.path: image}, image.path)) == [image.path, "/elsewhere/b"]


def test_two_files_of_one_path_are_refused() -> None:
    image = Image(pool="p", file="a", size_gib=1, used_gib=1)
    with pytest.raises(ValueError, match="/srv/vm/p/a"):
        by_path([image, image])
