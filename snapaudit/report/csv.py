"""CSV: one row a finding, for sheets and scripts; endpoints with a gap get rows of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from snapaudit.model.finding import Audit, Finding
from snapaudit.model.inventory import CoverageState
from snapaudit.report.escape import csv_cell
from snapaudit.report.headline import not_seen
from snapaudit.report.lookup import Lookup
from snapaudit.report.phrases import evidences

HEADER = (
    "severity", "rule", "endpoint", "subject_kind", "vm_id", "vm_name", "subject_id",
    "subject_name", "evidence", "reclaimable_min_bytes", "reclaimable_max_bytes", "remedy",
    "protections", "exemption", "fingerprint",
)  # fmt: skip
_Cell = str | int | None


def render(audit: Audit) -> bytes:
    """A header and one row a finding; text is quoted, numbers are bare, unknown is empty.

    An endpoint that was not seen completely has a row with the severity ``unknown``, its state
    as rule and the reason as evidence.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(HEADER)
    for row in (*_blind_rows(audit), *_finding_rows(audit)):
        writer.writerow(csv_cell(cell) if isinstance(cell, str) else cell for cell in row)
    return out.getvalue().encode()


def _blind_rows(audit: Audit) -> Iterator[tuple[_Cell, ...]]:
    incomplete = [one for one in audit.coverage if one.state is not CoverageState.COMPLETE]
    for one in incomplete:
        yield _blind_row(one.state, one.endpoint, one.reason or "no reason was given")
    if not incomplete:
        for spot in not_seen(audit.coverage):
            yield _blind_row("missing", "", spot)


def _blind_row(state: str, endpoint: str, reason: str) -> tuple[_Cell, ...]:
    about = ("unknown", f"endpoint-{state}", endpoint, "endpoint", None, None, endpoint, endpoint)
    return (*about, reason, None, None, None, None, None, None)


def _finding_rows(audit: Audit) -> Iterator[tuple[_Cell, ...]]:
    lookup = Lookup(audit.inventories)
    return (_finding_row(finding, lookup) for finding in audit.findings)


def _finding_row(finding: Finding, lookup: Lookup) -> tuple[_Cell, ...]:
    subject, gain = finding.subject, lookup.gain(finding.subject)
    return (
        finding.severity,
        finding.rule,
        subject.endpoint,
        subject.kind,
        subject.vm_id,
        subject.vm_name,
        subject.id,
        subject.name,
        evidences(finding.evidence),
        None if gain is None or (gain.max is None and not gain.min) else gain.min,
        gain.max if gain else None,
        finding.remedy,
        " | ".join(lookup.protections(subject)),
        finding.exemption,
        finding.fingerprint,
    )
