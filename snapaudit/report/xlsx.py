"""xlsx: an audit as a workbook to sort and filter; one sheet for each kind of record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from snapaudit.model.finding import Audit, Finding, Purpose
from snapaudit.model.inventory import Snapshot, VirtualMachine
from snapaudit.report.accepted import selected
from snapaudit.report.headline import label, method, seen, sentence, space
from snapaudit.report.phrases import evidences, words
from snapaudit.report.rows import subject_name
from snapaudit.report.view import View, view
from snapaudit.report.workbook import Row, gib, workbook, yes


def render(audit: Audit) -> bytes:
    """The workbook; sizes are GiB, unknown is an empty cell, times are UTC."""
    seen_view = view(audit)
    sheets = {
        "Findings": _findings(seen_view),
        "Snapshots": _snapshots(audit),
        "Datastores": _datastores(seen_view),
        "Exemptions": _exemptions(audit),
        "Coverage": _coverage(seen_view),
        "Undetermined": _undetermined(audit),
    }
    return workbook("Snapshot audit", audit.audited_at, sheets)


def _findings(seen_view: View) -> Iterator[Row]:
    yield (
        "Severity", "Rule", "Endpoint", "Kind", "VM", "Subject", "Evidence", "Gives back min GiB",
        "Gives back max GiB", "Remedy", "Protected", "Exempt", "VM id", "Subject id", "Fingerprint",
        "May be acted on from (UTC)",
    )  # fmt: skip
    for row in seen_view.rows:
        low = None if row.gain is None else gib(row.gain.min)
        high = None if row.gain is None else gib(row.gain.max)
        for one in row.findings:
            yield (*_about(one), low, high, *_rest(one, " | ".join(row.protections)))


def _about(one: Finding) -> Row:
    subject = one.subject
    place = (subject.endpoint, words(subject.kind), subject.vm_name, subject.name)
    return (one.severity, one.rule, *place, evidences(one.evidence))


def _rest(one: Finding, protections: str) -> Row:
    ids = (one.subject.vm_id, one.subject.id, one.fingerprint)
    return (one.remedy, protections or None, one.exemption, *ids, one.due_at)


def _snapshots(audit: Audit) -> Iterator[Row]:
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


def _measured(vm: VirtualMachine, snapshot: Snapshot, now: datetime) -> Row:
    taken, gain = snapshot.created_at, snapshot.reclaimable_bytes
    age = None if taken is None else round((now - taken).total_seconds() / 86400, 1)
    sizes = map(gib, (snapshot.size_bytes, snapshot.pinned_bytes, gain.min, gain.max))
    return (vm.name, snapshot.name, snapshot.kind, taken, age, *sizes)


def _told(vm: VirtualMachine, snapshot: Snapshot, purpose: Purpose | None) -> Row:
    memory = None if snapshot.has_memory is None else yes(snapshot.has_memory)
    current = yes(snapshot.id == vm.current_snapshot_id)
    about = (memory, current, snapshot.creator, snapshot.description or None)
    use = (words(purpose.purpose), purpose.score) if purpose else (None, None)
    protections = " | ".join((*snapshot.protections, *vm.protections)) or None
    return (*about, *use, protections, vm.id, snapshot.id, snapshot.parent_id)


def _datastores(seen_view: View) -> Iterator[Row]:
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
            gib(data.capacity_bytes),
            gib(data.free_bytes),
            None if full is None else round(full * 100, 1),
            gib(store.held.min),
            yes(store.held.max is not None),
            ", ".join(f"{one.severity}: {one.rule}" for one in store.findings) or None,
            yes(data.accessible),
            data.stale_reason,
            data.id,
        )


def _exemptions(audit: Audit) -> Iterator[Row]:
    yield (
        "Exemption", "Rules", "Selects", "Owner", "Reason", "Ticket", "Created (UTC)",
        "Ends (UTC)", "Until", "State", "Days left", "Findings", "Stands in",
    )  # fmt: skip
    for one in audit.exemptions:
        days = round((one.ends_at - audit.audited_at).total_seconds() / 86400, 1)
        yield (
            one.id,
            ", ".join(one.rules),
            selected(one.selector),
            one.owner or None,
            one.reason,
            one.ticket,
            one.created_at,
            one.ends_at,
            one.until,
            one.state,
            max(days, 0.0),
            one.findings,
            one.place,
        )


def _coverage(seen_view: View) -> Iterator[Row]:
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


def _undetermined(audit: Audit) -> Iterator[Row]:
    yield ("Rule", "Endpoint", "Kind", "Subject", "Unknown fact", "Reason", "VM id", "Subject id")
    for one in audit.undetermined:
        subject = one.subject
        place = (subject.endpoint, words(subject.kind), subject_name(subject))
        yield (one.rule, *place, words(one.fact), one.reason, subject.vm_id, subject.id)
