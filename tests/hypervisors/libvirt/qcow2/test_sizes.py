from __future__ import annotations

from pathlib import Path

import pytest

from tests.hypervisors.libvirt.qcow2 import naive
from tests.hypervisors.libvirt.qcow2.images import (
    CHANGES,
    DATA,
    MIB,
    create,
    exclusive,
    io,
    live_through,
    measured,
    run,
    snapshot,
    used,
)

pytestmark = pytest.mark.usefixtures("tools")
KINDS = {
    "4k": ("cluster_size=4k",),
    "512": ("cluster_size=512",),
    "64k": ("cluster_size=64k",),
    "2M": ("cluster_size=2M",),
    "old": ("compat=0.10",),
    "extended": ("extended_l2=on", "cluster_size=16k"),
    "lazy": ("lazy_refcounts=on",),
}
SIZE = 48 * MIB


def _changes(kind: str) -> tuple[str, ...]:
    """Version 2 knows no zero clusters."""
    return (DATA, DATA, "discard") if kind == "old" else CHANGES


def _assert_equal_to_naive(path: Path) -> None:
    image, sizes = naive.read(path), measured(path)
    assert len(sizes.snapshots) == len(image.states) - 1
    for found in sizes.snapshots:
        assert found.exclusive_bytes == image.exclusive_bytes(found.name)
        assert found.not_in_active_bytes == image.not_in_active_bytes(found.name)
    assert sizes.held_by_snapshots_bytes == image.held_by_snapshots_bytes()


def _freed_by_deleting(path: Path, *names: str) -> int:
    """What QEMU's own counts of references say, the table of the snapshots left out."""
    copy = path.with_suffix(".copy")
    run("cp", "--sparse=auto", path, copy)
    before = naive.read(copy)
    for name in names:
        snapshot(copy, "-d", name)
    after = naive.read(copy)
    table = before.snapshot_table_clusters - after.snapshot_table_clusters
    return (before.used_clusters - after.used_clusters - table) * before.cluster_size


def _assert_equal_to_deletion(path: Path) -> None:
    sizes = measured(path)
    for found in sizes.snapshots:
        assert found.exclusive_bytes == _freed_by_deleting(path, found.name)
    names = [found.name for found in sizes.snapshots]
    assert sizes.held_by_snapshots_bytes == _freed_by_deleting(path, *names)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_sizes_equal_the_clusters_that_deleting_frees(tmp_path: Path, kind: str, seed: int) -> None:
    path = create(tmp_path / "image", SIZE, *KINDS[kind])
    live_through(path, seed, size=SIZE, unit=4096, most=500, kinds=_changes(kind))
    _assert_equal_to_naive(path)
    _assert_equal_to_deletion(path)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", ["4k", "64k"])
def test_compressed_clusters_that_share_a_host_cluster_are_counted_once(
    tmp_path: Path, size: str, seed: int
) -> None:
    plain = create(tmp_path / "plain", SIZE)
    live_through(plain, seed + 100, size=SIZE, unit=4096, most=1000)
    path = tmp_path / "image"
    options = f"cluster_size={size}"
    run("qemu-img", "convert", "-c", "-O", "qcow2", "-o", options, plain, path)
    live_through(path, seed, size=SIZE, unit=4096, most=500)
    _assert_equal_to_naive(path)
    _assert_equal_to_deletion(path)


@pytest.mark.parametrize("seed", range(3))
def test_snapshots_in_an_overlay_are_measured_without_its_backing_file(
    tmp_path: Path, seed: int
) -> None:
    base = create(tmp_path / "base", SIZE)
    io(base, f"write -P 9 0 {SIZE}")
    path = create(tmp_path / "image", SIZE, backing=base)
    live_through(path, seed, size=SIZE, unit=4096, most=500)
    base.unlink()
    _assert_equal_to_naive(path)


@pytest.mark.parametrize("kind", ["4k", "64k", "2M", "old", "extended"])
@pytest.mark.parametrize("seed", range(2))
def test_deleting_a_snapshot_gives_back_within_two_percent(
    tmp_path: Path, kind: str, seed: int
) -> None:
    size, unit = 256 * MIB, 2 * MIB
    path = create(tmp_path / "image", size, *KINDS[kind])
    live_through(path, seed, size=size, unit=unit, most=16, kinds=(DATA, "discard"))
    while sizes := measured(path).snapshots:
        found, before = sizes[len(sizes) // 2], used(path)
        snapshot(path, "-d", found.name)
        # QEMU writes a few KiB of the cluster that an L1 table takes up.
        hollow = naive.read(path).cluster_size
        assert before - used(path) == pytest.approx(found.exclusive_bytes, rel=0.02, abs=hollow)


def test_memory_behind_the_end_of_the_disk_belongs_to_its_snapshot(tmp_path: Path) -> None:
    path = create(tmp_path / "image", SIZE)
    io(path, "write -P 1 0 1M", f"write -b -P 7 0 {8 * MIB}")
    snapshot(path, "-c", "with-memory")
    io(path, f"write -b -P 8 0 {8 * MIB}")
    assert 8 * MIB <= exclusive(path)["with-memory"] <= 9 * MIB
    _assert_equal_to_naive(path)
    _assert_equal_to_deletion(path)


def test_snapshot_that_shares_everything_has_only_its_own_table(tmp_path: Path) -> None:
    path = create(tmp_path / "image", SIZE)
    io(path, "write -P 1 0 8M")
    snapshot(path, "-c", "fresh")
    assert exclusive(path) == {"fresh": 64 * 1024}
    assert measured(path).held_by_snapshots_bytes == 64 * 1024


def test_two_snapshots_of_one_moment_free_nothing_alone_and_all_together(tmp_path: Path) -> None:
    path = create(tmp_path / "image", SIZE)
    io(path, "write -P 1 0 8M")
    snapshot(path, "-c", "one")
    snapshot(path, "-c", "two")
    io(path, "write -P 2 0 8M")
    assert set(exclusive(path).values()) == {64 * 1024}
    assert measured(path).held_by_snapshots_bytes > 8 * MIB


def test_zero_clusters_hold_space_only_where_they_kept_their_place(tmp_path: Path) -> None:
    path = create(tmp_path / "image", SIZE)
    io(path, "write -P 1 0 4M", "write -z 0 4M", "write -z 8M 4M")
    snapshot(path, "-c", "zeroes")
    io(path, "write -P 2 0 16M")
    assert exclusive(path)["zeroes"] == 4 * MIB + 2 * 64 * 1024
    _assert_equal_to_naive(path)


def test_encrypted_image_is_measured_without_its_key(tmp_path: Path) -> None:
    secret = f"secret,id=key,data={'0' * 8}"
    path = tmp_path / "image"
    options = "encrypt.format=aes,encrypt.key-secret=key"
    create_words = ("create", "-q", "--object", secret, "-f", "qcow2", "-o", options)
    run("qemu-img", *create_words, path, "16M")
    opened = f"driver=qcow2,file.filename={path},encrypt.key-secret=key"
    words = ("qemu-io", "--object", secret, "--image-opts", opened, "-c")
    run(*words, "write -P 1 0 2M")
    run("qemu-img", "snapshot", "--object", secret, "--image-opts", "-c", "one", opened)
    run(*words, "write -P 2 0 2M")
    assert exclusive(path)["one"] == 2 * MIB + 2 * 64 * 1024


def test_image_without_snapshots_holds_nothing_back(tmp_path: Path) -> None:
    sizes = measured(create(tmp_path / "image", SIZE))
    assert (sizes.snapshots, sizes.held_by_snapshots_bytes) == ((), 0)
