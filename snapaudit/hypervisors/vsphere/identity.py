"""What a snapshot is: a fingerprint of what neither a rename nor a neighbour's deletion changes.

A reference alone proves nothing once a machine was registered anew or on another vCenter, so the
machine's own two ids, the number within the tree and the time are part of it.
"""

from __future__ import annotations

from datetime import UTC
from hashlib import sha256

from snapaudit.hypervisors.vsphere.raw import RawSnapshot

_DIGITS = 32


def of_snapshot(
    manager: str | None, instance_uuid: str | None, uuid: str | None, snapshot: RawSnapshot
) -> str:
    """Hexadecimal; equal for the same snapshot of the same machine on the same manager."""
    at = snapshot.created_at
    made = at.astimezone(UTC).isoformat() if at is not None else None
    parts = (manager, instance_uuid, uuid, snapshot.moid, snapshot.id, made)
    return sha256(ascii(parts).encode()).hexdigest()[:_DIGITS]
