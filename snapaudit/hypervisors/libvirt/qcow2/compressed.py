"""Compressed clusters: several of them, from anywhere on the disk, share one host cluster.

They cannot be compared place by place. Each host cluster that holds any gets a label, which stands
for the set of states referring to it, over the whole image.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from snapaudit.hypervisors.libvirt.qcow2.header import Header, Qcow2Error
from snapaudit.hypervisors.libvirt.qcow2.places import Piece
from snapaudit.hypervisors.libvirt.qcow2.tables import (
    compressed_entries,
    has_compressed,
    host_clusters,
)
from snapaudit.hypervisors.libvirt.qcow2.tally import Tally

_MOST_CLUSTERS = 2**25
_MOST_LABEL_BITS = 2**25


class _Labels:
    """Small numbers for sets of states; 0 stands for nobody."""

    def __init__(self, states: int) -> None:
        self.sets = [0]
        self._numbers = {0: 0}
        self._joined: dict[tuple[int, int], int] = {}
        self._most = _MOST_LABEL_BITS // states

    def number(self, states: int) -> int:
        known = self._numbers.get(states)
        if known is None:
            if len(self.sets) > self._most:
                raise Qcow2Error("its compressed clusters are shared in too many different ways")
            known = self._numbers[states] = len(self.sets)
            self.sets.append(states)
        return known

    def join(self, one: int, other: int) -> int:
        known = self._joined.get((one, other))
        if known is None:
            known = self._joined[one, other] = self.number(self.sets[one] | self.sets[other])
        return known


def add_compressed(tally: Tally, pieces: Iterable[Piece], header: Header, size: int) -> None:
    """Count the host clusters of the compressed clusters in all tables of all states."""
    clusters = -(-size // header.cluster_size)
    if clusters > _MOST_CLUSTERS:
        raise Qcow2Error("it is compressed, and too large to be counted cluster by cluster")
    labels = _Labels(len(tally.alone))
    owners = memoryview(bytearray(4 * clusters)).cast("I")
    for piece in pieces:
        for raw, states in piece.items():
            if has_compressed(raw, header):
                label = labels.number(sum(1 << state for state in states))
                _mark(owners, labels, label, raw, header)
    for label, count in Counter(owners).items():
        if label:
            tally.add_shared(_bits(labels.sets[label]), count)


def _mark(owners: memoryview[int], labels: _Labels, label: int, raw: bytes, header: Header) -> None:
    for entry in compressed_entries(raw, header):
        for cluster in host_clusters(entry, header):
            if cluster >= len(owners):
                raise Qcow2Error("a compressed cluster lies behind the end of the file")
            known = owners[cluster]
            if known != label:
                owners[cluster] = labels.join(known, label)


def _bits(states: int) -> list[int]:
    return [state for state in range(states.bit_length()) if states >> state & 1]
