"""Case: all that the guards look at, for one action and one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.enforce.space import MergeSize
from snapaudit.model.acting import Abilities
from snapaudit.model.finding import Purpose
from snapaudit.model.inventory import Datastore, Inventory, Snapshot, VirtualMachine
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Expectation
from snapaudit.model.policy import Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One snapshot to delete (or, None, one machine to consolidate) as it is seen now.

    ``expected`` is None while planning: what is seen then is what will be expected. ``held`` says
    why it is held, ``unsettled`` what an earlier run left open on the machine. ``may_hold_memory``:
    the rule that asks for it means snapshots with memory too. ``is_named``: a person named this
    endpoint, so that a suspicious view of it is accepted.
    """

    kind: Remedy
    inventory: Inventory
    vm: VirtualMachine
    snapshot: Snapshot | None
    expected: Expectation | None
    size: MergeSize
    now: datetime
    limits: Limits
    abilities: Abilities
    held: str | None
    unsettled: str | None
    purpose: Purpose | None
    may_hold_memory: bool
    is_named: bool

    @property
    def manager_now(self) -> datetime:
        """The moment by the manager's own clock, which wrote the creation times."""
        return self.now + timedelta(seconds=self.inventory.clock_skew_seconds or 0.0)

    def datastore(self, datastore_id: str) -> Datastore | None:
        """A datastore of the endpoint."""
        return next((s for s in self.inventory.datastores if s.id == datastore_id), None)
