"""What the rules say about an inventory: findings, and what could not be decided."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.model.exemption import ExemptionStanding
from snapaudit.model.inventory import ByteRange, CoverageState, Inventory
from snapaudit.model.policy import Remedy, Severity, SubjectKind

AUDIT_SCHEMA = "snapaudit/audit@1"
FactValue = timedelta | int | float | bool | str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a finding is about. ``vm_id`` and ``vm_name`` only where a machine is concerned."""

    kind: SubjectKind
    endpoint: str
    id: str
    name: str
    vm_id: str | None = None
    vm_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The measured value that made a rule match, beside the bound it crossed."""

    fact: str
    value: FactValue
    operator: str
    bound: FactValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule matched one subject.

    ``exemption`` says who accepts it, until when and why. ``due_at`` is when it may be acted on,
    for a rule that announces first, and ``notice_at`` when the last reminder of that begins; None
    for all others.
    """

    rule: str
    severity: Severity
    subject: Subject
    evidence: tuple[Evidence, ...]
    remedy: Remedy | None
    fingerprint: str
    exemption: str | None = None
    due_at: datetime | None = None
    notice_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undetermined:
    """One rule could neither match nor pass, because a fact is unknown."""

    rule: str
    subject: Subject
    fact: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a snapshot seems to be for, with the reasons in words.

    ``score`` says from 0 to 100 how much it looks like a makeshift backup, whatever its purpose.
    ``product`` is the backup or replication product that its text names as at work, also where
    other words decided: it may have made the snapshot.
    """

    endpoint: str
    vm_id: str
    snapshot_id: str
    purpose: str
    score: int
    reasons: tuple[str, ...]
    product: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointCoverage:
    """How much of one endpoint was seen, in numbers.

    ``cautions`` are what every reader has to know of it, each ``word: sentence``.
    """

    endpoint: str
    state: CoverageState
    reason: str | None
    virtual_machines: int
    snapshots: int
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The numbers an administrator asks for first.

    Findings that an exemption accepts are counted as ``exempt`` alone, whatever their severity.
    ``snapshot_bytes`` adds up the sizes that are known; ``unknown_sizes`` counts the others.
    ``reclaimable_bytes`` is what deleting the snapshots that a finding offers, and that nothing
    protects or exempts, would give back; no byte counts twice.
    """

    info: int
    warning: int
    critical: int
    undetermined: int
    virtual_machines: int
    snapshots: int
    datastores: int
    snapshot_bytes: int
    unknown_sizes: int
    reclaimable_bytes: ByteRange
    rules: int
    disabled_rules: tuple[str, ...] = ()
    exempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything one audit says, with the inventories it rests on."""

    schema: str = AUDIT_SCHEMA
    audited_at: datetime
    coverage: tuple[EndpointCoverage, ...]
    summary: Summary
    findings: tuple[Finding, ...]
    undetermined: tuple[Undetermined, ...]
    purposes: tuple[Purpose, ...]
    inventories: tuple[Inventory, ...]
    exemptions: tuple[ExemptionStanding, ...] = ()


def fingerprint(rule: str, subject: Subject) -> str:
    """Identify a finding across runs: rule, endpoint and ids only, so renames do not change it."""
    parts = (rule, subject.endpoint, subject.kind, subject.vm_id or "", subject.id)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
