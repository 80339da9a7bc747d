"""Checkpoint types, and the one that a person may have deleted.

Microsoft.HyperV.PowerShell.SnapshotType; a production checkpoint is of type Standard too.
"""

from __future__ import annotations

STANDARD, RECOVERY, REPLICA, PLANNED, MISSING = (
    "standard",
    "recovery",
    "replica",
    "planned",
    "missing",
)
_REPLICAS = frozenset({"replica", "appconsistentreplica", "syncedreplica"})
_CONSISTENT = "appconsistentreplica"

_WHY_NOT = {
    RECOVERY: "a backup product made it, and may need it for its next backup",
    REPLICA: "it is a recovery point of Hyper-V Replica",
    PLANNED: "it belongs to a migration that is in progress",
    MISSING: "its configuration is lost",
}


def kind(checkpoint_type: str) -> str:
    """The model's word; a type that is not known stays as it is told, in lower case."""
    word = checkpoint_type.strip().lower()
    return REPLICA if word in _REPLICAS else word


def is_quiesced(checkpoint_type: str, *, has_memory: bool | None) -> bool | None:
    """Whether the guest's applications were at rest: told of replicas alone, never with memory."""
    if checkpoint_type.strip().lower() == _CONSISTENT:
        return True
    return False if has_memory else None


def protection(checkpoint_type: str) -> str | None:
    """Why a checkpoint of this type is never deleted, as ``word: sentence``."""
    word = kind(checkpoint_type)
    if word == STANDARD:
        return None
    if word in _WHY_NOT:
        return f"{word}: {_WHY_NOT[word]}"
    return f"unknown-type: {checkpoint_type!r} is no type of checkpoint that is known"
