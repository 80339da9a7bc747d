"""What a checkpoint is, whatever becomes of its neighbours: a fingerprint beside its GUID.

Left out is what the platform rewrites when an older checkpoint goes: the parent, and the files that
are held. The slots stay. Name and notes are compared by themselves, as people read them.
"""

from __future__ import annotations

import json
from datetime import UTC
from hashlib import sha256

from snapaudit.hypervisors.hyperv.rows import CheckpointRow

_DIGITS = 32


def of_checkpoint(checkpoint: CheckpointRow) -> str:
    """The digest of machine, id, type, time and slots."""
    at = checkpoint.created_at
    slots = sorted(drive.controller for drive in checkpoint.drives)
    return _digest(
        checkpoint.machine,
        checkpoint.id,
        checkpoint.type,
        at.astimezone(UTC).isoformat() if at is not None else None,
        slots,
    )


def _digest(*parts: object) -> str:
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:_DIGITS]
