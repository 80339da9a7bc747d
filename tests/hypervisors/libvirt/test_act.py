"""Every way of deleting a snapshot, on real QEMU: the guest's data stays bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.beds.guests import Life
from tests.beds.libvirtd import LibvirtBed
from tests.hypervisors.libvirt.acting import (
    Subject,
    act,
    consolidation,
    deletion,
    is_sound,
    starts,
    subject,
)

pytestmark = pytest.mark.bed
LIVES = pytest.mark.parametrize("life", [Life.OFF, Life.RUNNING], ids=["off", "running"])
CLUSTER = 64 * 1024
WAYS = pytest.mark.parametrize("merge", ["auto", "manual"])


@pytest.fixture(scope="module")
def pool(libvirt_bed: LibvirtBed) -> Path:
    return libvirt_bed.pool("acting")


@pytest.fixture
def one(libvirt_bed: LibvirtBed, pool: Path, life: Life) -> Iterator[Subject]:
    with subject(libvirt_bed, pool, life=life) as made:
        yield made


@pytest.fixture
def two_disks(libvirt_bed: LibvirtBed, pool: Path, life: Life) -> Iterator[Subject]:
    with subject(libvirt_bed, pool, life=life, disks=2) as made:
        yield made


def three(of: Subject, *, external: bool) -> None:
    for number, name in enumerate(("s1", "s2", "s3")):
        of.take(name, external=external)
        of.write(number * 3, 5, number + 2)


@LIVES
@WAYS
@pytest.mark.parametrize("target", ["s1", "s2", "s3"])
def test_inv_04_external_snapshot_goes_alone_from_any_place_in_the_line(
    one: Subject, target: str, merge: str
) -> None:
    three(one, external=True)
    before, rest = one.contents(), {"s1", "s2", "s3"} - {target}
    identities = {s.name: s.identity for s in one.seen().snapshots}
    parents = {"s1": None, "s2": "s1", "s3": "s2"}
    run = act(one, deletion(one, target), merge=merge)
    assert run.failed == []
    assert one.contents() == before
    assert one.chains() == {"vda": [".qcow2", *(f".{name}" for name in sorted(rest))]}
    assert one.files() == {".qcow2", *(f".{name}" for name in rest)}
    seen = {s.name: s for s in one.seen().snapshots}
    assert {name: seen[name].identity for name in seen} == {n: identities[n] for n in rest}
    for name in rest:
        parent = parents[name]
        assert seen[name].parent_id == (parents[target] if parent == target else parent)


@LIVES
@WAYS
def test_inv_05_snapshots_that_stay_can_still_be_deleted_each_and_the_machine_starts(
    one: Subject, merge: str
) -> None:
    three(one, external=True)
    before = one.contents()
    for target in ("s2", "s1", "s3"):
        assert act(one, deletion(one, target), merge=merge).failed == []
    assert one.contents() == before
    assert one.chains() == {"vda": [".qcow2"]}
    assert one.files() == {".qcow2"}
    assert starts(one)


@LIVES
@pytest.mark.parametrize("first", ["auto", "manual"])
def test_inv_05_what_a_merge_by_hand_leaves_libvirt_deletes_itself(
    one: Subject, first: str
) -> None:
    three(one, external=True)
    before = one.contents()
    assert act(one, deletion(one, "s2"), merge=first).failed == []
    for target in ("s3", "s1"):
        assert act(one, deletion(one, target), merge="native").names == ["delete"]
    assert one.snapshots() == set()
    assert one.contents() == before
    assert one.chains() == {"vda": [".qcow2"]}


@LIVES
@pytest.mark.parametrize("target", ["s1", "s2", "s3"])
def test_internal_snapshot_is_libvirts_to_delete_whatever_the_endpoint_says(
    one: Subject, target: str
) -> None:
    three(one, external=False)
    before = one.contents()
    promised = next(s for s in one.seen().snapshots if s.name == target).reclaimable_bytes
    used = one.used()
    run = act(one, deletion(one, target), merge="manual")
    assert (run.names, run.failed) == (["delete"], [])
    assert one.snapshots() == {"s1", "s2", "s3"} - {target}
    assert one.contents() == before
    assert promised.max is not None
    # Deleting writes the image's table of snapshots anew, which takes a cluster.
    assert promised.min - CLUSTER <= used - one.used() <= promised.max + CLUSTER


@LIVES
@WAYS
@pytest.mark.parametrize("target", ["s1", "s2"])
def test_every_disk_of_a_snapshot_is_merged_one_after_the_other(
    two_disks: Subject, target: str, merge: str
) -> None:
    two_disks.take("s1")
    two_disks.write(1, 3, 5, "vda")
    two_disks.write(2, 3, 6, "vdb")
    two_disks.take("s2")
    two_disks.write(3, 3, 7, "vdb")
    before = two_disks.contents()
    run = act(two_disks, deletion(two_disks, target), merge=merge)
    (rest,) = {"s1", "s2"} - {target}
    assert run.failed == []
    assert two_disks.contents() == before
    assert two_disks.chains() == {"vda": [".qcow2", f".{rest}"], "vdb": ["1.qcow2", f"1.{rest}"]}
    assert two_disks.files() == {".qcow2", f".{rest}", "1.qcow2", f"1.{rest}"}
    assert two_disks.snapshots() == {rest}


@LIVES
@WAYS
def test_disk_that_takes_no_part_in_the_snapshot_is_left_alone(
    two_disks: Subject, merge: str
) -> None:
    two_disks.take("s1", disks=["vda", "vdb"])
    two_disks.take("s2", disks=["vdb"])
    two_disks.write(1, 3, 5, "vda")
    two_disks.write(2, 3, 6, "vdb")
    before = two_disks.contents()
    run = act(two_disks, deletion(two_disks, "s2"), merge=merge)
    assert run.failed == []
    assert two_disks.contents() == before
    assert two_disks.chains() == {"vda": [".qcow2", ".s1"], "vdb": ["1.qcow2", "1.s1"]}


@WAYS
@pytest.mark.parametrize("life", [Life.RUNNING], ids=["running"])
def test_snapshot_with_memory_goes_and_a_merge_by_hand_takes_its_file_along(
    one: Subject, merge: str
) -> None:
    one.take("s1", memory=True)
    one.write(1, 3, 5)
    before = one.contents()
    run = act(one, deletion(one, "s1"), merge=merge)
    assert run.failed == []
    assert one.contents() == before
    assert one.snapshots() == set()
    # libvirt 9.0 leaves it behind when it deletes the snapshot itself.
    assert one.files() - {"memory-of-s1"} == {".qcow2"}
    assert merge == "auto" or one.files() == {".qcow2"}


@LIVES
def test_deltas_that_no_snapshot_explains_are_merged_from_the_top_down(one: Subject) -> None:
    if one.was_off:
        one.guest.domain.create()
    one.take("s1")
    for number, name in enumerate(("p1", "p2")):
        one.take(name, metadata=False)
        one.write(number * 2, 3, number + 5)
    if one.was_off:
        one.guest.domain.destroy()
    before = one.contents()
    assert one.chains() == {"vda": [".qcow2", ".s1", ".p1", ".p2"]}
    assert one.seen().consolidation_doubt is None
    run = act(one, consolidation(one))
    assert run.failed == []
    assert [call.about["overlay"] for call in run.made if call.name in ("commit", "merge-offline")]
    assert one.contents() == before
    assert one.chains() == {"vda": [".qcow2", ".s1"]}
    assert one.files() == {".qcow2", ".s1"}
    assert one.snapshots() == {"s1"}
    assert act(one, deletion(one, "s1")).failed == []
    assert starts(one)


@LIVES
def test_delta_below_a_snapshot_goes_and_the_snapshot_keeps_its_frozen_state(one: Subject) -> None:
    if one.was_off:
        one.guest.domain.create()
    one.take("p1", metadata=False)
    one.write(1, 3, 5)
    frozen = one.contents()
    one.take("s1")
    one.write(2, 3, 6)
    if one.was_off:
        one.guest.domain.destroy()
    before = one.contents()
    assert act(one, consolidation(one)).failed == []
    assert one.contents() == before
    assert one.chains() == {"vda": [".qcow2", ".s1"]}
    assert one.contents_of("vda", one.pool / "subject.qcow2") == frozen["vda"]
    assert act(one, deletion(one, "s1"), merge="native").names == ["delete"]
    assert one.contents() == before
    assert one.chains() == {"vda": [".qcow2"]}
    assert starts(one)


@pytest.mark.parametrize("life", [Life.OFF], ids=["off"])
def test_chain_that_the_definition_recorded_is_taken_out_of_it_too(one: Subject) -> None:
    three(one, external=True)
    one.record_chain()
    before = one.contents()
    run = act(one, deletion(one, "s2"), merge="manual")
    assert "redefine" in run.names
    assert one.contents() == before
    assert starts(one)
    assert one.chains() == {"vda": [".qcow2", ".s1", ".s3"]}


@pytest.mark.parametrize("life", [Life.OFF], ids=["off"])
def test_raw_base_stays_raw_and_the_definition_says_so(one: Subject) -> None:
    base = one.to_raw()
    one.take("s1")
    one.write(1, 3, 5)
    before = one.contents()
    assert act(one, deletion(one, "s1"), merge="manual").failed == []
    assert one.contents() == before
    driver = one.guest.disk("vda").find("driver")
    assert driver is not None
    assert driver.get("type") == "raw"
    assert one.chains() == {"vda": [base.name.removeprefix("subject")]}
    assert starts(one)


@LIVES
def test_images_are_sound_after_a_merge_by_hand(one: Subject) -> None:
    three(one, external=True)
    act(one, deletion(one, "s2"), merge="manual")
    if one.is_running:
        one.guest.domain.destroy()
    assert all(is_sound(one.bed, path) for path in one.pool.iterdir())
