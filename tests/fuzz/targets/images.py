"""Disk images: the header and tables of qcow2, and what a merge would need by them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.hypervisors.libvirt.qcow2 import (
    Qcow2Error,
    growth_of_commit,
    measure,
    read_header,
)
from tests.fuzz.target import Target
from tests.hypervisors.libvirt.qcow2.hand_made import END, hand_made

_CLUSTER = 512
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Flat:
    """An image in memory, with empty room behind it as in a sparse file."""

    raw: bytes
    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        piece = self.raw[offset : offset + length]
        return piece + bytes(length - len(piece))


def _measured(data: bytes) -> None:
    read_header(Flat(data, len(data)))
    measure(Flat(data, len(data)))


def _sparse(data: bytes) -> None:
    """In a file of which the most is empty, tables may stand far behind all that is written."""
    measure(Flat(data, 2**30))


def _merged(data: bytes) -> None:
    half = len(data) // 2
    above, below = Flat(data[:half], 2**30), Flat(data[half:], 2**30)
    growth_of_commit(above, below)


def _images() -> Iterator[bytes]:
    yield _small()
    yield hand_made().read_at(0, END)
    older = bytearray(_small())
    struct.pack_into(">I", older, 4, 2)
    yield bytes(older)


def _small() -> bytes:
    """Clusters as small as they may be: nearly every byte of it means something."""
    fixed = (b"QFI\xfb", 3, 0, 0, 9, 2**16, 0, 2, _CLUSTER, 0, 0, 1, 2 * _CLUSTER)
    image = bytearray(12 * _CLUSTER)
    struct.pack_into(">4sIQIIQIIQQIIQ", image, 0, *fixed)
    struct.pack_into(">QQQII", image, 72, 0, 0, 0, 4, 104)
    table = 2 * _CLUSTER
    struct.pack_into(">QIHHIIQII", image, table, 3 * _CLUSTER, 2, 1, 3, 5, 6, 7, 0, 16)
    struct.pack_into(">QQ1s3s", image, table + 40, 2**20, 2**16, b"1", b"new")
    struct.pack_into(">Q", image, _CLUSTER, 4 * _CLUSTER | 1 << 63)
    struct.pack_into(">Q", image, 3 * _CLUSTER, 5 * _CLUSTER)
    places = (6 * _CLUSTER | 1 << 63, 7 * _CLUSTER, 1 << 62 | 8 * _CLUSTER)
    struct.pack_into(">QQQ", image, 4 * _CLUSTER, *places)
    struct.pack_into(">QQ", image, 5 * _CLUSTER, 6 * _CLUSTER, 9 * _CLUSTER)
    return bytes(image)


def _pairs() -> Iterator[bytes]:
    yield _small() + _small()


TARGETS = (
    Target(
        name="qcow2",
        group="images",
        run=_measured,
        examples=_images,
        expected=(Qcow2Error,),
        largest=_LARGEST,
    ),
    Target(
        name="qcow2-sparse",
        group="images",
        run=_sparse,
        examples=_images,
        expected=(Qcow2Error,),
        largest=_LARGEST,
    ),
    Target(
        name="qcow2-merge",
        group="images",
        run=_merged,
        examples=_pairs,
        expected=(Qcow2Error,),
        largest=_LARGEST,
    ),
)
