"""Stopping: a merge under way is taken back, because a person asked for it.

The tool never does so on its own (docs/safety.md, GRD-19). What it sends is written down like every
other call, and what has become of it is seen by looking again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from snapaudit.enforce.chain import Resolution
from snapaudit.enforce.course import Course
from snapaudit.enforce.ground import Clock, Patience
from snapaudit.enforce.identity import Standing
from snapaudit.enforce.journal import Journal
from snapaudit.enforce.record import calls_made, draft, footing_of, intent_detail
from snapaudit.enforce.verify import Seen, look
from snapaudit.errors import CallRefused, HypervisorError, JournalError, RefusedError
from snapaudit.model.acting import Call, Phase
from snapaudit.model.journal import Detail, Event
from snapaudit.model.plan import Action, Expectation
from snapaudit.ports import Stoppable

FROZEN = (
    "the state that this snapshot froze is lost in part: the image below it holds newer blocks by"
    " now. Never revert to it; let a later plan delete it"
)


@dataclass(slots=True, kw_only=True)
class Stop:
    """One action whose merge is to be taken back. ``ask`` raises RefusedError where it is denied.

    ``expected`` is the machine as it has to be before and after; ``by`` and ``reason`` are the
    person and what the person says. Whoever makes it holds the lock.
    """

    run_id: str
    action: Action
    expected: Expectation
    course: Course
    actuator: Stoppable
    journal: Journal
    by: str
    reason: str
    ask: Callable[[Call], None]
    clock: Clock
    patience: Patience = field(default_factory=Patience)

    def carry_out(self) -> str | None:
        """None: the merge is stopped and the action abandoned; else why that is not known.

        Raises RefusedError when nothing was sent.
        """
        stop = self._stop()
        self._refuse_unless_untouched()
        self.ask(stop)
        # Only a look allows the next intent, and that look has just been taken.
        self._resolve(Resolution.CONTINUE, "a person takes the merge back")
        before = footing_of(self.course.entries)
        self._write(Event.INTENT, intent_detail(self.action, stop, before))
        unknown = self._sent(stop)
        if unknown is None:
            unknown = self._ended(stop) or self._not_as_it_was()
        if unknown is not None:
            self._write(Event.UNKNOWN, {"reason": unknown})
            return unknown
        self._resolve(Resolution.ABANDONED, self.reason, FROZEN)
        return None

    def _stop(self) -> Call:
        made = calls_made(self.course.entries)
        found = _stop_of_last(made, self.actuator)
        if found is None:
            last = made[-1].name if made else "none"
            raise RefusedError(
                f"action {self.action.id}: its last call ({last}) is no merge that can be taken"
                " back; nothing was sent"
            )
        return found

    def _refuse_unless_untouched(self) -> None:
        seen = self._seen()
        if seen.compared.standing is Standing.MATCH and not seen.alarms:
            return
        why = "; ".join((*seen.alarms, *seen.compared.differences))
        raise RefusedError(
            f"{self.action.vm_name}: not everything is as before the merge"
            f" ({why or f'the target is {seen.compared.standing}'}), and half of it cannot be"
            f" abandoned: apply plan {self.course.plan_id} again to finish; nothing was sent"
        )

    def _sent(self, stop: Call) -> str | None:
        """Make the call, once; the reason when nobody knows whether it arrived."""
        try:
            task_id = self.actuator.send(stop)
        except CallRefused as error:
            self._resolve(Resolution.CONTINUE, str(error), unsent=1)
            raise RefusedError(str(error)) from error
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the call may have arrived
            return f"no answer to {stop.name}: {error}"
        self._write(Event.SUBMITTED, {"call": stop.name}, task_id)
        return None

    def _ended(self, stop: Call) -> str | None:
        """Wait for the call; the reason when nobody could see its end."""
        until = self.clock.now() + self.patience.settle
        try:
            while self.actuator.watch(stop, None).phase is Phase.RUNNING:
                if self.clock.now() >= until:
                    return f"{stop.name} had no end within {self.patience.settle}"
                self.clock.sleep(self.patience.poll.total_seconds())
        except HypervisorError as error:
            return str(error)
        return None

    def _not_as_it_was(self) -> str | None:
        """Look until nothing goes on any more; the reason when the chain is not as it was."""
        until = self.clock.now() + self.patience.settle
        try:
            seen = self._seen()
            while seen.is_busy and self.clock.now() < until:
                self.clock.sleep(self.patience.poll.total_seconds())
                seen = self._seen()
        except HypervisorError as error:
            return str(error)
        if seen.is_untouched and not seen.alarms:
            return None
        parts = [*seen.alarms, *seen.compared.differences]
        parts += ["something still goes on with the machine"] if seen.is_busy else []
        return "; ".join([*parts, f"the target is {seen.compared.standing}"])

    def _seen(self) -> Seen:
        inventory = self.actuator.observe(self.action.vm_id)
        before = footing_of(self.course.entries)
        return look(self.action, self.expected, before, inventory)

    def _resolve(self, outcome: Resolution, reason: str, note: str = "", unsent: int = 0) -> None:
        told: Detail = {"outcome": str(outcome), "reason": reason, "by": self.by, "unsent": unsent}
        self._write(Event.RESOLVED, {**told, "note": note} if note else told)

    def _write(self, event: Event, detail: Detail, task_id: str | None = None) -> None:
        self.journal.append(draft(self.run_id, self.action, event, detail, task_id))


def _stop_of_last(made: Sequence[Call], actuator: Stoppable) -> Call | None:
    """What takes the last call back, also where somebody tried that before and was cut off."""
    for at in range(len(made) - 1, -1, -1):
        stop = actuator.stop_of(made[at])
        if stop is not None:
            return stop if all(call == stop for call in made[at + 1 :]) else None
    return None
