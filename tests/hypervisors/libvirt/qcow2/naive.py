"""The format read in the plainest way: everything at once, a set of clusters for each state."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

_OFFSET = 0x00FF_FFFF_FFFF_FE00


@dataclass
class NaiveImage:
    """States by name, the present one under None; the counts of references of all clusters."""

    cluster_size: int
    states: dict[str | None, set[int]]
    used_clusters: int
    snapshot_table_clusters: int

    def exclusive_bytes(self, name: str) -> int:
        others = set(chain(*(state for key, state in self.states.items() if key != name)))
        return len(self.states[name] - others) * self.cluster_size

    def not_in_active_bytes(self, name: str) -> int:
        return len(self.states[name] - self.states[None]) * self.cluster_size

    def held_by_snapshots_bytes(self) -> int:
        return len(set(chain(*self.states.values())) - self.states[None]) * self.cluster_size


def read(path: Path) -> NaiveImage:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as raw:
        return _read(raw)


def _read(raw: mmap.mmap) -> NaiveImage:
    version, bits = struct.unpack_from(">I", raw, 4)[0], struct.unpack_from(">I", raw, 20)[0]
    l1_size, l1_at, counts_at, counts_size, count, at = struct.unpack_from(">IQQIIQ", raw, 36)
    features, order = 0, 4
    if version == 3:
        features, order = struct.unpack_from(">Q", raw, 72)[0], struct.unpack_from(">I", raw, 96)[0]
    step = 16 if features & 16 else 8
    states: dict[str | None, set[int]] = {None: _clusters(raw, bits, step, l1_at, l1_size)}
    table = at
    for _ in range(count):
        l1_at, l1_size, id_size, name_size = struct.unpack_from(">QIHH", raw, at)
        name_at = at + 40 + struct.unpack_from(">I", raw, at + 36)[0] + id_size
        name = raw[name_at : name_at + name_size].decode()
        states[name] = _clusters(raw, bits, step, l1_at, l1_size)
        at = (name_at + name_size + 7) // 8 * 8
    return NaiveImage(
        cluster_size=1 << bits,
        states=states,
        used_clusters=_used(raw, bits, order, counts_at, counts_size),
        snapshot_table_clusters=-(-(at - table) >> bits),
    )


def _clusters(raw: mmap.mmap, bits: int, step: int, l1_at: int, l1_size: int) -> set[int]:
    found = {cluster >> bits for cluster in range(l1_at, l1_at + l1_size * 8, 1 << bits)}
    for (l1,) in struct.iter_unpack(">Q", raw[l1_at : l1_at + l1_size * 8]):
        l2_at = l1 & _OFFSET
        if not l2_at:
            continue
        found.add(l2_at >> bits)
        for entry in _different(raw[l2_at : l2_at + (1 << bits)], step):
            if entry >> 62 & 1:
                width = 62 - (bits - 8)
                start = entry % (1 << width)
                sectors = (entry >> width) % (1 << bits - 8)
                last = start // 512 * 512 + sectors * 512 + 511
                found.update(range(start >> bits, (last >> bits) + 1))
            elif entry & _OFFSET:
                found.add((entry & _OFFSET) >> bits)
    return found


def _different(table: bytes, step: int) -> set[int]:
    """The entries; those of large clusters are a quarter of a million, and nearly all are 0."""
    return set(struct.unpack(f">{len(table) // 8}Q", table)[:: step // 8])


def _used(raw: mmap.mmap, bits: int, order: int, table_at: int, table_clusters: int) -> int:
    """Clusters that the image itself counts as referred to."""
    assert order == 4, "16-bit counts"
    table = raw[table_at : table_at + (table_clusters << bits)]
    blocks = [offset for (offset,) in struct.iter_unpack(">Q", table) if offset]
    used = 0
    for block in blocks:
        numbers = struct.unpack(f">{1 << bits - 1}H", raw[block : block + (1 << bits)])
        used += len(numbers) - numbers.count(0)
    return used
