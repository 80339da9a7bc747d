"""Ground: all that a run stands on, handed to it so that a test can hand it something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from snapaudit.enforce.holds import Holds
from snapaudit.enforce.journal import Journal
from snapaudit.enforce.offers import Place
from snapaudit.model.acting import Abilities
from snapaudit.model.finding import Purpose
from snapaudit.model.limits import Limits
from snapaudit.model.outcome import Merging
from snapaudit.model.plan import Action, Plan
from snapaudit.ports import Actuator

STOPPED = "somebody asked to stop"


class Clock(Protocol):
    """Our own clock, and the patience to wait by it."""

    def now(self) -> datetime:
        """The present, aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what. ``watch``: a call under way. ``drain``: after a stop."""

    poll: timedelta = timedelta(seconds=0.5)
    watch: timedelta = timedelta(hours=24)
    settle: timedelta = timedelta(minutes=5)
    drain: timedelta = timedelta(minutes=10)
    look_again: timedelta = timedelta(seconds=5)
    lost_looks: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One run. ``actuators`` and ``abilities`` by endpoint.

    ``holds`` is read anew before each act, and ``exempt``, which says why an exemption keeps a
    place. ``objection`` says why nothing may be sent any more: the lock is lost, for one.
    ``offered``: what the rules still ask for on the fresh view; ``with_memory`` the part of it that
    a rule wants even with a machine's memory. ``gaps``: why the fresh view of an endpoint is not a
    whole one, which a look at a single machine may not show. ``stops`` tells how often somebody
    asked to stop.
    """

    run_id: str
    plan: Plan
    actuators: Mapping[str, Actuator]
    abilities: Mapping[str, Abilities]
    journal: Journal
    limits: Limits
    clock: Clock
    holds: Callable[[], Holds]
    action_of: Callable[[str, str], Action | None]
    offered: frozenset[Place]
    purposes: Mapping[Place, Purpose] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    with_memory: frozenset[Place] = frozenset()
    gaps: Mapping[str, str] = field(default_factory=dict)
    exempt: Callable[[Place], str | None] = lambda _place: None
    objection: Callable[[], str | None] = lambda: None
    stops: Callable[[], int] = lambda: 0
    tell: Callable[[Merging], None] = lambda _sign: None
    patience: Patience = field(default_factory=Patience)

    def place(self, action: Action) -> Place:
        """Where an action acts."""
        return (action.endpoint, action.vm_id, action.snapshot_id)

    def datastore_name(self, action: Action) -> str | None:
        """What people call the first datastore that an action writes to."""
        wanted = (action.endpoint, action.datastore_id)
        named = (one.name for one in self.plan.datastores if (one.endpoint, one.id) == wanted)
        return next(named, action.datastore_id)
