"""Machines: the snapshot trees of the machines with findings, ready to be drawn line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from snapaudit.model.finding import Finding
from snapaudit.model.inventory import Snapshot, VirtualMachine
from snapaudit.model.policy import Severity
from snapaudit.model.tree import SnapshotTree
from snapaudit.report.rows import Row
from snapaudit.report.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One snapshot in its tree; ``part``: its size as a share of the largest, None if unknown."""

    depth: int
    snapshot: Snapshot
    is_current: bool
    part: float | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine with its snapshot tree, parents before children."""

    endpoint: str
    vm: VirtualMachine
    severity: Severity
    lines: tuple[Line, ...]


def machines_with_findings(view: View) -> tuple[Machine, ...]:
    """Every machine that has snapshots and a finding, in the order of the findings."""
    rows: dict[tuple[str, str], list[Row]] = {}
    for row in view.rows:
        if row.subject.vm_id is not None:
            rows.setdefault((row.subject.endpoint, row.subject.vm_id), []).append(row)
    return tuple(_machines(view, rows.values()))


def _machines(view: View, groups: Iterable[list[Row]]) -> Iterator[Machine]:
    for group in groups:
        first = group[0]
        vm = view.lookup.machine(first.subject)
        if vm is not None and vm.snapshots:
            found = {row.subject.id: row.findings for row in group}
            yield Machine(
                endpoint=first.subject.endpoint,
                vm=vm,
                severity=first.severity,
                lines=tuple(_lines(vm, found)),
            )


def _lines(vm: VirtualMachine, found: dict[str, tuple[Finding, ...]]) -> Iterator[Line]:
    largest = max((one.size_bytes or 0 for one in vm.snapshots), default=0)
    for depth, snapshot in SnapshotTree(vm.snapshots).walk():
        yield Line(
            depth=depth,
            snapshot=snapshot,
            is_current=snapshot.id == vm.current_snapshot_id,
            part=_part(snapshot.size_bytes, largest),
            findings=found.get(snapshot.id, ()),
        )


def _part(size: int | None, largest: int) -> float | None:
    return size / largest if size is not None and largest else None
