"""xlsx: the week as a workbook. Its first sheet is RVTools' vSnapshot, the others say what is ours.

Sizes on the other sheets are GiB, times UTC; an empty cell is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.model.weekly import ListedSnapshot, WeeklyReport
from snapaudit.report.headline import cautions, label, sentence
from snapaudit.report.phrases import evidences, words
from snapaudit.report.weekly import picks, rvtools
from snapaudit.report.weekly.words import (
    LABELS,
    after,
    certainty,
    difference,
    fill,
    forecast,
    lead,
    number,
    owner,
)
from snapaudit.report.workbook import Row, gib, workbook, yes


def render(report: WeeklyReport) -> bytes:
    """The workbook; equal reports give equal bytes."""
    sheets = {
        rvtools.SHEET: rvtools.rows(report),
        "Week": _week(report),
        "Changes": _changes(report),
        "Datastores": _datastores(report),
        "Snapshots": _snapshots(report),
        "Besides": _beside(report),
        "Owners": _owners(report),
        "Cleaning up": _deeds(report),
        "Exemptions and holds": _allowances(report),
        "Coverage and method": _method(report),
    }
    return workbook("Weekly snapshot report", report.reported_at, sheets)


def _week(report: WeeklyReport) -> Iterator[Row]:
    yield ("What", "Now", "A week ago", "Change")
    yield ("Verdict", label(report.check.status), None, sentence(report.check))
    for one in report.numbers:
        before = number(one, one.previous) if one.previous is not None else None
        yield (LABELS[one.name], number(one, one.value), before, difference(one))
    for line in (*lead(report), *report.remarks):
        yield ("Note", line)


def _changes(report: WeeklyReport) -> Iterator[Row]:
    yield (
        "Change", "Endpoint", "Kind", "VM", "Subject", "Rules", "Size GiB", "Before GiB", "VM id",
        "Subject id",
    )  # fmt: skip
    diff = report.changes
    if diff is None:
        return
    groups = (
        ("new", diff.new),
        ("worse", diff.worse),
        ("resolved", diff.resolved),
        ("grown", diff.grown),
        ("back", diff.back),
    )
    for word, found in groups:
        for one in found:
            about = one.subject
            place = (about.endpoint, words(about.kind), about.vm_name, about.name)
            sizes = (gib(one.size_bytes), gib(one.previous_size_bytes))
            yield (word, *place, ", ".join(one.rules) or None, *sizes, about.vm_id, about.id)
    for unseen in diff.unseen:
        yield ("unseen", unseen.endpoint, None, None, None, unseen.reason)


def _datastores(report: WeeklyReport) -> Iterator[Row]:
    yield (
        "Endpoint", "Datastore", "Capacity GiB", "Free GiB", "Full %", "Forecast", "Days early",
        "Days likely", "Days late", "Held GiB, at least", "Gives back GiB min",
        "Gives back GiB max", "Sure", "Then full in", "Samples", "Findings", "Id",
    )  # fmt: skip
    for one in report.stores:
        full = fill(one)
        days = one.forecast.days_to_full if one.forecast is not None else None
        span = (days.early, days.likely, days.late) if days is not None else (None, None, None)
        yield (
            one.endpoint,
            one.name,
            gib(one.capacity_bytes),
            gib(one.free_bytes),
            None if full is None else round(full * 100, 1),
            forecast(one.forecast),
            *span,
            gib(one.held.min),
            gib(one.back.min),
            gib(one.back.max),
            certainty(one.back),
            after(one),
            one.forecast.samples if one.forecast is not None else None,
            ", ".join(f"{each.severity}: {each.rule}" for each in one.findings) or None,
            one.id,
        )


def _snapshots(report: WeeklyReport) -> Iterator[Row]:
    yield (
        "Endpoint", "VM", "Snapshot", "Owner", "Owner from", "Taken (UTC)", "Age days", "Size GiB",
        "Depth", "Snapshots on VM", "Current", "Memory", "Worst", "Findings", "Why",
        "Gives back GiB min", "Gives back GiB max", "Sure", "Offered", "Due (UTC)", "Purpose",
        "Score", "Protected", "Exempt", "VM id", "Snapshot id", "Parent id",
    )  # fmt: skip
    for one in report.snapshots:
        shot, gain = one.snapshot, one.snapshot.reclaimable_bytes
        taken = shot.created_at
        age = None if taken is None else (report.reported_at - taken).total_seconds() / 86400
        yield (
            one.home.endpoint,
            one.home.vm_name,
            shot.name,
            one.owner.name,
            one.owner.source,
            taken,
            None if age is None else round(age, 1),
            gib(shot.size_bytes),
            one.depth,
            one.home.snapshots,
            yes(one.is_current),
            None if shot.has_memory is None else yes(shot.has_memory),
            *_judged(one),
            gib(gain.min),
            gib(gain.max),
            certainty(gain),
            yes(one.is_offered),
            one.due_at,
            words(one.purpose) if one.purpose else None,
            one.score,
            " | ".join(one.protections) or None,
            " | ".join(each.exemption for each in one.findings if each.exemption) or None,
            one.home.vm_id,
            shot.id,
            shot.parent_id,
        )


def _judged(one: ListedSnapshot) -> Row:
    rules = ", ".join(each.rule for each in one.findings)
    why = " | ".join(evidences(each.evidence) for each in one.findings)
    return (str(one.severity) if one.severity else None, rules or None, why or None)


def _beside(report: WeeklyReport) -> Iterator[Row]:
    yield ("Severity", "Rule", "Endpoint", "Kind", "VM", "Subject", "Evidence", "Subject id")
    for subject, found in picks.beside(report):
        for one in found:
            place = (subject.endpoint, words(subject.kind), subject.vm_name, subject.name)
            yield (one.severity, one.rule, *place, evidences(one.evidence), subject.id)


def _owners(report: WeeklyReport) -> Iterator[Row]:
    yield (
        "Owner", "From", "Machines", "Snapshots", "Held GiB", "Unknown sizes", "Oldest (UTC)",
        "Worst", "Gives back GiB min", "Gives back GiB max", "Sure",
    )  # fmt: skip
    for one in report.owners:
        yield (
            owner(one),
            ", ".join(one.sources),
            one.virtual_machines,
            one.snapshots,
            gib(one.size_bytes),
            one.unknown_sizes,
            one.oldest_at,
            str(one.severity) if one.severity else None,
            gib(one.back.min),
            gib(one.back.max),
            certainty(one.back),
        )


def _deeds(report: WeeklyReport) -> Iterator[Row]:
    yield ("At (UTC)", "How it ended", "Endpoint", "VM", "Snapshot", "Came back GiB", "Why", "Plan")
    for one in report.deeds:
        place = (one.endpoint, one.vm_name, one.snapshot_name)
        yield (
            one.at, words(one.event), *place, gib(one.freed_bytes), one.reason or None, one.plan_id
        )  # fmt: skip
    for due in picks.due(report):
        home, shot = due.home, due.snapshot
        yield (due.due_at, "due from then on", home.endpoint, home.vm_name, shot.name)


def _allowances(report: WeeklyReport) -> Iterator[Row]:
    yield ("Kind", "Id", "Covers", "Owner", "Reason", "Ends (UTC)", "Standing", "Findings")
    for one in picks.attention(report):
        about = (one.kind, one.id, one.covers, one.owner, one.reason)
        yield (*about, one.expires_at, str(one.standing), one.uses)


def _method(report: WeeklyReport) -> Iterator[Row]:
    yield ("What", "Endpoint", "Subject", "Said")
    for one in report.check.coverage:
        counts = f"{one.virtual_machines} virtual machines, {one.snapshots} snapshots"
        yield ("coverage", one.endpoint, one.state, one.reason or counts)
    for caution in cautions(report.check.coverage):
        yield (caution.word, caution.endpoint, None, caution.sentence)
    for seen in report.unseen:
        for gap in seen.gaps:
            yield ("not read", seen.endpoint, gap.subject, gap.reason)
        for doubt in seen.doubts:
            yield ("with care", seen.endpoint, doubt.subject, doubt.reason)
        for spot in seen.blind_spots:
            yield ("never seen", seen.endpoint, None, spot)
    for question in report.undetermined:
        about = question.subject
        yield ("undecided", about.endpoint, about.name, f"{question.rule}: {question.reason}")
    method = report.method
    yield ("method", None, "rules in force", method.rules)
    yield ("method", None, "switched off", ", ".join(method.disabled_rules) or "none")
    yield ("method", None, "policy digest", method.rules_digest or None)
    yield ("method", None, "tool", f"snapaudit {method.tool_version}")
    yield ("method", None, "runs remembered", method.runs)
    yield ("method", None, "held by snapshots", method.held_basis)
    yield ("method", None, "what comes back", method.back_basis)
