"""Rows as records: what each kind of row has to hold, and where it goes in the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from snapaudit.hypervisors.hyperv.fields import Fields, Malformed
from snapaudit.hypervisors.hyperv.rows import (
    Answer,
    CheckpointRow,
    DiskRow,
    Drive,
    ErrorRow,
    EventRow,
    FileRow,
    HostRow,
    MachineRow,
    Removal,
    SelfRow,
    VolumeRow,
)


def _host(answer: Answer, row: Fields) -> None:
    if answer.host is not None:
        raise Malformed("there are two of them")
    answer.host = HostRow(
        version=row.needed_number("v"),
        name=row.words("name"),
        os=row.words("os"),
        powershell=row.words("ps"),
        language_mode=row.words("lang"),
        now=row.time("now"),
        culture=row.words("culture"),
        uuid=row.text("uuid"),
        cluster=row.text("cluster"),
        nodes=row.texts("nodes"),
        cluster_id=row.text("cluster_id"),
    )


def _self(answer: Answer, row: Fields) -> None:
    answer.asker = SelfRow(
        user=row.words("user"),
        is_running=row.flag("vmms"),
        module=row.text("module"),
        is_administrator=row.flag("admin"),
        is_hyperv_administrator=row.flag("hyperv"),
    )


def _machine(answer: Answer, row: Fields) -> None:
    answer.machines.append(
        MachineRow(
            id=row.needed_guid("id"),
            name=row.words("name"),
            state=row.needed_number("state"),
            statuses=row.numbers("ops"),
            parent_checkpoint=row.guid("parent"),
            checkpoint_setting=row.number("ckpt"),
            automatic_checkpoints=row.flag("auto"),
            replication=row.number("repl"),
            is_clustered=row.flag("clustered"),
            version=row.text("ver"),
            notes=row.words("notes"),
            drives=_drives(row),
            merging_disabled=row.flag("nomerge"),
        )
    )


def _checkpoint(answer: Answer, row: Fields) -> None:
    answer.checkpoints.append(
        CheckpointRow(
            id=row.needed_guid("id"),
            machine=row.needed_guid("vm"),
            name=row.words("name"),
            type=row.needed("type"),
            created_at=row.time("created"),
            parent=row.guid("parent"),
            is_automatic=row.flag("auto"),
            state=row.number("state"),
            system_bytes=row.size("sys"),
            notes=row.words("notes"),
            drives=_drives(row),
        )
    )


def _drives(row: Fields) -> tuple[Drive, ...]:
    return tuple(
        Drive(
            controller=(
                drive.needed("ct"),
                drive.needed_number("cn"),
                drive.needed_number("cl"),
            ),
            path=drive.text("path") or None,
            disk_number=drive.number("disk"),
            is_shared=drive.flag("shared"),
        )
        for drive in row.rows("drives")
    )


def _disk(answer: Answer, row: Fields) -> None:
    answer.disks.append(
        DiskRow(
            path=row.needed("path"),
            type=row.number("type"),
            format=row.number("fmt"),
            file_bytes=row.size("file"),
            size_bytes=row.size("size"),
            least_bytes=row.size("min"),
            parent=row.text("up") or None,
            id=row.text("id"),
        )
    )


def _file(answer: Answer, row: Fields) -> None:
    found = FileRow(row.needed("path"), row.size("len"), row.time("mtime"))
    answer.files.append(found)


def _volume(answer: Answer, row: Fields) -> None:
    answer.volumes.append(
        VolumeRow(
            path=row.needed("path"),
            capacity=row.size("cap"),
            free=row.size("free"),
            label=row.words("label"),
            file_system=row.words("fs"),
        )
    )


def _clustered_volume(answer: Answer, row: Fields) -> None:
    _volume(answer, row)
    plain = answer.volumes.pop()
    answer.volumes.append(
        replace(
            plain,
            label=row.words("name"),
            is_csv=True,
            owner=row.text("owner"),
            in_maintenance=row.flag("maint"),
        )
    )


def _error(answer: Answer, row: Fields) -> None:
    answer.errors.append(
        ErrorRow(
            where=row.words("where"),
            id=row.text("id"),
            error_id=row.text("fqid"),
            number=row.number("hr"),
            message=row.words("msg"),
        )
    )


def _event(answer: Answer, row: Fields) -> None:
    found = EventRow(row.needed_number("id"), row.time("at"), row.texts("data"))
    answer.events.append(found)


def _gone(answer: Answer, row: Fields) -> None:
    answer.gone.append(row.text("path") or row.needed_guid("id"))


def _removal(kind: str) -> Callable[[Answer, Fields], None]:
    def take(answer: Answer, row: Fields) -> None:
        found = Removal(kind, row.needed_guid("id"), row.text("why"), row.numbers("ops"))
        answer.removals.append(found)

    return take


KINDS: dict[str, Callable[[Answer, Fields], None]] = {
    "host": _host,
    "self": _self,
    "vm": _machine,
    "cp": _checkpoint,
    "disk": _disk,
    "file": _file,
    "vol": _volume,
    "csv": _clustered_volume,
    "err": _error,
    "event": _event,
    "gone": _gone,
    **{kind: _removal(kind) for kind in ("would", "skip", "removed")},
}
"""What takes a row of each kind into the answer; each raises Malformed for one it cannot read."""
