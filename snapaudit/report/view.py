"""View: what all formats for people say about an audit, in their common order."""

from __future__ import annotations

from dataclasses import dataclass

from snapaudit.model.check import Check, verdict
from snapaudit.model.finding import Audit, Purpose
from snapaudit.model.policy import Severity
from snapaudit.report.headline import Caution, cautions, not_seen
from snapaudit.report.lookup import Lookup
from snapaudit.report.rows import Question, Row, fold, fold_questions
from snapaudit.report.stores import Store, endangered_first


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """Something that could not be read, or not be trusted, and why."""

    endpoint: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An audit, folded and put in order.

    ``blind`` are the endpoints that are not complete, in words; ``cautions`` is what every reader
    has to know of an endpoint.
    ``gaps`` could not be read this time, ``doubts`` may be old, ``never_seen`` is out of sight of
    the platform's way of reading.
    """

    audit: Audit
    check: Check
    lookup: Lookup
    blind: tuple[str, ...]
    cautions: tuple[Caution, ...]
    stores: tuple[Store, ...]
    rows: tuple[Row, ...]
    questions: tuple[Question, ...]
    gaps: tuple[Blind, ...]
    doubts: tuple[Blind, ...]
    never_seen: tuple[Blind, ...]

    def of(self, severity: Severity) -> tuple[Row, ...]:
        """The rows of one severity, what gives most back first; none that is wholly accepted."""
        return tuple(row for row in self.rows if row.severity is severity and not row.is_accepted)

    @property
    def accepted(self) -> tuple[Row, ...]:
        """The rows of which every finding is accepted."""
        return tuple(row for row in self.rows if row.is_accepted)

    @property
    def suspects(self) -> tuple[Purpose, ...]:
        """Snapshots that seem to stand in for a backup, the surest first."""
        found = [one for one in self.audit.purposes if one.purpose == "makeshift_backup"]
        return tuple(
            sorted(found, key=lambda one: (-one.score, one.endpoint, one.vm_id, one.snapshot_id))
        )


def view(audit: Audit) -> View:
    """Everything a format for people needs; the same audit gives the same view."""
    lookup = Lookup(audit.inventories)
    return View(
        audit=audit,
        check=verdict(audit),
        lookup=lookup,
        blind=not_seen(audit.coverage),
        cautions=cautions(audit.coverage),
        stores=endangered_first(audit),
        rows=fold(audit.findings, lookup),
        questions=fold_questions(audit.undetermined),
        gaps=_gaps(audit),
        doubts=_doubts(audit),
        never_seen=_never_seen(audit),
    )


def _gaps(audit: Audit) -> tuple[Blind, ...]:
    return tuple(
        Blind(endpoint=inventory.endpoint, subject=gap.subject, reason=gap.reason)
        for inventory in audit.inventories
        for gap in inventory.gaps
    )


def _never_seen(audit: Audit) -> tuple[Blind, ...]:
    return tuple(
        Blind(endpoint=inventory.endpoint, subject=inventory.hypervisor, reason=spot)
        for inventory in audit.inventories
        for spot in inventory.blind_spots
    )


def _doubts(audit: Audit) -> tuple[Blind, ...]:
    """Datastores whose file list may be old, or that no host can reach."""
    found: list[Blind] = []
    for inventory in audit.inventories:
        for store in inventory.datastores:
            reason = store.stale_reason
            if not store.accessible:
                found.append(_doubt(inventory.endpoint, store.name, "it is not accessible"))
            if reason is not None:
                text = f"the list of its files may be old: {reason}"
                found.append(_doubt(inventory.endpoint, store.name, text))
    return tuple(found)


def _doubt(endpoint: str, name: str, reason: str) -> Blind:
    return Blind(endpoint=endpoint, subject=f"datastore {name}", reason=reason)
