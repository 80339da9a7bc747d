"""How fast the tables of a large qcow2 image are walked, and how much memory that takes.

``python -m tests.bench.qcow2`` prints the table. The images are 100 GiB of 64 KiB clusters, fully
mapped by the present state and five snapshots. ``rewritten``: nothing is shared, the worst there
can be. ``usual``: every tenth cluster differs from one state to the next. Only their tables are
really written; the walker in the same run keeps a set of clusters for each state.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import TypeVar

from snapaudit.hypervisors.libvirt.qcow2 import ImageSizes, LocalSource, measure

T = TypeVar("T")
CLUSTER = 64 * 1024
TABLES = 200
ENTRIES = CLUSTER // 8
STATES = 6
_OFFSET = 0x00FF_FFFF_FFFF_FE00
_FIRST_TABLE = 16 * CLUSTER


def write_image(path: Path, *, differing_in: int) -> None:
    """An image whose states differ in one cluster of so many; 1: in every cluster."""
    data = _FIRST_TABLE + STATES * TABLES * CLUSTER
    with path.open("wb") as file:
        file.write(_header())
        for state in range(STATES):
            tables = [_FIRST_TABLE + (state * TABLES + n) * CLUSTER for n in range(TABLES)]
            file.seek(_l1_offset(state))
            file.write(struct.pack(f">{TABLES}Q", *tables))
            for number, offset in enumerate(tables):
                file.seek(offset)
                file.write(_l2(data, state, number, differing_in))
        file.seek(CLUSTER)
        file.write(b"".join(_snapshot(state) for state in range(1, STATES)))
        file.truncate(data + STATES * TABLES * ENTRIES * CLUSTER)


def _l1_offset(state: int) -> int:
    return (2 + state) * CLUSTER


def _header() -> bytes:
    disk = TABLES * ENTRIES * CLUSTER
    fixed = (b"QFI\xfb", 3, 0, 0, 16, disk, 0, TABLES, _l1_offset(0), 0, 0, STATES - 1, CLUSTER)
    return struct.pack(">4sIQIIQIIQQIIQ", *fixed) + struct.pack(">QQQII", 0, 0, 0, 4, 104)


def _snapshot(state: int) -> bytes:
    name = f"{state}".encode()
    line = struct.pack(">QIHHIIQII", _l1_offset(state), TABLES, 1, 1, 0, 0, 0, 0, 16)
    return (line + bytes(16) + name + name).ljust(64, b"\0")


def _l2(data: int, state: int, number: int, differing_in: int) -> bytes:
    first = number * ENTRIES
    entries = array("Q", range(data + first * CLUSTER, data + (first + ENTRIES) * CLUSTER, CLUSTER))
    own = data + (state * TABLES * ENTRIES + first) * CLUSTER
    for at in range(0, ENTRIES, differing_in):
        entries[at] = own + at * CLUSTER
    if sys.byteorder == "little":
        entries.byteswap()
    return entries.tobytes()


def naive(path: Path) -> list[int]:
    """Exclusive bytes of each snapshot, from one set of clusters for each state."""
    with path.open("rb") as file:
        states = [set(_clusters(file.fileno(), _l1_offset(state))) for state in range(STATES)]
    sizes = []
    for number, state in enumerate(states):
        others = set().union(*(other for n, other in enumerate(states) if n != number))
        sizes.append(len(state - others) * CLUSTER)
    return sizes[1:]


def _clusters(descriptor: int, l1: int) -> Iterator[int]:
    yield l1 >> 16
    for offset in struct.unpack(f">{TABLES}Q", os.pread(descriptor, TABLES * 8, l1)):
        yield offset >> 16
        for entry in struct.unpack(f">{ENTRIES}Q", os.pread(descriptor, CLUSTER, offset)):
            if entry & _OFFSET:
                yield (entry & _OFFSET) >> 16


def walked(path: Path) -> ImageSizes:
    return measure(LocalSource(str(path)))


def run() -> list[tuple[str, float, str]]:
    """Name, value and unit of each measurement; each walker runs in a process of its own."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, differing_in in (("rewritten", 1), ("usual", 10)):
            path = Path(folder, name)
            write_image(path, differing_in=differing_in)
            seconds, memory, sizes = _apart(walked, path)
            slow, much, expected = _apart(naive, path)
            if [snapshot.exclusive_bytes for snapshot in sizes.snapshots] != expected:
                raise AssertionError("the two walkers disagree")
            rows += [
                (f"{name}: seconds", seconds, "s"),
                (f"{name}: memory", memory, "MiB"),
                (f"{name}: naive walker, seconds", slow, "s"),
                (f"{name}: naive walker, memory", much, "MiB"),
                (f"{name}: ratio of time", slow / seconds, "times"),
            ]
    for row in rows:
        sys.stdout.write("{:36} {:12,.2f} {}\n".format(*row))
    return rows


def _apart(walker: Callable[[Path], T], path: Path) -> tuple[float, float, T]:
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_timed, walker, path).result()


def _timed(walker: Callable[[Path], T], path: Path) -> tuple[float, float, T]:
    start = time.perf_counter()
    found = walker(path)
    return time.perf_counter() - start, getrusage(RUSAGE_SELF).ru_maxrss / 1024, found


if __name__ == "__main__":
    run()
