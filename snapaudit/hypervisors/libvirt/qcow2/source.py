"""Bytes of an image, wherever they come from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Protocol

# Ranges closer than this are read as one: a seek, or a call to a daemon, costs more than the bytes.
_GAP = 256 * 1024
_MOST_AT_ONCE = 4 * 2**20

Range = tuple[int, int]
"""Offset and length, in bytes."""


class Source(Protocol):
    """Something with a length that can be read anywhere."""

    @property
    def size(self) -> int:
        """Length in bytes, as of now."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer at the end. Raises OSError."""
        ...


class LocalSource:
    """A regular file or block device of this machine, opened for reading; no lock is taken."""

    def __init__(self, path: str) -> None:
        # Without O_NONBLOCK, a pipe in the place of an image would hold up the whole collection.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._seekable_size()
        except OSError:
            self.close()
            raise

    def _seekable_size(self) -> int:
        return os.lseek(self._descriptor, 0, os.SEEK_END)

    def close(self) -> None:
        """Give the file back; also happens when the source is no longer used."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            self.close()

    @property
    def size(self) -> int:
        """Length in bytes, as of now: the image of a running machine grows."""
        return self._seekable_size()

    def read_at(self, offset: int, length: int) -> bytes:
        """The bytes there; fewer at the end. Raises OSError."""
        pieces = []
        while length > 0 and (piece := os.pread(self._descriptor, length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)


def read_many(source: Source, ranges: Iterable[Range]) -> dict[Range, bytes]:
    """The bytes of every range, fetched in few and long reads. Raises OSError."""
    found = {}
    for batch in _batches(sorted(set(ranges))):
        first = batch[0][0]
        piece = source.read_at(first, max(sum(wanted) for wanted in batch) - first)
        for offset, length in batch:
            found[offset, length] = piece[offset - first : offset - first + length]
    return found


def _batches(ranges: Iterable[Range]) -> Iterator[list[Range]]:
    batch: list[Range] = []
    for offset, length in ranges:
        if batch and (
            offset - sum(batch[-1]) > _GAP or offset + length - batch[0][0] > _MOST_AT_ONCE
        ):
            yield batch
            batch = []
        batch.append((offset, length))
    if batch:
        yield batch
