"""Bytes of an image, wherever they come from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Protocol

# Ranges closer than this are read as one: a seek, or a call to a daemon, costs more than the bytes.
_GAP = 256 * 1024
_MOST = 4 * 2**20


class Source(Protocol):
    """Something with a length that can be read anywhere."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer at the end. Raises OSError."""
        ...


class LocalSource:
    """A file or block device of this machine. Each read opens nothing anew and takes no lock."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._size = os.lseek(self._descriptor, 0, os.SEEK_END)
        except OSError:
            os.close(self._descriptor)
            raise

    def __del__(self) -> None:
        descriptor = getattr(self, "_descriptor", None)
        if descriptor is not None:
            os.close(descriptor)

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer at the end."""
        return os.pread(self._descriptor, length, offset)


def read_tables(source: Source, offsets: Iterable[int], length: int) -> Iterator[tuple[int, bytes]]:
    """Pieces of equal length with their offsets, in rising order, read in few and long pieces."""
    batch: list[int] = []
    for offset in sorted(offsets):
        if batch and (offset - batch[-1] - length > _GAP or offset + length - batch[0] > _MOST):
            yield from _read_batch(source, batch, length)
            batch = []
        batch.append(offset)
    if batch:
        yield from _read_batch(source, batch, length)


def _read_batch(source: Source, batch: list[int], length: int) -> Iterator[tuple[int, bytes]]:
    first = batch[0]
    piece = source.read_at(first, batch[-1] + length - first)
    for offset in batch:
        yield offset, piece[offset - first : offset - first + length]
