"""Outcome: what became of a plan's actions, and how far the one under way has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.model.journal import Event
from snapaudit.model.plan import Action, Guard

RUN_SCHEMA = "snapaudit/run@1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one action ended: ``done``, ``failed``, ``refused``, ``already_gone`` or ``unknown``.

    ``guard`` only when one refused it. ``reason`` is a sentence, empty when it is done and there is
    nothing to say. ``freed_bytes`` is what was seen to come back, None when it was not measured.
    ``goes_on``: it is half done, and applying the same plan again goes on with it.
    """

    action: Action
    event: Event
    guard: Guard | None
    reason: str
    freed_bytes: int | None
    started_at: datetime
    finished_at: datetime
    task_id: str | None
    goes_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything one run did.

    ``settled`` are sentences: what reconciling found of earlier runs. ``not_started`` are the
    actions that were to be applied and whose turn never came, ``stopped_because`` why. Actions the
    reviewer skips are in neither. ``journal_head`` is the last hash, to be written down elsewhere.
    """

    schema: str = RUN_SCHEMA
    run_id: str
    plan_id: str
    started_at: datetime
    finished_at: datetime
    outcomes: tuple[Outcome, ...]
    not_started: tuple[Action, ...]
    stopped_because: str | None
    settled: tuple[str, ...]
    journal_head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """One sign of life of an action under way.

    ``phase`` is a word for people (``observing``, ``merging``, ``verifying``), or the event that
    ended the action. Bytes are None where the platform does not tell; ``rate_bytes`` is per second.
    """

    action_id: str
    endpoint: str
    vm_name: str
    snapshot_name: str | None
    datastore: str | None
    phase: str
    done_bytes: int | None
    total_bytes: int | None
    rate_bytes: float | None = None
    left: timedelta | None = None
