"""The one mutating call that exists for Hyper-V, as data: remove a checkpoint, and never others.

It carries all that its target was when the call was decided upon. The host compares that with what
it finds, inside the same run of the script that removes, and by GUIDs: names select nothing there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from snapaudit.hypervisors.hyperv.cluster import Found
from snapaudit.hypervisors.hyperv.rows import CheckpointRow
from snapaudit.model.acting import Call
from snapaudit.model.inventory import Snapshot, VirtualMachine

REMOVE = "remove-checkpoint"
"""Remove-VMSnapshot of one checkpoint: those that stand on it stay; merging comes later."""

KNOWN = frozenset({REMOVE})


def remove(
    manager: str, found: Found, row: CheckpointRow, vm: VirtualMachine, snapshot: Snapshot
) -> Call:
    """Take away this checkpoint on the node that has its machine, as long as it is what it was.

    ``gone`` are the files that merging takes away, ``held`` those it writes into, and ``live`` the
    file that each slot has at the end.
    """
    gone = list(_charged(vm, snapshot.id))
    return Call(
        name=REMOVE,
        about={
            "vm_id": vm.id,
            "manager": manager,
            "node": found.node,
            "checkpoint": snapshot.id,
            "identity": snapshot.identity,
            "target": _text(_target(found, row, vm)),
            "gone": _text(gone),
            "held": _text(_held(row)),
            "live": _text(dict(_live(vm, frozenset(gone)))),
        },
    )


def _target(found: Found, row: CheckpointRow, vm: VirtualMachine) -> dict[str, object]:
    """As `remove.ps1` takes it."""
    return {
        "vm": row.machine,
        "checkpoint": row.id,
        "created": None if row.created_at is None else moment(row.created_at),
        "type": row.type,
        "parent": row.parent,
        "name": row.name,
        "notes": row.notes,
        "children": [one.id for one in found.checkpoints if one.parent == row.id],
        "files": _held(row),
        "disks": [
            {"label": disk.label, "paths": [layer.path for layer in disk.layers]}
            for disk in vm.disks
        ],
    }


def _held(row: CheckpointRow) -> list[str]:
    return [drive.path for drive in row.drives if drive.path]


def _charged(vm: VirtualMachine, checkpoint: str) -> Iterable[str]:
    layers = (layer for disk in vm.disks for layer in disk.layers)
    return dict.fromkeys(layer.path for layer in layers if layer.snapshot_id == checkpoint)


def _live(vm: VirtualMachine, gone: frozenset[str]) -> Iterable[tuple[str, str]]:
    for disk in vm.disks:
        left = [layer.path for layer in disk.layers if layer.path not in gone]
        if left:
            yield disk.label, left[-1]


def moment(at: datetime) -> str:
    """A time as the scripts write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def about(call: Call, key: str) -> str:
    """A text that the call carries; KeyError when it has none."""
    value = call.about[key]
    if not isinstance(value, str):
        raise KeyError(key)
    return value


def listed(call: Call, key: str) -> list[str]:
    """A list of paths that the call carries."""
    return [str(one) for one in json.loads(about(call, key))]


def mapped(call: Call, key: str) -> Mapping[str, Any]:
    """An object that the call carries."""
    found: Mapping[str, Any] = json.loads(about(call, key))
    return found


def made_for(made: Sequence[Call], name: str) -> list[Call]:
    """The calls of that name, in order."""
    return [call for call in made if call.name == name]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
