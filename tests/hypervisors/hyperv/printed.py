"""Rows as the lines that a script prints: one JSON object each, and the row count at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from snapaudit.hypervisors.hyperv.rows import Answer, Drive, HostRow


def lines(answer: Answer) -> list[str]:
    """A complete answer, ASCII alone, whatever the names hold."""
    rows = list(_rows(answer))
    rows.append({"k": "end", "rows": len(rows)})
    return [json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows]


def _rows(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.host is not None:
        yield _host(answer.host)
    for vm in answer.machines:
        yield {
            "k": "vm",
            "id": vm.id,
            "name": vm.name,
            "state": vm.state,
            "ops": list(vm.statuses),
            "parent": vm.parent_checkpoint,
            "ckpt": vm.checkpoint_setting,
            "auto": vm.automatic_checkpoints,
            "repl": vm.replication,
            "clustered": vm.is_clustered,
            "ver": vm.version,
            "notes": vm.notes,
            "nomerge": vm.merging_disabled,
            "drives": [_drive(one) for one in vm.drives],
        }
    for cp in answer.checkpoints:
        yield {
            "k": "cp",
            "id": cp.id,
            "vm": cp.machine,
            "name": cp.name,
            "type": cp.type,
            "created": _time(cp.created_at),
            "parent": cp.parent,
            "auto": cp.is_automatic,
            "state": cp.state,
            "sys": cp.system_bytes,
            "notes": cp.notes,
            "drives": [_drive(one) for one in cp.drives],
        }
    yield from _files(answer)
    for error in answer.errors:
        yield {
            "k": "err",
            "where": error.where,
            "id": error.id,
            "fqid": error.error_id,
            "hr": error.number,
            "msg": error.message,
        }
    for event in answer.events:
        yield {"k": "event", "id": event.number, "at": _time(event.at), "data": list(event.data)}


def _files(answer: Answer) -> Iterator[dict[str, Any]]:
    for disk in answer.disks:
        yield {
            "k": "disk",
            "path": disk.path,
            "type": disk.type,
            "fmt": disk.format,
            "file": disk.file_bytes,
            "size": disk.size_bytes,
            "min": disk.least_bytes,
            "up": disk.parent,
            "id": disk.id,
        }
    for file in answer.files:
        yield {
            "k": "file",
            "path": file.path,
            "len": file.length,
            "mtime": _time(file.changed_at),
        }
    for vol in answer.volumes:
        figures = {"path": vol.path, "cap": vol.capacity, "free": vol.free}
        if vol.is_csv:
            maint = vol.in_maintenance
            yield {"k": "csv", **figures, "name": vol.label, "owner": vol.owner, "maint": maint}
        else:
            yield {"k": "vol", **figures, "label": vol.label, "fs": vol.file_system}


def _host(host: HostRow) -> dict[str, Any]:
    return {
        "k": "host",
        "v": host.version,
        "name": host.name,
        "os": host.os,
        "ps": host.powershell,
        "lang": host.language_mode,
        "now": _time(host.now),
        "culture": host.culture,
        "uuid": host.uuid,
        "cluster": host.cluster,
        "cluster_id": host.cluster_id,
        "nodes": list(host.nodes),
    }


def _drive(drive: Drive) -> dict[str, Any]:
    kind, number, location = drive.controller
    return {
        "ct": kind,
        "cn": number,
        "cl": location,
        "path": drive.path,
        "disk": drive.disk_number,
        "shared": drive.is_shared,
    }


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else None


@dataclass
class Printer:
    """A runner that prints what it was given, and keeps what it was asked."""

    host: str
    printed: list[str]
    is_verified: bool = True
    has_sent: bool = True
    is_closed: bool = False
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def run(self, script: str, argument: Any) -> Iterator[str]:
        self.asked.append((script, dict(argument)))
        if self.error is not None:
            raise self.error
        yield from self.printed

    def close(self) -> None:
        self.is_closed = True
