"""Errand: one action on its way, from the last look before the first call to the look after it.

Everything it knows after a crash stands in the journal and on the machine; nothing else is needed
to go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from snapaudit.enforce.chain import Resolution
from snapaudit.enforce.ground import STOPPED, Ground
from snapaudit.enforce.guards import not_whole
from snapaudit.enforce.identity import (
    Standing,
    compare,
    left_behind,
    machine_of,
)
from snapaudit.enforce.lastlook import LastLook
from snapaudit.enforce.record import footing_of, spoilt
from snapaudit.enforce.scribe import Scribe
from snapaudit.enforce.verify import Footing, Seen, description, footing, freed_bytes, look
from snapaudit.errors import CallRefused, HypervisorError, JournalError
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Outcome
from snapaudit.model.plan import Action, Expectation, Guard

OLDEST_READING = timedelta(seconds=5)
MOST_CALLS = 64
HALF_WAY = "stopped half way; the next `snapaudit enforce --apply` of this plan goes on"


@dataclass(slots=True)
class Errand:
    """One action under way. ``dropped`` is why it never began, if it did not.

    ``alarm`` is why nothing more may be sent anywhere: something is not as any deletion leaves it.
    ``forbidden`` says why the run as a whole must send nothing more.
    """

    ground: Ground
    action: Action
    expected: Expectation
    scribe: Scribe
    forbidden: Callable[[], str | None] = lambda: None
    before: VirtualMachine | None = None
    footing: Footing | None = None
    made: list[Call] = field(default_factory=list)
    sent_at: datetime | None = None
    ended: Watched | None = None
    ended_at: datetime | None = None
    lost_looks: int = 0
    dropped: str | None = None
    alarm: str | None = None

    # Beginning ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Look, ask every guard, and send the first call; or end the errand with the reason."""
        seen = self._observed()
        seen_at = self.ground.clock.now()
        if isinstance(seen, str):
            return self.scribe.end(Event.REFUSED, seen, Guard.WHOLE_VIEW)
        if compare(self.expected, self.action.vm_id, seen).standing is Standing.ABSENT:
            return self._end_as_gone(seen)
        refusal = self._last_look.refusal(seen)
        if refusal is not None:
            return self.scribe.end(Event.REFUSED, refusal[1], refusal[0])
        self.before = machine_of(seen, self.action.vm_id)
        self.footing = None if self.before is None else footing(self.action, self.before)
        call = self._next_call(seen)
        if isinstance(call, str):
            return self.scribe.end(Event.REFUSED, call, Guard.WHOLE_VIEW)
        if call is None:
            return self.scribe.end(Event.FAILED, "there is no way to do it from here")
        return self._send(call, seen_at)

    def resume(self, made: Sequence[Call]) -> None:
        """Go on with work of ours that an earlier run began by these calls."""
        self.made = list(made)
        entries = self.ground.journal.of_action(self.action.id, self.ground.plan.id)
        self.footing = footing_of(entries)
        self._over(Watched(phase=Phase.OVER))
        self.poll()

    def refuse(self, reason: str) -> None:
        """End it before anything was looked at or sent."""
        self.scribe.end(Event.REFUSED, reason, Guard.UNCHANGED)

    def abandon(self, reason: str) -> Outcome:
        """End it without a line in the journal, which can no longer be written."""
        return self.scribe.outcome or self.scribe.settle(Event.UNKNOWN, reason)

    @property
    def _last_look(self) -> LastLook:
        return LastLook(self.ground, self.action, self.expected)

    def _observed(self) -> Inventory | str:
        """A fresh reading, or why there is none."""
        try:
            return self.ground.actuators[self.action.endpoint].observe(self.action.vm_id)
        except HypervisorError as error:
            return str(error)

    def _end_as_gone(self, seen: Inventory) -> None:
        """What an incomplete view does not show may be there all the same."""
        reason = not_whole(seen, is_named=seen.endpoint in self.ground.named)
        if reason is not None:
            return self.scribe.end(Event.REFUSED, reason, Guard.WHOLE_VIEW)
        left = left_behind(self.expected, self.action.vm_id, seen)
        if left is not None:
            return self.scribe.end(Event.REFUSED, left, Guard.UNCHANGED)
        return self.scribe.end(Event.ALREADY_GONE, "it was gone before anything was sent")

    # Calling ------------------------------------------------------------------------------------

    def _next_call(self, seen: Inventory) -> Call | str | None:
        """What comes next, or why nobody can tell."""
        actuator = self.ground.actuators[self.action.endpoint]
        try:
            return actuator.next_call(self.action, seen, self.made)
        except HypervisorError as error:
            return str(error)

    def _send(self, call: Call, seen_at: datetime) -> None:
        """Write down what is meant, then do it: once (INV-14, INV-15)."""
        obstacle = self._obstacle()
        if obstacle is not None:
            return self._hold_on(obstacle)
        self.scribe.mean(call, self.footing)
        obstacle = self._obstacle()
        if obstacle is None and self._is_old(seen_at):
            obstacle = "the last look had become too old"
        if obstacle is None:
            return self._submit(call)
        if not self.made:
            self.scribe.resolve(Resolution.NO_EFFECT, f"not sent: {obstacle}")
        return self._hold_on(obstacle, unsent=1)

    def _is_old(self, seen_at: datetime) -> bool:
        """GRD-10: what was seen too long ago may no longer be so."""
        return self.ground.clock.now() - seen_at > OLDEST_READING

    def _obstacle(self) -> str | None:
        """Why nothing may be sent at this very moment."""
        if self.ground.stops():
            return STOPPED
        return self.alarm or self.forbidden() or self.ground.objection()

    def _hold_on(self, obstacle: str, *, unsent: int = 0) -> None:
        """Nothing is sent. What has begun is left for the next run to go on with."""
        if not self.made:
            self.dropped = obstacle
            return
        self.alarm = self.alarm or obstacle
        self.scribe.resolve(Resolution.CONTINUE, obstacle, unsent=unsent)
        self.scribe.settle(Event.UNKNOWN, f"{obstacle}: {HALF_WAY}", goes_on=True)

    def _submit(self, call: Call) -> None:
        self.ended = None
        self.made.append(call)
        try:
            task_id = self.ground.actuators[self.action.endpoint].send(call)
        except CallRefused as error:
            self._over(Watched(phase=Phase.FAILED, reason=str(error)))
            return
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the call may have arrived
            self.scribe.end(Event.UNKNOWN, f"no answer to {call.name}: {error}")
            return
        self.sent_at = self.ground.clock.now()
        self.scribe.sent(call, task_id)

    def _over(self, watched: Watched) -> None:
        self.ended, self.ended_at, self.lost_looks = watched, self.ground.clock.now(), 0

    # Watching -----------------------------------------------------------------------------------

    def poll(self) -> None:
        """Look once how far it is; when the platform says that it is over, look what is so."""
        if self.ended is None:
            self._watch(self.made[-1])
        if self.ended is not None and self.scribe.outcome is None:
            self._look_after(self.ended)

    def _watch(self, call: Call) -> None:
        actuator = self.ground.actuators[self.action.endpoint]
        try:
            watched = actuator.watch(call, self.scribe.task_id)
        except HypervisorError as error:
            return self._lost(str(error))
        self.lost_looks = 0
        if watched.phase is not Phase.RUNNING:
            return self._over(watched)
        self.scribe.tell(call.name, watched)
        limit = (self.sent_at or self.scribe.started_at) + self.ground.patience.watch
        if self.ground.clock.now() > limit:
            return self.scribe.end(Event.UNKNOWN, "it still runs; nobody waits for it any longer")
        return None

    def _lost(self, reason: str) -> None:
        """A look may fail a few times: reading again changes nothing."""
        self.lost_looks += 1
        if self.lost_looks > self.ground.patience.lost_looks:
            self.scribe.end(Event.UNKNOWN, f"nobody could see what became of it: {reason}")

    def leave(self, reason: str) -> None:
        """Stop looking; what runs goes on, and the next run finds out."""
        self.alarm = self.alarm or STOPPED
        self.scribe.end(Event.UNKNOWN, reason)

    # Judging ------------------------------------------------------------------------------------

    def _look_after(self, ended: Watched) -> None:
        self.scribe.tell("verifying")
        inventory = self._observed()
        if isinstance(inventory, str):
            return self._lost(inventory)
        seen_at = self.ground.clock.now()
        seen = look(self.action, self.expected, self.footing, inventory)
        reason = not_whole(inventory, is_named=inventory.endpoint in self.ground.named)
        if reason is not None:
            return self._lost(reason)
        call = None if seen.vm is None else self._next_call(inventory)
        if isinstance(call, str):
            return self._lost(call)
        if self._must_wait(seen, call, ended):
            return None
        if call is not None and self._is_old(seen_at):
            return self._lost("the machine takes too long to look at")
        self._raise_alarms(seen)
        if call is not None and _may_go_on(seen, call):
            return self._go_on(call, seen, ended, seen_at)
        return self._judge(seen, ended)

    def _must_wait(self, seen: Seen, call: Call | None, ended: Watched) -> bool:
        """Whether something still goes on that is not ours to complete by the next call."""
        if not seen.is_busy or (call is not None and call.completes and ended.phase is Phase.OVER):
            return False
        since = self.ended_at or self.scribe.started_at
        return self.ground.clock.now() - since <= self.ground.patience.settle

    def _raise_alarms(self, seen: Seen) -> None:
        if seen.alarms:
            self.alarm = f"{self.action.vm_name}: {seen.alarms[0]}"
        if self.alarm is None:
            self.alarm = self._last_look.lack_of_room(seen.inventory)

    def _go_on(self, call: Call, seen: Seen, ended: Watched, seen_at: datetime) -> None:
        """The next call of several, or another way when the last one came to nothing."""
        if len(self.made) >= MOST_CALLS:
            return self.scribe.end(Event.UNKNOWN, f"not done after {MOST_CALLS} calls")
        if ended.phase is Phase.FAILED:
            reason = ended.reason or "no reason was given"
            is_untouched = seen.is_untouched and not call.follows
            outcome = Resolution.NO_EFFECT if is_untouched else Resolution.CONTINUE
            self.scribe.resolve(outcome, f"{self.made[-1].name}: {reason}" if self.made else reason)
            refusal = self._last_look.refusal(seen.inventory) if is_untouched else None
            if refusal is not None:
                return self.scribe.end(Event.REFUSED, refusal[1], refusal[0])
        ends_it = call.completes or call.tidies
        second_thought = None if ends_it else self._last_look.second_thought(seen)
        if second_thought is not None:
            return self._hold_on(second_thought)
        return self._send(call, seen_at)

    def _judge(self, seen: Seen, ended: Watched) -> None:
        """Nothing is left to do: say what is so (INV-16, INV-17)."""
        if seen.is_done and seen.vm is not None:
            freed = freed_bytes(self.before, seen.vm) if self.before is not None else None
            return self.scribe.end(Event.DONE, "", None, freed)
        if seen.is_untouched and not seen.alarms:
            reason = ended.reason or "the platform reported success, and nothing has changed"
            reason += spoilt(self.action, self.made)
            return self.scribe.end(Event.FAILED, reason)
        return self.scribe.end(Event.UNKNOWN, description(seen, ended.reason))


def _may_go_on(seen: Seen, call: Call) -> bool:
    if seen.alarms or (seen.is_busy and not call.completes):
        return False
    return seen.compared.standing is not Standing.CHANGED
