"""A host of any size as its script would tell of it: generated, the same in every run.

Each machine has two disks and a straight line of checkpoints. 300 machines with two checkpoints
each have 600 checkpoints and 1,800 disk files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from tests.beds.wsman.powershell import Respond

GIB = 2**30
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
FOLDER = "C:\\ClusterStorage\\Volume1\\Machines"
_DISKS = 2


def guid(name: str) -> str:
    """The same id for the same name."""
    return str(uuid5(NAMESPACE_DNS, name))


def time(at: datetime) -> str:
    """A moment as the scripts write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def host_row(name: str = "HV1") -> dict[str, Any]:
    """The first row."""
    return {
        "k": "host", "v": 1, "name": name, "os": "10.0.20348", "ps": "5.1.20348.1",
        "lang": "FullLanguage", "now": time(NOW), "culture": "de-DE", "uuid": guid(name),
        "cluster": None, "cluster_id": None, "nodes": [],
    }  # fmt: skip


def _files(machine: str, disk: int, checkpoints: int) -> list[str]:
    base = f"{FOLDER}\\{machine}\\{machine}-{disk}"
    deltas = [f"{base}_{guid(f'{machine} {n} {disk}')}.avhdx" for n in range(checkpoints)]
    return [f"{base}.vhdx", *deltas]


def _drives(paths: list[str]) -> list[dict[str, Any]]:
    return [
        {"ct": "SCSI", "cn": 0, "cl": slot, "path": path, "disk": None, "shared": False}
        for slot, path in enumerate(paths)
    ]


def _machine(name: str, checkpoints: int) -> Iterator[dict[str, Any]]:
    files = [_files(name, disk, checkpoints) for disk in range(_DISKS)]
    ids = [guid(f"{name} {number}") for number in range(checkpoints)]
    yield {
        "k": "vm", "id": guid(name), "name": name, "state": 2, "ops": [2],
        "parent": ids[-1] if ids else None, "ckpt": 3, "auto": False, "repl": 0,
        "clustered": False, "ver": "9.0", "notes": "", "nomerge": False,
        "drives": _drives([line[-1] for line in files]),
    }  # fmt: skip
    for number, identity in enumerate(ids):
        yield {
            "k": "cp", "id": identity, "vm": guid(name), "name": f"{name} - (1/{number + 1}/2026)",
            "type": "Standard", "created": time(NOW - timedelta(days=9 - number)),
            "parent": ids[number - 1] if number else None, "auto": False, "state": 3,
            "sys": 68_000, "notes": "", "drives": _drives([line[number] for line in files]),
        }  # fmt: skip
    for line in files:
        for number, path in enumerate(line):
            yield {
                "k": "disk", "path": path, "type": 4 if number else 3, "fmt": 3,
                "file": GIB if number else 20 * GIB, "size": 60 * GIB, "min": None,
                "up": line[number - 1] if number else None, "id": guid(path),
            }  # fmt: skip


def rows(machines: int = 300, checkpoints: int = 2, name: str = "HV1") -> list[dict[str, Any]]:
    """All rows but the last."""
    found = [host_row(name)]
    for number in range(machines):
        found += _machine(f"{name.lower()}-vm{number:03}", checkpoints)
    found.append({
        "k": "csv", "path": "C:\\ClusterStorage\\Volume1", "cap": 40_000 * GIB,
        "free": 9_000 * GIB, "name": "Volume1", "owner": name, "fault": 0, "maint": False,
    })  # fmt: skip
    return found


def printed(found: list[dict[str, Any]]) -> list[str]:
    """Rows as lines, with the last one that counts them."""
    whole = [*found, {"k": "end", "rows": len(found)}]
    return [json.dumps(row, separators=(",", ":")) for row in whole]


def recorded(lines: list[str]) -> Respond:
    """A host that always says the same."""

    def respond(_script: str, _argument: Mapping[str, Any]) -> Iterator[str]:
        yield from lines

    return respond
