"""The room a merge takes while it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snapaudit.enforce.space import MIB, MergeSize, merge_size
from snapaudit.model.inventory import LayerRole, Snapshot, VirtualMachine
from tests.builders import GIB, NOW, disk, layer, snapshot, vm

SHOT = snapshot("old", age="9d", kind="external")


def machine(delta: int | None = 5 * GIB, base: int | None = 10 * GIB) -> VirtualMachine:
    over = layer("/over", role=LayerRole.DELTA, snapshot_id="old", size_bytes=delta)
    return replace(vm("web01", SHOT), disks=(disk(layer(size_bytes=base), over),))


def needs(found: VirtualMachine, shot: Snapshot | None = SHOT) -> int | None:
    return merge_size(found, shot, NOW).needs_bytes


# 5 GiB at 50 MiB a second take 102.4 s, in which the guest writes a MiB a second, twice.
MEANWHILE = round(2 * 102.4 * MIB)


@pytest.mark.parametrize(
    ("base", "growth"),
    [(10, 5), (35, 5), (38, 2), (40, 0), (41, 0), (None, 5)],
    ids=["small", "just fits", "nearly full", "full", "overfull", "unknown"],
)
def test_grd_16_the_image_below_grows_by_the_delta_but_not_beyond_the_disk(
    base: int | None, growth: int
) -> None:
    size = None if base is None else base * GIB
    assert needs(machine(base=size)) == growth * GIB + MEANWHILE


def test_grd_16_an_image_that_holds_snapshots_may_grow_by_the_whole_delta() -> None:
    found = machine(base=40 * GIB)
    found = replace(found, snapshots=(*found.snapshots, snapshot("inside")))
    assert needs(found) == 5 * GIB + MEANWHILE


def test_inv_07_an_unknown_delta_makes_the_need_unknown() -> None:
    found = merge_size(machine(delta=None), SHOT, NOW)
    assert (found.merges_bytes, found.needs_bytes) == (None, None)
    assert found.datastore_ids == ("pool-1",)


def test_grd_16_a_guest_that_writes_fast_needs_more() -> None:
    young = replace(SHOT, created_at=NOW.replace(hour=11, minute=30))
    rate = 5 * GIB / 1800
    assert needs(machine(), young) == 5 * GIB + round(2 * 102.4 * rate)


def test_a_snapshot_inside_an_image_copies_nothing() -> None:
    found = vm("web01", snapshot("inside"))
    size = merge_size(found, found.snapshots[0], NOW)
    assert size == MergeSize(merges_bytes=0, needs_bytes=0, datastore_ids=("pool-1",))


def test_phantoms_are_added_up_over_all_disks() -> None:
    phantom = layer("/p", role=LayerRole.PHANTOM, size_bytes=GIB, datastore_id="pool-2")
    disks = (disk(layer(), phantom), disk(layer("/b", datastore_id="pool-2"), phantom, label="vdb"))
    size = merge_size(replace(vm("web01"), disks=disks), None, NOW)
    assert size.merges_bytes == 2 * GIB
    assert size.datastore_ids == ("pool-1", "pool-2")


def test_an_image_without_a_datastore_travels_as_unknown() -> None:
    found = machine()
    [one] = found.disks
    base = replace(one.layers[0], datastore_id=None)
    found = replace(found, disks=(replace(one, layers=(base, one.layers[1])),))
    assert merge_size(found, SHOT, NOW).datastore_ids == (None,)


def test_inv_07_deltas_that_are_not_in_sight_make_the_need_unknown() -> None:
    elsewhere = replace(vm("web01", SHOT), disks=(disk(layer()),))
    found = merge_size(elsewhere, SHOT, NOW)
    assert (found.merges_bytes, found.needs_bytes) == (None, None)
