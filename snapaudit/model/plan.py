"""Plan: which snapshots would be deleted, in which order and why, and what is refused and kept.

A plan is a file that a person reviews. Everything in it is an integer, a text, a list or a mapping,
so that its digest is the same whoever writes it down. Nothing in it can act.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from snapaudit.model.inventory import CoverageState
from snapaudit.model.policy import Remedy

PLAN_SCHEMA = "snapaudit/plan@1"

VmId = NewType("VmId", str)
SnapshotId = NewType("SnapshotId", str)


class Decision(StrEnum):
    """What the reviewer decides about an action."""

    APPLY = "apply"
    SKIP = "skip"


class Guard(StrEnum):
    """What can stand between an action and the act, by the names that refusals carry."""

    PROTECTED = "protected"
    HELD = "held"
    MIN_AGE = "min-age"
    WHOLE_VIEW = "whole-view"
    NOT_BUSY = "not-busy"
    ROOM_TO_MERGE = "room-to-merge"
    WITHIN_LIMITS = "within-limits"
    IN_WINDOW = "in-window"
    UNCHANGED = "unchanged"
    KNOWN_SIZE = "known-size"
    LINEAR_CHAIN = "linear-chain"
    VERIFIED_CONNECTION = "verified-connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """A number of bytes between two bounds; ``max`` None: no upper bound is known."""

    min: int
    max: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDisk:
    """The images of a disk's chain, base first."""

    label: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSnapshot:
    """Everything that tells this snapshot from any other, and its place in the tree.

    ``identity`` is the platform's own fingerprint where it has no permanent id.
    """

    id: SnapshotId
    name: str
    description: str
    kind: str
    created_at: datetime | None
    identity: str | None
    parent_id: str | None
    child_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The machine as it was when planned; what differs at the last look forbids the act.

    Actions of the same plan on the same machine that were carried out meanwhile are reckoned with.
    ``removes`` are the images that the action takes out of the chains.
    """

    manager_id: str
    vm_name: str
    snapshot: ExpectedSnapshot | None
    disks: tuple[ExpectedDisk, ...]
    removes: tuple[ExpectedDisk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One snapshot to delete, or one machine's unexplained deltas to consolidate.

    ``needs_bytes`` is the free space its merge may take while it runs, ``merges_bytes`` what it has
    to copy. ``datastore_ids`` are all it writes to; ``datastore_id`` is the first of them.
    """

    id: str
    kind: Remedy
    endpoint: str
    vm_id: VmId
    vm_name: str
    snapshot_id: SnapshotId | None
    snapshot_name: str | None
    expects: Expectation
    because: tuple[str, ...]
    frees_bytes: Bytes
    merges_bytes: int
    needs_bytes: int
    datastore_id: str | None
    datastore_ids: tuple[str, ...]
    host_id: str | None
    decision: Decision
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something a finding asks for and a guard forbids."""

    kind: Remedy
    endpoint: str
    vm_id: str
    vm_name: str
    snapshot_id: str | None
    snapshot_name: str | None
    guard: Guard
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A snapshot that no finding offers, and why not."""

    endpoint: str
    vm_id: str
    vm_name: str
    snapshot_id: str
    snapshot_name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Who was looked at when the plan was made, and how many ``snapshots`` there were.

    ``clock_skew_seconds`` None: not told.
    """

    endpoint: str
    hypervisor: str
    manager_id: str | None
    state: CoverageState
    reason: str | None
    collected_at: datetime
    clock_skew_seconds: int | None
    lab: str
    connection: str
    snapshots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLimits:
    """The limits the plan was made under, as people write them."""

    min_age: str
    max_actions: int
    max_share: str
    max_bytes: int
    min_free: str
    window: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """A limit that the plan is over: it cannot be applied until a person trims it."""

    limit: str
    allowed: int
    found: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A datastore before, at the worst moment of, and after the plan's actions on it.

    ``snapshots`` is how many there are on it, whatever the plan does.
    """

    endpoint: str
    id: str
    name: str
    snapshots: int = 0
    capacity_bytes: int | None
    free_bytes: int | None
    least_free_bytes: int | None
    free_after_bytes: Bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything one run would do, and everything it would not, each with its reason.

    ``snapshots`` is how many were seen in all, of which the actions are a share.
    """

    schema: str = PLAN_SCHEMA
    id: str
    planned_at: datetime
    expires_at: datetime
    author: str
    tool_version: str
    config_digest: str
    rules_digest: str
    managers: tuple[Manager, ...]
    limits: PlannedLimits
    actions: tuple[Action, ...]
    refusals: tuple[Refusal, ...]
    kept: tuple[Kept, ...]
    excess: tuple[Excess, ...]
    datastores: tuple[Outlook, ...]
    snapshots: int = 0
    reviewer: str | None = None
    reviewed_at: datetime | None = None
    digest: str = ""
