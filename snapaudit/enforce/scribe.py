"""Scribe: writes down what happens to one action, and tells whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from snapaudit.enforce.chain import Resolution
from snapaudit.enforce.ground import Ground
from snapaudit.enforce.record import draft, intent_detail
from snapaudit.enforce.verify import Footing
from snapaudit.model.acting import Call, Watched
from snapaudit.model.journal import Detail, Event
from snapaudit.model.outcome import Merging, Outcome
from snapaudit.model.plan import Action, Guard


@dataclass(slots=True)
class Scribe:
    """The journal's entries of one action, and its outcome; ``outcome`` None: it has not ended."""

    ground: Ground
    action: Action
    started_at: datetime
    task_id: str | None = None
    outcome: Outcome | None = None

    def mean(self, call: Call, before: Footing | None) -> None:
        """A call is about to be made."""
        self._write(Event.INTENT, intent_detail(self.action, call, before))

    def sent(self, call: Call, task_id: str | None) -> None:
        """It was made."""
        self.task_id = task_id
        self._write(Event.SUBMITTED, {"call": call.name}, task_id)
        self.tell(call.name)

    def resolve(self, outcome: Resolution, reason: str, *, unsent: int = 0) -> None:
        """What a look showed of the calls so far; ``unsent``: the last was never made."""
        told: Detail = {"outcome": str(outcome), "reason": reason, "by": "reading"}
        self._write(Event.RESOLVED, {**told, "unsent": unsent})

    def end(
        self, event: Event, reason: str, guard: Guard | None = None, freed: int | None = None
    ) -> None:
        """The action has ended."""
        named: Detail = {} if guard is None else {"guard": str(guard)}
        self._write(event, {"reason": reason, "freed_bytes": freed, **named}, self.task_id)
        self.settle(event, reason, guard, freed)

    def settle(
        self,
        event: Event,
        reason: str,
        guard: Guard | None = None,
        freed: int | None = None,
        *,
        goes_on: bool = False,
    ) -> Outcome:
        """The action has ended for this run; the journal says already all that can be said."""
        outcome = self.outcome = Outcome(
            action=self.action,
            event=event,
            guard=guard,
            reason=reason,
            freed_bytes=freed,
            started_at=self.started_at,
            finished_at=self.ground.clock.now(),
            task_id=self.task_id,
            goes_on=goes_on,
        )
        self.tell(str(event))
        return outcome

    def _write(self, event: Event, detail: Detail, task_id: str | None = None) -> None:
        self.ground.journal.append(draft(self.ground.run_id, self.action, event, detail, task_id))

    def tell(self, phase: str, watched: Watched | None = None) -> None:
        """A sign of life."""
        self.ground.tell(
            Merging(
                action_id=self.action.id,
                endpoint=self.action.endpoint,
                vm_name=self.action.vm_name,
                snapshot_name=self.action.snapshot_name,
                datastore=self.ground.datastore_name(self.action),
                phase=phase,
                done_bytes=watched.done_bytes if watched is not None else None,
                total_bytes=watched.total_bytes if watched is not None else None,
            )
        )
