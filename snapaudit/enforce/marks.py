"""Marks: when a finding was first announced, so that it is acted on only after its rule's grace.

A lost mark costs time, never a snapshot: what is not known to have been announced is announced now.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from snapaudit.codec.strict import parse, pretty
from snapaudit.enforce.state import State, distrust, opened, read_all, store
from snapaudit.errors import InputError
from snapaudit.model.finding import Finding
from snapaudit.model.inventory import CoverageState, Inventory, Snapshot
from snapaudit.model.policy import Mode, Rule, SubjectKind

MARKS_SCHEMA = "snapaudit/marks@1"
MAX_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """When a finding was first announced, and of which endpoint it is."""

    endpoint: str
    announced_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """All marks, by the key of what was announced. ``unreadable`` says why they were lost."""

    entries: Mapping[str, Mark] = field(default_factory=dict)
    unreadable: str | None = None


def announce(
    findings: Sequence[Finding],
    marks: Marks,
    rules: Iterable[Rule],
    inventories: Sequence[Inventory],
    now: datetime,
) -> tuple[tuple[Finding, ...], Marks]:
    """The findings, with the moment when those of mode ``mark`` may be acted on, and the new marks.

    A mark of the future counts from now. The mark of a finding that is gone is forgotten once its
    endpoint was seen completely.
    """
    marking = {rule.id: rule for rule in rules if rule.mode is Mode.MARK}
    shots = _snapshots(inventories)
    told: list[Finding] = []
    kept: dict[str, Mark] = {}
    for finding in findings:
        rule = marking.get(finding.rule)
        if rule is None or finding.remedy is None or finding.exemption is not None:
            told.append(replace(finding, due_at=None, notice_at=None))
            continue
        key = _key(finding, shots)
        old = marks.entries.get(key)
        since = min(old.announced_at, now) if old is not None else now
        kept[key] = Mark(endpoint=finding.subject.endpoint, announced_at=since)
        told.append(_announced(finding, rule, since))
    return tuple(told), Marks(entries={**_unseen(marks, inventories), **kept})


def _announced(finding: Finding, rule: Rule, since: datetime) -> Finding:
    """The finding with the moment when it may be acted on, and when the last reminder begins."""
    due_at = since + (rule.grace or timedelta())
    notice_at = None if rule.notice is None else due_at - rule.notice
    return replace(finding, due_at=due_at, notice_at=notice_at)


def read_marks(state: State) -> Marks:
    """The marks of a state folder. Never raises: what cannot be read was never announced."""
    try:
        with opened(state.marks) as handle:
            complaint = distrust(os.fstat(handle))
            raw = read_all(handle, MAX_BYTES)
        if complaint is not None or len(raw) > MAX_BYTES:
            raise InputError(str(state.marks), complaint or "is larger than 64 MiB")
        return Marks(entries=dict(_entries(parse(raw, str(state.marks)), str(state.marks))))
    except FileNotFoundError:
        return Marks()
    except (InputError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Marks(unreadable=f"every grace period begins anew: {reason}")


def write_marks(state: State, marks: Marks) -> None:
    """Keep the marks for the next run. Raises SnapauditError."""
    entries = {
        key: {"endpoint": mark.endpoint, "announced_at": mark.announced_at.isoformat()}
        for key, mark in sorted(marks.entries.items())
    }
    store(state.marks, pretty({"schema": MARKS_SCHEMA, "marks": entries}))


def _entries(document: Mapping[str, Any], source: str) -> Iterator[tuple[str, Mark]]:
    found = document.get("marks")
    if document.get("schema") != MARKS_SCHEMA or not isinstance(found, dict):
        raise InputError(source, f"expected schema {MARKS_SCHEMA!r} and an object under 'marks'")
    for key, entry in found.items():
        mark = _mark(entry)
        if mark is not None:
            yield key, mark


def _mark(entry: object) -> Mark | None:
    found = entry if isinstance(entry, dict) else {}
    endpoint = found.get("endpoint")
    try:
        at = datetime.fromisoformat(str(found.get("announced_at")))
        if at.tzinfo is None or not isinstance(endpoint, str):
            return None
        return Mark(endpoint=endpoint, announced_at=at.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


_Place = tuple[str, str | None, str]


def _snapshots(inventories: Iterable[Inventory]) -> dict[_Place, Snapshot]:
    return {
        (inventory.endpoint, vm.id, shot.id): shot
        for inventory in inventories
        for vm in inventory.virtual_machines
        for shot in vm.snapshots
    }


def _key(finding: Finding, shots: Mapping[_Place, Snapshot]) -> str:
    """What was announced: not a snapshot of that name, but this one."""
    subject = finding.subject
    parts = [finding.fingerprint]
    if subject.kind is SubjectKind.SNAPSHOT:
        shot = shots.get((subject.endpoint, subject.vm_id, subject.id))
        created_at = shot.created_at if shot is not None else None
        parts += [created_at.astimezone(UTC).isoformat() if created_at else "unknown"]
        parts += [(shot.identity if shot is not None else None) or "none"]
    text = "\x1f".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _unseen(marks: Marks, inventories: Iterable[Inventory]) -> dict[str, Mark]:
    """The marks of endpoints whose findings may have gone only because they were not seen."""
    states = {inventory.endpoint: inventory.coverage.state for inventory in inventories}
    return {
        key: mark
        for key, mark in marks.entries.items()
        if states.get(mark.endpoint) is not CoverageState.COMPLETE
    }
