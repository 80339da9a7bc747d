"""An image written byte by byte, for what QEMU's tools never write."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

CLUSTER = 64 * 1024
L1, TABLE, FIRST_L1, L2 = CLUSTER, 2 * CLUSTER, 3 * CLUSTER, 4 * CLUSTER
DATA, END = 6 * CLUSTER, 12 * CLUSTER
STATE = 5 * 2**30  # more than fits into the 32 bits of the older field


@dataclass
class Bytes:
    """An image in memory; what was not written reads as zeroes, as in a sparse file."""

    size: int = END
    written: dict[int, bytes] = field(default_factory=dict)

    def write(self, offset: int, form: str, *values: int | bytes) -> Bytes:
        for at, byte in enumerate(struct.pack(form, *values), offset):
            self.written[at] = bytes([byte])
        return self

    def read_at(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        piece = bytearray(length)
        for at, byte in self.written.items():
            if offset <= at < offset + length:
                piece[at - offset : at - offset + 1] = byte
        return bytes(piece)


def hand_made() -> Bytes:
    """Sixteen clusters of disk, one table for the present state, another one for the snapshot."""
    image = Bytes()
    fixed = (b"QFI\xfb", 3, 0, 0, 16, 2**20, 0, 1, L1, 0, 0, 1, TABLE)
    image.write(0, ">4sIQIIQIIQQIIQ", *fixed).write(72, ">QQQII", 0, 0, 0, 4, 104)
    image.write(TABLE, ">QIHHIIQII", FIRST_L1, 1, 1, 3, 5, 6, 7, 0, 16)
    image.write(TABLE + 40, ">QQ1s3s", STATE, 2**20, b"1", b"new")
    image.write(L1, ">Q", L2).write(FIRST_L1, ">Q", L2 + CLUSTER)
    image.write(L2, ">QQ", DATA, DATA + CLUSTER)
    return image.write(L2 + CLUSTER, ">QQQ", DATA, DATA + 2 * CLUSTER, DATA + 3 * CLUSTER)
