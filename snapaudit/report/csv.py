"""CSV: one row a finding, for sheets and scripts; endpoints with a gap get rows of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from snapaudit.model.finding import Audit, Finding
from snapaudit.model.inventory import CoverageState
from snapaudit.report.accepted import accepts, left, owner, selected, why
from snapaudit.report.escape import csv_cell
from snapaudit.report.lookup import Lookup
from snapaudit.report.phrases import evidences
from snapaudit.report.view import View, view

HEADER = (
    "severity", "rule", "endpoint", "subject_kind", "vm_id", "vm_name", "subject_id",
    "subject_name", "evidence", "reclaimable_min_bytes", "reclaimable_max_bytes", "remedy",
    "protections", "exemption", "fingerprint", "due_at",
)  # fmt: skip
_Row = tuple[str | int | None, ...]


def render(audit: Audit) -> bytes:
    """A header and one row a finding; text is quoted, numbers are bare, unknown is empty.

    ``due_at`` is when a marked finding may be acted on, in UTC; no other finding has one.

    What was not seen stands first, with the reason as evidence. Of severity ``unknown`` is an
    endpoint, with its state as rule (``endpoint-missing``), and an object that was ``not-read``. Of
    severity ``note`` is what may be old (``with-care``), what this way of reading never shows
    (``never-seen``), that an endpoint is a ``lab`` or its connection ``unverified``, and each
    ``exemption`` with what it accepts.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(HEADER)
    seen_view = view(audit)
    for row in _rows(seen_view):
        writer.writerow(csv_cell(cell) if isinstance(cell, str) else cell for cell in row)
    return out.getvalue().encode()


def _rows(seen_view: View) -> Iterator[_Row]:
    yield from _endpoint_rows(seen_view)
    yield from _blind_rows(seen_view)
    yield from _exemption_rows(seen_view.audit)
    yield from _finding_rows(seen_view)


def _exemption_rows(audit: Audit) -> Iterator[_Row]:
    for one in audit.exemptions:
        about = ("note", "exemption", None, "exemption", None, None, one.id, one.id)
        what = f"accepts {accepts(one)}: {', '.join(one.rules)} of {selected(one.selector)}"
        until = f"until {one.until} ({left(one, audit.audited_at)})"
        said = f"{what}; of {owner(one)} {until}: {why(one)}"
        yield (*about, said, *[None] * (len(HEADER) - len(about) - 1))


def _endpoint_rows(seen_view: View) -> Iterator[_Row]:
    coverage = seen_view.audit.coverage
    incomplete = [one for one in coverage if one.state is not CoverageState.COMPLETE]
    for one in incomplete:
        reason = one.reason or "no reason was given"
        yield _unseen("unknown", f"endpoint-{one.state}", one.endpoint, one.endpoint, reason)
    for spot in () if incomplete else seen_view.blind:
        yield _unseen("unknown", "endpoint-missing", "", "", spot)
    for caution in seen_view.cautions:
        where = caution.endpoint
        yield _unseen("note", caution.word, where, where, caution.sentence)


def _blind_rows(seen_view: View) -> Iterator[_Row]:
    groups = (
        ("unknown", "not-read", seen_view.gaps),
        ("note", "with-care", seen_view.doubts),
        ("note", "never-seen", seen_view.never_seen),
    )
    for severity, rule, found in groups:
        for one in found:
            yield _unseen(severity, rule, one.endpoint, one.subject, one.reason)


def _unseen(severity: str, rule: str, endpoint: str, subject: str, reason: str) -> _Row:
    about = (severity, rule, endpoint, "endpoint", None, None, endpoint, subject)
    return (*about, reason, *[None] * (len(HEADER) - len(about) - 1))


def _finding_rows(seen_view: View) -> Iterator[_Row]:
    return (_finding_row(finding, seen_view.lookup) for finding in seen_view.audit.findings)


def _finding_row(finding: Finding, lookup: Lookup) -> _Row:
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
        None if finding.due_at is None else f"{finding.due_at:%Y-%m-%dT%H:%M:%SZ}",
    )
