"""What a snapshot is, whatever becomes of its neighbours, and the disks that go with it.

UUIDs are never used twice, so this is no substitute for an id: it says that the snapshot still is
the one of that machine and that moment, with just those disks. Memory is left out, since discarding
it is the first step of deleting a checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256

from snapaudit.hypervisors.xen.records import VmRecord

_DIGITS = 32


def identity(snapshot: VmRecord, machine: str | None, disks: Iterable[str]) -> str:
    """A fingerprint; ``machine`` and ``disks`` by UUID."""
    taken = snapshot.snapshot_time.isoformat() if snapshot.snapshot_time else None
    facts = [snapshot.uuid, machine, taken, sorted(disks)]
    return sha256(json.dumps(facts).encode()).hexdigest()[:_DIGITS]
