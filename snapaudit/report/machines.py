"""Machines: the snapshot trees of the machines with findings, ready to be drawn line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from snapaudit.model.finding import Finding
from snapaudit.model.inventory import Snapshot, VirtualMachine
from snapaudit.model.policy import Severity
from snapaudit.report.limbs import Limb, limbs
from snapaudit.report.rows import Row
from snapaudit.report.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One snapshot in its tree; ``limb`` is its piece of the picture."""

    limb: Limb
    snapshot: Snapshot
    is_current: bool
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity | None:
        """That of the worst finding that nobody accepted."""
        grades = (one.severity for one in self.findings if one.exemption is None)
        return max(grades, key=lambda grade: grade.rank, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine with its snapshot tree, parents before children.

    ``severity`` is that of its worst finding; None: all of them are accepted.
    """

    endpoint: str
    vm: VirtualMachine
    severity: Severity | None
    lines: tuple[Line, ...]

    @property
    def lanes(self) -> int:
        """How wide the picture of its tree is."""
        return max(line.limb.lanes for line in self.lines)


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
                severity=None if first.is_accepted else first.severity,
                lines=tuple(_lines(vm, found)),
            )


def _lines(vm: VirtualMachine, found: dict[str, tuple[Finding, ...]]) -> Iterator[Line]:
    for limb in limbs(vm.snapshots):
        snapshot = limb.snapshot
        yield Line(
            limb=limb,
            snapshot=snapshot,
            is_current=snapshot.id == vm.current_snapshot_id,
            findings=found.get(snapshot.id, ()),
        )
