"""xlsx: an audit as a workbook to sort and filter; one sheet for each kind of record."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import xlsxwriter

from snapaudit.model.finding import Audit, Finding, Purpose
from snapaudit.model.inventory import Snapshot, VirtualMachine
from snapaudit.report.escape import xlsx_text
from snapaudit.report.headline import label, method, seen, sentence, space
from snapaudit.report.phrases import evidences, words
from snapaudit.report.rows import subject_name
from snapaudit.report.view import View, view

_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_GIB = 2**30
_Cell = str | int | float | datetime | None
_Row = tuple[_Cell, ...]


def render(audit: Audit) -> bytes:
    """The workbook; sizes are GiB, unknown is an empty cell, times are UTC.

    Its creation date is that of the audit, so that equal audits give equal bytes.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        book.set_properties({"title": "Snapshot audit", "created": _naive(audit.audited_at)})
        seen_view = view(audit)
        writer = _Writer(book)
        writer.sheet("Findings", _findings(seen_view))
        writer.sheet("Snapshots", _snapshots(audit))
        writer.sheet("Datastores", _datastores(seen_view))
        writer.sheet("Coverage", _coverage(seen_view))
        writer.sheet("Undetermined", _undetermined(audit))
    return out.getvalue()


def _naive(at: datetime) -> datetime:
    """Sheets know no time zones; all our times are UTC."""
    return at.replace(tzinfo=None)


class _Writer:
    """Sheets of one workbook, all of the same looks."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EEF2"})
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self._number = book.add_format({"num_format": "#,##0.0"})

    def sheet(self, name: str, rows: Iterable[_Row]) -> None:
        """A sheet whose first row is its head, fixed and with filters."""
        sheet = self._book.add_worksheet(name)
        number = width = 0
        for number, row in enumerate(rows):
            width = max(width, len(row))
            for column, cell in enumerate(row):
                self._write(sheet, number, column, cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, number, width - 1)
        sheet.set_column(0, width - 1, 18)

    def _write(self, sheet: Any, row: int, column: int, cell: _Cell) -> None:
        match cell:
            case None:
                return
            case str():
                sheet.write_string(row, column, xlsx_text(cell), None if row else self._head)
            case datetime():
                sheet.write_datetime(row, column, _naive(cell), self._time)
            case float():
                sheet.write_number(row, column, cell, self._number)
            case int():
                sheet.write_number(row, column, cell)


def _gib(number: int | None) -> float | None:
    return None if number is None else round(number / _GIB, 3)


def _findings(seen_view: View) -> Iterator[_Row]:
    yield (
        "Severity", "Rule", "Endpoint", "Kind", "VM", "Subject", "Evidence", "Gives back min GiB",
        "Gives back max GiB", "Remedy", "Protected", "Exempt", "VM id", "Subject id", "Fingerprint",
        "May be acted on from (UTC)",
    )  # fmt: skip
    for row in seen_view.rows:
        low = None if row.gain is None else _gib(row.gain.min)
        high = None if row.gain is None else _gib(row.gain.max)
        for one in row.findings:
            yield (*_about(one), low, high, *_rest(one, " | ".join(row.protections)))


def _about(one: Finding) -> _Row:
    subject = one.subject
    place = (subject.endpoint, words(subject.kind), subject.vm_name, subject.name)
    return (one.severity, one.rule, *place, evidences(one.evidence))


def _rest(one: Finding, protections: str) -> _Row:
    ids = (one.subject.vm_id, one.subject.id, one.fingerprint)
    return (one.remedy, protections or None, one.exemption, *ids, one.due_at)


def _snapshots(audit: Audit) -> Iterator[_Row]:
    yield (
        "Endpoint", "VM", "Snapshot", "Kind", "Taken (UTC)", "Age days", "Size GiB", "Pinned GiB",
        "Gives back min GiB", "Gives back max GiB", "Memory", "Current", "Creator", "Description",
        "Purpose", "Score", "Protected", "VM id", "Snapshot id", "Parent id",
    )  # fmt: skip
    purposes = {(one.endpoint, one.vm_id, one.snapshot_id): one for one in audit.purposes}
    for inventory in audit.inventories:
        for vm in inventory.virtual_machines:
            for snapshot in vm.snapshots:
                purpose = purposes.get((inventory.endpoint, vm.id, snapshot.id))
                yield (
                    inventory.endpoint,
                    *_measured(vm, snapshot, audit.audited_at),
                    *_told(vm, snapshot, purpose),
                )


def _measured(vm: VirtualMachine, snapshot: Snapshot, now: datetime) -> _Row:
    taken, gain = snapshot.created_at, snapshot.reclaimable_bytes
    age = None if taken is None else round((now - taken).total_seconds() / 86400, 1)
    sizes = map(_gib, (snapshot.size_bytes, snapshot.pinned_bytes, gain.min, gain.max))
    return (vm.name, snapshot.name, snapshot.kind, taken, age, *sizes)


def _told(vm: VirtualMachine, snapshot: Snapshot, purpose: Purpose | None) -> _Row:
    memory = None if snapshot.has_memory is None else _yes(snapshot.has_memory)
    current = _yes(snapshot.id == vm.current_snapshot_id)
    about = (memory, current, snapshot.creator, snapshot.description or None)
    use = (words(purpose.purpose), purpose.score) if purpose else (None, None)
    protections = " | ".join((*snapshot.protections, *vm.protections)) or None
    return (*about, *use, protections, vm.id, snapshot.id, snapshot.parent_id)


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _datastores(seen_view: View) -> Iterator[_Row]:
    yield (
        "Endpoint", "Datastore", "Kind", "Capacity GiB", "Free GiB", "Full %",
        "Held by snapshots GiB, at least", "Held exactly known", "Findings", "Accessible",
        "File list may be old", "Id",
    )  # fmt: skip
    for store in seen_view.stores:
        data, full = store.datastore, store.fill_ratio
        yield (
            store.endpoint,
            data.name,
            data.kind,
            _gib(data.capacity_bytes),
            _gib(data.free_bytes),
            None if full is None else round(full * 100, 1),
            _gib(store.held.min),
            _yes(store.held.max is not None),
            ", ".join(f"{one.severity}: {one.rule}" for one in store.findings) or None,
            _yes(data.accessible),
            data.stale_reason,
            data.id,
        )


def _coverage(seen_view: View) -> Iterator[_Row]:
    yield ("Endpoint", "State", "VMs", "Snapshots", "Subject", "Reason")
    audit, check = seen_view.audit, seen_view.check
    for one in audit.coverage:
        yield (one.endpoint, one.state, one.virtual_machines, one.snapshots, None, one.reason)
    for gap in seen_view.gaps:
        yield (gap.endpoint, "not read", None, None, gap.subject, gap.reason)
    for doubt in seen_view.doubts:
        yield (doubt.endpoint, "with care", None, None, doubt.subject, doubt.reason)
    for blind in seen_view.never_seen:
        yield (blind.endpoint, "never seen", None, None, blind.subject, blind.reason)
    for caution in seen_view.cautions:
        yield (caution.endpoint, caution.word, None, None, None, caution.sentence)
    for spot in seen_view.blind:
        yield (None, "not seen", None, None, None, spot)
    for line in (f"{label(check.status)}: {sentence(check)}", seen(audit), space(audit)):
        yield (None, "summary", None, None, None, line)
    yield (None, "method", None, None, None, method(audit))


def _undetermined(audit: Audit) -> Iterator[_Row]:
    yield ("Rule", "Endpoint", "Kind", "Subject", "Unknown fact", "Reason", "VM id", "Subject id")
    for one in audit.undetermined:
        subject = one.subject
        place = (subject.endpoint, words(subject.kind), subject_name(subject))
        yield (one.rule, *place, words(one.fact), one.reason, subject.vm_id, subject.id)
