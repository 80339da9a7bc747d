"""WeeklyReport: all that the Monday page says, made of the last run and of what came before it.

It stands beside the audit in the line: audit + history + journal + exemptions → *WeeklyReport* →
render. No renderer of it sees a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from snapaudit.model.check import Check
from snapaudit.model.finding import Finding, Undetermined
from snapaudit.model.history import Diff, Level
from snapaudit.model.inventory import ByteRange, Gap, PowerState, Snapshot
from snapaudit.model.owner import Owner
from snapaudit.model.past import DaysToFull, Forecast
from snapaudit.model.policy import Remedy, Severity

WEEKLY_SCHEMA = "snapaudit/weekly@1"


class KeyName(StrEnum):
    """The five numbers that stand for the whole, in their order."""

    CRITICAL = "critical-findings"
    WARNING = "warnings"
    SNAPSHOTS = "snapshots"
    HELD = "held-by-snapshots"
    RECLAIMABLE = "would-come-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number at one run; ``value`` None: that run could not tell."""

    at: datetime
    value: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNumber:
    """One key number now, at the run it is held against, and through the weeks, oldest first."""

    name: KeyName
    value: int | None
    previous: int | None
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOutlook:
    """One datastore: how full, where it is heading, and what deleting what is offered buys.

    ``back`` is what comes back on it; ``forecast_after`` the days to full once it has.
    ``levels`` are the runs that its picture is drawn from, oldest first.
    """

    endpoint: str
    id: str
    name: str
    capacity_bytes: int | None
    free_bytes: int | None
    accessible: bool
    held: ByteRange
    back: ByteRange
    forecast: Forecast | None
    forecast_after: DaysToFull | None
    findings: tuple[Finding, ...]
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The machine that a snapshot belongs to, and where it runs; None: not told."""

    endpoint: str
    hypervisor: str
    manager_id: str | None
    vm_id: str
    vm_name: str
    power_state: PowerState
    notes: str
    host: str | None
    cluster: str | None
    folder: str | None
    snapshots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSnapshot:
    """One snapshot with all that is known and said of it.

    ``depth`` is its place in the tree, 1 for a root. ``is_offered``: a finding asks to delete it,
    nobody accepted that, and nothing protects it. ``score``: how much it looks like a makeshift
    backup, 0 to 100.
    """

    home: Home
    snapshot: Snapshot
    depth: int
    is_current: bool
    owner: Owner
    severity: Severity | None
    findings: tuple[Finding, ...]
    purpose: str | None
    score: int | None
    reasons: tuple[str, ...]
    protections: tuple[str, ...]
    is_offered: bool

    @property
    def due_at(self) -> datetime | None:
        """When it may be deleted first, for what was announced and is offered."""
        days = [one.due_at for one in self.findings if one.due_at and one.exemption is None]
        return min(days) if days and self.is_offered else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerPart:
    """What one owner has: snapshots, bytes, and what comes back of those that are offered."""

    owner: str | None
    sources: tuple[str, ...]
    virtual_machines: int
    snapshots: int
    size_bytes: int
    unknown_sizes: int
    back: ByteRange
    severity: Severity | None
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """How one action of enforcement ended; ``freed_bytes`` None: not measured."""

    at: datetime
    plan_id: str
    kind: Remedy | None
    endpoint: str
    vm_name: str
    snapshot_name: str | None
    event: str
    reason: str
    freed_bytes: int | None


class Standing(StrEnum):
    """Whether an exemption or a hold still does what it was made for."""

    ACTIVE = "active"
    ENDING = "ending"
    EXPIRED = "expired"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """An exemption or a hold; ``expires_at`` None: until somebody takes it away."""

    kind: str
    id: str
    covers: str
    owner: str
    reason: str
    expires_at: datetime | None
    standing: Standing
    uses: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Something that was not, not fully or never seen, and why."""

    endpoint: str
    gaps: tuple[Gap, ...]
    doubts: tuple[Gap, ...]
    blind_spots: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """By what the page was made, so that a number can be asked where it comes from."""

    tool_version: str
    rules_digest: str
    rules: int
    disabled_rules: tuple[str, ...]
    runs: int
    first_run_at: datetime | None
    held_basis: str
    back_basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport:
    """The week in one record.

    ``reported_at`` is the moment of the last run, ``previous_at`` that of the run it is held
    against; None: there was none. ``remarks`` are sentences about the report itself: what it could
    not take into account.
    """

    schema: str = WEEKLY_SCHEMA
    reported_at: datetime
    previous_at: datetime | None
    check: Check
    virtual_machines: int
    unknown_sizes: int
    back: ByteRange
    numbers: tuple[KeyNumber, ...]
    changes: Diff | None
    stores: tuple[StoreOutlook, ...]
    snapshots: tuple[ListedSnapshot, ...]
    owners: tuple[OwnerPart, ...]
    deeds: tuple[Deed, ...]
    allowances: tuple[Allowance, ...]
    undetermined: tuple[Undetermined, ...]
    unseen: tuple[Unseen, ...]
    method: Method
    remarks: tuple[str, ...] = ()
