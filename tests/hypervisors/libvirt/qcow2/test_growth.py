from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.hypervisors.libvirt.qcow2 import LocalSource, growth_of_commit
from tests.hypervisors.libvirt.qcow2.images import (
    CHANGES,
    DATA,
    MIB,
    create,
    io,
    live_through,
    run,
    snapshot,
    used,
)

pytestmark = pytest.mark.usefixtures("tools")
SIZE = 256 * MIB


def _growth(overlay: Path, base: Path) -> tuple[int, int]:
    return growth_of_commit(LocalSource(str(overlay)), LocalSource(str(base)))


def _grown(overlay: Path, base: Path) -> int:
    before = used(base)
    run("qemu-img", "commit", "-q", "-d", overlay)
    return used(base) - before


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("options", ["cluster_size=4k", "cluster_size=64k", "cluster_size=2M"])
def test_growth_is_what_a_real_commit_adds(tmp_path: Path, options: str, seed: int) -> None:
    base = create(tmp_path / "base", SIZE, options)
    live_through(base, seed, size=SIZE, unit=2 * MIB, most=12, kinds=(DATA, "discard"))
    overlay = create(tmp_path / "overlay", SIZE, options, backing=base)
    live_through(overlay, seed + 50, size=SIZE, unit=2 * MIB, most=8, kinds=(DATA,))
    least, most = _growth(overlay, base)
    assert least == most
    # Not predicted: blocks of reference counts, and files end in a partly written cluster.
    assert _grown(overlay, base) == pytest.approx(least, rel=0.02, abs=256 * 1024)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("cluster_size=64k", "cluster_size=64k"),
        ("cluster_size=4k", "cluster_size=4k"),
        ("cluster_size=512", "cluster_size=512"),
        ("extended_l2=on", "extended_l2=on"),
        ("extended_l2=on", "extended_l2=off"),
        ("cluster_size=4k", "cluster_size=64k"),
        ("cluster_size=64k", "cluster_size=4k"),
    ],
)
def test_growth_of_any_pair_lies_in_its_interval(
    tmp_path: Path, above: str, below: str, seed: int
) -> None:
    size = 32 * MIB
    base = create(tmp_path / "base", size, below)
    live_through(base, seed, size=size, unit=4096, most=300, kinds=(DATA,))
    overlay = create(tmp_path / "overlay", size, above, backing=base)
    live_through(overlay, seed + 50, size=size, unit=4096, most=100, kinds=CHANGES)
    least, most = _growth(overlay, base)
    slack = 256 * 1024
    assert least - slack <= _grown(overlay, base) <= most + slack


def test_cluster_that_a_snapshot_of_the_base_refers_to_is_needed_anew(tmp_path: Path) -> None:
    base = create(tmp_path / "base", SIZE)
    io(base, "write -P 1 0 8M")
    overlay = create(tmp_path / "overlay", SIZE, backing=base)
    io(overlay, "write -P 2 0 8M")
    assert _growth(overlay, base) == (0, 0)
    snapshot(base, "-c", "frozen")
    assert _growth(overlay, base) == (8 * MIB + 64 * 1024, 8 * MIB + 64 * 1024)


def test_zeroes_grow_the_base_at_most(tmp_path: Path) -> None:
    base = create(tmp_path / "base", SIZE)
    overlay = create(tmp_path / "overlay", SIZE, backing=base)
    io(overlay, "write -z 0 8M")
    assert _growth(overlay, base) == (0, 8 * MIB + 64 * 1024)


def test_zeroes_over_data_of_the_base_may_make_room(tmp_path: Path) -> None:
    base = create(tmp_path / "base", SIZE)
    io(base, "write -P 1 0 8M")
    overlay = create(tmp_path / "overlay", SIZE, backing=base)
    io(overlay, "write -z 0 8M")
    assert _growth(overlay, base) == (-8 * MIB, 0)
    assert _grown(overlay, base) in {0, -8 * MIB}


def test_compressed_cluster_of_the_base_may_or_may_not_make_up_for_the_new_one(
    tmp_path: Path,
) -> None:
    plain = create(tmp_path / "plain", SIZE)
    io(plain, "write -P 1 0 8M")
    base = tmp_path / "base"
    run("qemu-img", "convert", "-c", "-O", "qcow2", plain, base)
    overlay = create(tmp_path / "overlay", SIZE, backing=base)
    io(overlay, "write -P 2 0 8M")
    assert _growth(overlay, base) == (0, 8 * MIB)


def test_memory_behind_the_end_of_the_disk_is_not_merged(tmp_path: Path) -> None:
    base = create(tmp_path / "base", SIZE)
    overlay = create(tmp_path / "overlay", SIZE, backing=base)
    io(overlay, "write -b -P 7 0 4M")
    assert _growth(overlay, base) == (0, 0)


def test_raw_base_grows_at_most_by_all_that_the_overlay_holds(tmp_path: Path) -> None:
    base = tmp_path / "base"
    run("qemu-img", "create", "-q", "-f", "raw", base, str(SIZE))
    overlay = tmp_path / "overlay"
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", overlay)
    io(overlay, "write -P 2 0 8M")
    assert _growth(overlay, base) == (0, 8 * MIB)
    assert _grown(overlay, base) == pytest.approx(8 * MIB, abs=64 * 1024)


@pytest.mark.parametrize("options", ["extended_l2=off", "extended_l2=on"])
def test_zeroes_that_kept_their_place_in_the_overlay_are_no_data(
    tmp_path: Path, options: str
) -> None:
    base = create(tmp_path / "base", SIZE, options)
    overlay = create(tmp_path / "overlay", SIZE, options, backing=base)
    io(overlay, "write -P 2 0 1M", "write -z 0 1M")
    assert _growth(overlay, base) == (0, MIB + 64 * 1024)
