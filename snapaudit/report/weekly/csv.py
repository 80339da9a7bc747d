"""CSV: one row a snapshot with its owner, what was found about it and what it gives back."""

from __future__ import annotations

import csv
import io

from snapaudit.model.inventory import CoverageState
from snapaudit.model.weekly import ListedSnapshot, WeeklyReport
from snapaudit.report.escape import csv_cell
from snapaudit.report.phrases import evidences
from snapaudit.report.weekly import picks
from snapaudit.report.weekly.words import certainty

HEADER = (
    "severity", "rules", "endpoint", "vm_id", "vm_name", "snapshot_id", "snapshot_name", "owner",
    "owner_source", "created_at", "size_bytes", "depth", "snapshots_on_vm", "reclaimable_min_bytes",
    "reclaimable_max_bytes", "certainty", "offered", "due_at", "purpose", "score", "protections",
    "exemptions", "evidence",
)  # fmt: skip
_Cell = str | int | None


def render(report: WeeklyReport) -> bytes:
    """A header and a row for each snapshot; text is quoted, numbers are bare, unknown is empty.

    An endpoint that was not seen whole has a row of severity ``unknown`` with its state as rule and
    the reason as evidence; what was found besides snapshots has rows without a snapshot.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(HEADER)
    for row in (*_unseen(report), *_beside(report), *map(_row, report.snapshots)):
        writer.writerow(csv_cell(cell) if isinstance(cell, str) else cell for cell in row)
    return out.getvalue().encode()


def _unseen(report: WeeklyReport) -> list[tuple[_Cell, ...]]:
    found = [one for one in report.check.coverage if one.state is not CoverageState.COMPLETE]
    return [
        _about("unknown", f"endpoint-{one.state}", one.endpoint, None, None, one.reason or "")
        for one in found
    ]


def _beside(report: WeeklyReport) -> list[tuple[_Cell, ...]]:
    return [
        _about(
            str(one.severity), one.rule, subject.endpoint, subject.vm_id, subject.vm_name,
            f"{subject.name}: {evidences(one.evidence)}",
        )
        for subject, found in picks.beside(report)
        for one in found
    ]  # fmt: skip


def _about(
    severity: str, rule: str, endpoint: str, vm_id: _Cell, vm_name: _Cell, evidence: str
) -> tuple[_Cell, ...]:
    named = (severity, rule, endpoint, vm_id, vm_name)
    return (*named, *[None] * (len(HEADER) - len(named) - 1), evidence)


def _row(one: ListedSnapshot) -> tuple[_Cell, ...]:
    shot, gain = one.snapshot, one.snapshot.reclaimable_bytes
    exempt = (f"{each.rule}: {each.exemption}" for each in one.findings if each.exemption)
    return (
        str(one.severity) if one.severity else None,
        " | ".join(each.rule for each in one.findings),
        one.home.endpoint,
        one.home.vm_id,
        one.home.vm_name,
        shot.id,
        shot.name,
        one.owner.name,
        one.owner.source,
        None if shot.created_at is None else f"{shot.created_at:%Y-%m-%dT%H:%M:%SZ}",
        shot.size_bytes,
        one.depth,
        one.home.snapshots,
        None if gain.max is None and not gain.min else gain.min,
        gain.max,
        certainty(gain),
        "yes" if one.is_offered else "no",
        None if one.due_at is None else f"{one.due_at:%Y-%m-%dT%H:%M:%SZ}",
        one.purpose,
        one.score,
        " | ".join(one.protections),
        " | ".join(exempt),
        " | ".join(evidences(each.evidence) for each in one.findings),
    )
