"""Machines whose disks are sets of blocks: checkpoints freeze, merges write down, files go.

Just enough to hold sizes and gains against what a deletion really does. A file is as large as its
blocks; a fixed disk is as large as its capacity. Records of a checkpoint may be lost, which leaves
its files where they are, as a failed merge does.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta

from snapaudit.hypervisors.hyperv.rows import Answer, CheckpointRow, HostRow, MachineRow
from tests.builders import ago
from tests.hypervisors.hyperv.hrows import (
    DIFFERENCING,
    DYNAMIC,
    FIXED,
    answer,
    checkpoint_row,
    disk_row,
    drive,
    file_row,
    guid,
    machine_row,
)

BLOCK = 2**20
CAPACITY = 16


@dataclass
class File:
    parent: str | None
    blocks: set[int] = field(default_factory=set)
    is_fixed: bool = False

    @property
    def size(self) -> int:
        return (CAPACITY if self.is_fixed else len(self.blocks)) * BLOCK


@dataclass
class Record:
    """A checkpoint: what it holds by slot, and what it stands on."""

    name: str
    holds: dict[int, str]
    parent: str | None
    system: int


class Machine:
    """One machine in a folder of its own, with a disk for each flag: whether that is fixed."""

    def __init__(self, name: str, fixed: list[bool]) -> None:
        self.name = name
        self.files: dict[str, File] = {}
        self.live: dict[int, str] = {}
        self.records: dict[str, Record] = {}
        self.current: str | None = None
        self._count = 0
        for slot, is_fixed in enumerate(fixed):
            path = f"D:\\{name}\\disk{slot}.vhdx"
            self.files[path] = File(None, {0}, is_fixed)
            self.live[slot] = path

    @property
    def automatic(self) -> dict[str, File]:
        return {path: file for path, file in self.files.items() if path.endswith(".avhdx")}

    @property
    def total(self) -> int:
        return sum(file.size for file in self.files.values())

    def write(self, slot: int, block: int) -> None:
        self.files[self.live[slot % len(self.live)]].blocks.add(block % CAPACITY)

    def checkpoint(self) -> None:
        self._count += 1
        name = f"s{self._count}"
        self.records[name] = Record(name, dict(self.live), self.current, self._count)
        for slot in self.live:
            self._fork(slot, self.live[slot])
        self.current = name

    def apply(self, number: int) -> None:
        """Go back to a checkpoint: what was written since the last one is lost."""
        record = self._record(number)
        if record is None:
            return
        for slot, path in record.holds.items():
            if not self._is_held(self.live[slot]) and not self.children(self.live[slot]):
                del self.files[self.live[slot]]
            self._fork(slot, path)
        self.current = record.name

    def lose(self, number: int) -> None:
        """The record goes and its files stay."""
        record = self._record(number)
        if record is not None:
            self._forget(record)

    def remove(self, name: str) -> None:
        """Delete a checkpoint, and merge what can be merged."""
        record = self.records[name]
        self._forget(record)
        for path in record.holds.values():
            standing = self.children(path)
            if len(standing) == 1:
                self._merge(standing[0], path)
            elif not standing and path.endswith(".avhdx"):
                del self.files[path]

    def without(self, name: str) -> Machine:
        """The machine after the deletion, this one staying as it is."""
        other = deepcopy(self)
        other.remove(name)
        return other

    def children(self, path: str) -> list[str]:
        return [key for key, file in self.files.items() if file.parent == path]

    def _fork(self, slot: int, path: str) -> None:
        self._count += 1
        new = f"D:\\{self.name}\\disk{slot}_{self._count:03}.avhdx"
        self.files[new] = File(path)
        self.live[slot] = new

    def _merge(self, child: str, into: str) -> None:
        self.files[into].blocks |= self.files[child].blocks
        for above in self.children(child):
            self.files[above].parent = into
        del self.files[child]
        self.live = {slot: into if at == child else at for slot, at in self.live.items()}
        for record in self.records.values():
            record.holds = {s: into if at == child else at for s, at in record.holds.items()}

    def _record(self, number: int) -> Record | None:
        names = sorted(self.records)
        return self.records[names[number % len(names)]] if names else None

    def _forget(self, record: Record) -> None:
        del self.records[record.name]
        for other in self.records.values():
            other.parent = record.parent if other.parent == record.name else other.parent
        self.current = record.parent if self.current == record.name else self.current

    def _is_held(self, path: str) -> bool:
        return any(path in record.holds.values() for record in self.records.values())

    # As rows -------------------------------------------------------------------------------------

    def rows(self) -> list[object]:
        """What the collecting script tells: all chains of drives and held files, and the folder."""
        told: list[object] = [
            self._machine_row(),
            *map(self._checkpoint_row, self.records.values()),
        ]
        for path in sorted(self._in_chains()):
            file = self.files[path]
            dynamic = DYNAMIC if file.parent is None else DIFFERENCING
            told.append(
                disk_row(
                    path,
                    file.parent,
                    type=FIXED if file.is_fixed else dynamic,
                    file_bytes=file.size,
                    size_bytes=CAPACITY * BLOCK,
                )
            )
        return [*told, *(file_row(path, file.size) for path, file in self.automatic.items())]

    def _in_chains(self) -> set[str]:
        tops = [*self.live.values(), *(p for r in self.records.values() for p in r.holds.values())]
        found: set[str] = set()
        for top in tops:
            at: str | None = top
            while at is not None and at not in found:
                found.add(at)
                at = self.files[at].parent
        return found

    def _machine_row(self) -> MachineRow:
        drives = [drive(path, slot) for slot, path in self.live.items()]
        current = guid(f"{self.name} {self.current}") if self.current else None
        return machine_row(self.name, *drives, parent_checkpoint=current)

    def _checkpoint_row(self, record: Record) -> CheckpointRow:
        drives = [drive(path, slot) for slot, path in record.holds.items()]
        parent = guid(f"{self.name} {record.parent}") if record.parent else None
        taken = ago("30d") + timedelta(hours=int(record.name[1:]))
        return checkpoint_row(
            self.name,
            record.name,
            *drives,
            parent=parent,
            system_bytes=record.system,
            created_at=taken,
        )


def told(machines: list[Machine], host: HostRow | None = None) -> Answer:
    """What a host with these machines answers."""
    return answer(*(machine.rows() for machine in machines), host=host)
