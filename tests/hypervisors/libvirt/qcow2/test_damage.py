"""Damaged and hostile images end in Qcow2Error, soon and without filling the memory."""

from __future__ import annotations

import struct
import time
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.hypervisors.libvirt.qcow2 import Qcow2Error, growth_of_commit, measure
from snapaudit.hypervisors.libvirt.qcow2.source import Source
from tests.hypervisors.libvirt.qcow2.hand_made import (
    CLUSTER,
    DATA,
    END,
    FIRST_L1,
    L1,
    L2,
    TABLE,
    hand_made,
)
from tests.hypervisors.libvirt.qcow2.images import (
    MIB,
    create,
    io,
    live_through,
    repeatable,
    snapshot,
)


def test_hand_made_image_is_sound() -> None:
    (found,) = measure(hand_made()).snapshots
    assert found.exclusive_bytes == found.not_in_active_bytes == 4 * CLUSTER


@pytest.mark.parametrize(
    ("offset", "form", "value", "message"),
    [
        (0, ">I", 0x514649FA, "no qcow2"),
        (4, ">I", 4, "version 4"),
        (20, ">I", 8, "8 cluster bits"),
        (20, ">I", 22, "22 cluster bits"),
        (20, ">I", 2**32 - 1, "cluster bits"),
        (24, ">Q", 2**60, "too small"),
        (36, ">I", 2**32 - 1, "impossibly large"),
        (36, ">I", 2**17, "outside the file"),
        (40, ">Q", END, "outside the file"),
        (40, ">Q", L1 + 512, "between two clusters"),
        (40, ">Q", 2**63, "outside the file"),
        (40, ">Q", FIRST_L1, "same cluster"),
        (60, ">I", 65537, "claims 65537"),
        (60, ">I", 65536, "more than can be compared"),
        (60, ">I", 4000, "no id"),
        (64, ">Q", TABLE + 8, "between two clusters"),
        (64, ">Q", 2**62, "cut"),
        (72, ">Q", 1 << 5, "not known"),
        (72, ">Q", 1 << 1, "corrupt"),
        (72, ">Q", 1 << 2, "another file"),
        (96, ">I", 7, "refcount order 7"),
        (100, ">I", 96, "96 bytes"),
        (TABLE, ">Q", FIRST_L1 + 1, "between two clusters"),
        (TABLE, ">Q", 2**60, "outside the file"),
        (TABLE, ">Q", L1, "same cluster"),
        (TABLE + 8, ">I", 2**31, "impossibly large"),
        (TABLE + 36, ">I", 2**32 - 1, "cut"),
        (L1, ">Q", END, "no L2 table"),
        (L1, ">Q", L2 + 512, "no L2 table"),
        (L1, ">Q", FIRST_L1, "no L2 table"),
        (FIRST_L1, ">Q", 2**55, "no L2 table"),
        (L2 + CLUSTER, ">Q", END, "behind the end"),
        (L2 + CLUSTER, ">Q", DATA + 512, "between two clusters"),
        (L2 + CLUSTER, ">Q", (1 << 62) + 2**50, "behind the end"),
    ],
)
def test_impossible_value_is_named(offset: int, form: str, value: int, message: str) -> None:
    with pytest.raises(Qcow2Error, match=message):
        measure(hand_made().write(offset, form, value))


def test_table_that_stands_in_two_places_is_refused() -> None:
    image = hand_made().write(36, ">I", 2).write(L1 + 8, ">Q", L2)
    with pytest.raises(Qcow2Error, match="no L2 table"):
        measure(image)


def test_huge_tables_in_a_sparse_file_are_refused_soon() -> None:
    image = hand_made()
    image.size = 2**50
    image.write(60, ">I", 4)
    line = image.read_at(TABLE, 64)
    for number in range(4):
        entry = struct.pack(">QI", 2**40 + number * 2**30, 2**22) + line[12:]
        image.write(TABLE + number * 64, "64s", entry)
    _assert_quick_end(image, "impossibly large together")


def test_widely_spread_compressed_clusters_do_not_fill_the_memory() -> None:
    image = hand_made().write(L2 + CLUSTER, ">Q", (1 << 62) + 2**46)
    image.size = 2**50
    _assert_quick_end(image, "too large to be counted")


def _assert_quick_end(image: Source, message: str) -> None:
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(Qcow2Error, match=message):
            measure(image)
        assert tracemalloc.get_traced_memory()[1] < 64 * MIB
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < 10


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, END - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_bytes_anywhere_end_in_an_answer_or_the_one_error(
    changes: list[tuple[int, int]],
) -> None:
    image = hand_made()
    for offset, value in changes:
        image.write(offset, ">B", value)
    _must_end(image)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((*range(0, 104, 4), *range(TABLE, TABLE + 48, 4), L1, FIRST_L1, L2)),
            st.integers(0, 2**32 - 1),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_numbers_in_the_tables_end_in_an_answer_or_the_one_error(
    changes: list[tuple[int, int]],
) -> None:
    image = hand_made()
    for offset, value in changes:
        image.write(offset, ">I", value)
    _must_end(image)


def _must_end(image: Source) -> None:
    start = time.perf_counter()
    for ask in (measure, lambda source: growth_of_commit(source, hand_made())):
        with suppress(Qcow2Error):
            ask(image)
    assert time.perf_counter() - start < 1


@pytest.mark.usefixtures("tools")
def test_real_images_that_are_cut_or_scratched_end_in_an_answer_or_the_one_error(
    tmp_path: Path,
) -> None:
    path = create(tmp_path / "image", 8 * MIB, "cluster_size=4k")
    live_through(path, 7, size=8 * MIB, unit=4096, most=100)
    sound = path.read_bytes()
    rng = repeatable(1)
    for _ in range(300):
        damaged = bytearray(sound[: rng.choice((len(sound), rng.randrange(len(sound))))])
        for _ in range(rng.randint(1, 40)):
            where = rng.choice((rng.randrange(112), rng.randrange(len(sound))))
            if where < len(damaged):
                damaged[where] = rng.randrange(256)
        _must_end(Flat(bytes(damaged)))


@dataclass
class Flat:
    """The bytes of a file."""

    raw: bytes

    @property
    def size(self) -> int:
        return len(self.raw)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.raw[offset : offset + length]


@pytest.mark.usefixtures("tools")
def test_image_that_gains_a_snapshot_meanwhile_is_refused(tmp_path: Path) -> None:
    path = create(tmp_path / "image", 8 * MIB)
    io(path, "write -P 1 0 1M")
    snapshot(path, "-c", "first")
    before = path.read_bytes()
    snapshot(path, "-c", "second")
    with pytest.raises(Qcow2Error, match="changed while it was read"):
        measure(Changing(before, path.read_bytes()))


class Changing:
    """An image that is another one from the second reading of its header on."""

    def __init__(self, before: bytes, after: bytes) -> None:
        self._now, self._after, self._headers = before, after, 0

    @property
    def size(self) -> int:
        return len(self._now)

    def read_at(self, offset: int, length: int) -> bytes:
        self._headers += offset == 0
        if self._headers > 1:
            self._now = self._after
        return self._now[offset : offset + length]
