"""The strict half of the fake: it knows the truth, notes every call, and objects to bad ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from snapaudit.model.acting import Call
from snapaudit.model.plan import Action, Decision, Plan
from snapaudit.model.policy import Remedy
from tests.enforce.fake.things import Machine, Manager, Snap

MIN_AGE = timedelta(hours=72)
Key = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a target really is.

    It has not changed as long as nobody else touched it, or when everything is as it was: somebody
    may take a snapshot, and we delete it again by another plan.
    """

    manager: str
    machine: int
    revisions: tuple[int, int]
    identity: tuple[str, ...]
    content: tuple[object, ...]

    def still_holds(self, now: Truth) -> bool:
        same = (self.manager, self.machine, self.identity)
        if same != (now.manager, now.machine, now.identity):
            return False
        return self.revisions == now.revisions or self.content == now.content


@dataclass(slots=True)
class Sent:
    """One mutating call. ``harmless`` turns True when it is certain that it had no effect."""

    call: Call
    endpoint: str
    vm_id: str
    identity: tuple[str, ...]
    at: datetime
    task_id: str | None = None
    harmless: bool = False


@dataclass(slots=True)
class Ledger:
    """``violations`` stays empty as long as nothing forbidden was asked for."""

    sent: list[Sent] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    approved: dict[Key, Truth] = field(default_factory=dict)
    held: set[Key] = field(default_factory=set)
    expires_at: datetime | None = None
    armed: bool = False
    min_age: timedelta = MIN_AGE

    def approve(self, plan: Plan, truths: dict[Key, Truth]) -> None:
        """Allow what the plan applies, and nothing else, as it was when the plan was made."""
        keys = [key_of(action) for action in plan.actions if action.decision is Decision.APPLY]
        self.approved = {key: truths[key] for key in keys if key in truths}
        self.expires_at = plan.expires_at

    def record(self, sent: Sent, machine: Machine, manager: Manager) -> None:
        """Write the call down. Raises AssertionError, and remembers why, if it was a bad one."""
        bad = [*self._target(sent, machine, manager), *self._history(sent)]
        self.sent.append(sent)
        self.object_to(*bad)

    def object_to(self, *bad: str) -> None:
        self.violations.extend(bad)
        assert not bad, bad

    def _target(self, sent: Sent, machine: Machine, manager: Manager) -> Iterator[str]:
        key = key_of_call(sent)
        what = f"{sent.call.name} {key}"
        now = truth_of(manager, machine, key[2])
        truth = self.approved.get(key)
        if not self.armed:
            yield f"{what}: a call in dry mode"
        if truth is None:
            yield f"{what}: in no approved plan"
        elif not truth.still_holds(now):
            yield f"{what}: it has changed since it was planned"
        else:
            # From here on it is ours to change, so that what others did before no longer counts.
            self.approved[key] = now
        if self.expires_at and sent.at >= self.expires_at and not self._begun(sent):
            yield f"{what}: the plan has expired"
        yield from (f"{what}: {word}" for word in self._forbidden(key, machine, manager))

    def _forbidden(self, key: Key, machine: Machine, manager: Manager) -> Iterator[str]:
        snap = machine.snaps.get(key[2] or "")
        if machine.protections or machine.template or (snap and snap.protections):
            yield "it is protected"
        if machine.busy:
            yield "the machine is busy"
        if key in self.held or (*key[:2], None) in self.held:
            yield "it is held"
        if not manager.listed or not manager.verified:
            yield "the view is incomplete"
        if not machine.linear():
            yield "the chain is not linear"

    def _history(self, sent: Sent) -> Iterator[str]:
        if any(_equal(sent, old) and not old.harmless for old in self.sent):
            yield f"{sent.call.name} {key_of_call(sent)}: sent twice"

    def _begun(self, sent: Sent) -> bool:
        return any(old.identity == sent.identity and not old.harmless for old in self.sent)

    def young(self, snap: Snap, manager_now: datetime) -> bool:
        return manager_now - snap.created_at < self.min_age


def _equal(one: Sent, other: Sent) -> bool:
    return (one.endpoint, one.identity, one.call) == (other.endpoint, other.identity, other.call)


def key_of(action: Action) -> Key:
    snapshot = action.snapshot_id if action.kind is Remedy.DELETE_SNAPSHOT else None
    return (action.endpoint, action.vm_id, snapshot)


def key_of_call(sent: Sent) -> Key:
    snapshot = sent.call.about["snapshot"]
    assert not isinstance(snapshot, int)
    return (sent.endpoint, sent.vm_id, snapshot)


def identity_of(machine: Machine, snapshot: str | None) -> tuple[str, ...]:
    """What cannot be used again: a creation's own identity, or the phantoms' paths."""
    if snapshot is None:
        return tuple(layer.path for _, layer in machine.phantoms())
    return (machine.snaps[snapshot].identity,)


def truth_of(manager: Manager, machine: Machine, snapshot: str | None) -> Truth:
    snap = machine.snaps.get(snapshot or "")
    revisions = (machine.revision, snap.revision if snap is not None else 0)
    snaps = [(s.name, s.identity, s.parent, s.description) for s in machine.snaps.values()]
    content = (machine.name, *snaps, *(layer.path for _, layer in machine.layers()))
    return Truth(manager.id, id(machine), revisions, identity_of(machine, snapshot), content)
