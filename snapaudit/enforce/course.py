"""The course of one action through the journal: how far it is, and which entry may come next.

At most one call for an intent, and no second intent for the same call unless somebody looked in
between (docs/safety.md, INV-15). What breaks that order is a fault of ours, and is not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from snapaudit.enforce.chain import Resolution
from snapaudit.errors import JournalError
from snapaudit.model.journal import Draft, Entry, Event

_FINAL = frozenset({Event.DONE, Event.ALREADY_GONE})
_ENDS = _FINAL | {Event.FAILED, Event.REFUSED}
_OPEN = frozenset({Event.INTENT, Event.SUBMITTED, Event.UNKNOWN})
_CLOSED = frozenset({Resolution.DONE, Resolution.ABANDONED})


class Use(StrEnum):
    """How far a plan has been carried out."""

    UNUSED = "unused"
    INTERRUPTED = "interrupted"
    USED = "used"


def resolution_of(entry: Entry) -> Resolution | None:
    """What a ``resolved`` entry says had become of the action; None for all other entries."""
    return Resolution(str(entry.detail["outcome"])) if entry.event is Event.RESOLVED else None


@dataclass(slots=True)
class Course:
    """The entries of one action of one plan, in their order; never without any."""

    plan_id: str
    action_id: str
    entries: list[Entry] = field(default_factory=list)
    _meant: set[frozenset[Any]] = field(default_factory=set)

    @property
    def last(self) -> Entry:
        """The latest entry."""
        return self.entries[-1]

    @property
    def machine(self) -> tuple[Any, Any] | None:
        """Endpoint and machine that the latest intent is about, where it names them."""
        intents = (entry for entry in reversed(self.entries) if entry.event is Event.INTENT)
        return next((machine_of(entry.detail) for entry in intents), None)

    @property
    def is_open(self) -> bool:
        """A call may be under way, or our own work is unfinished: to be looked at before all else.

        ``continue`` leaves it open: only an end, or another look, closes it.
        """
        return self.last.event in _OPEN or resolution_of(self.last) is Resolution.CONTINUE

    @property
    def is_over(self) -> bool:
        """The action has an end: carried out, failed, refused, or closed by a person."""
        return self.last.event in _ENDS or resolution_of(self.last) in _CLOSED

    def add(self, entry: Entry) -> None:
        """Take in the next entry."""
        self.entries.append(entry)
        if entry.event is Event.RESOLVED:
            self._meant.clear()
        elif entry.event is Event.INTENT:
            self._meant.add(_call(entry.detail))

    def objection(self, draft: Draft) -> str | None:
        """Why the draft may not come next, None if it may."""
        event, last = draft.event, self.entries[-1] if self.entries else None
        if event is Event.INTENT:
            return self._objection_to_intent(draft, last)
        if event is Event.SUBMITTED and (last is None or last.event is not Event.INTENT):
            return "a call was reported as sent without an intent directly before"
        if last and last.event is Event.UNKNOWN and event not in (Event.UNKNOWN, Event.RESOLVED):
            return "what became of it is unknown, and only a resolution ends that"
        return None

    def _objection_to_intent(self, draft: Draft, last: Entry | None) -> str | None:
        if last is None:
            return None
        if any(entry.event in _FINAL for entry in self.entries) or resolution_of(last) in _CLOSED:
            return "it is over"
        if last.event in (Event.INTENT, Event.UNKNOWN):
            return "nobody has looked yet what became of its last call"
        if _call(draft.detail) in self._meant:
            return "the same call was meant before, and nobody has looked since what became of it"
        return None


def machine_of(detail: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Endpoint and machine of an entry, None where it does not name both."""
    pair = (detail.get("endpoint"), detail.get("vm_id"))
    return None if None in pair else pair


def _call(detail: Mapping[str, Any]) -> frozenset[Any]:
    return frozenset(detail.items())


class Courses:
    """The courses of all actions, and which of them are open."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Course] = {}
        self._open: dict[tuple[str, str], Course] = {}

    def add(self, entry: Entry) -> None:
        """Take in the next entry of the journal."""
        key = (entry.plan_id, entry.action_id)
        course = self._all.setdefault(key, Course(*key))
        course.add(entry)
        if course.is_open:
            self._open[key] = course
        else:
            self._open.pop(key, None)

    def check(self, draft: Draft) -> None:
        """Raise JournalError when the draft may not be the next entry."""
        key = (draft.plan_id, draft.action_id)
        objection = self._all.get(key, Course(*key)).objection(draft)
        if objection is None and draft.event is Event.INTENT:
            objection = self._neighbour(draft)
        if objection is not None:
            raise JournalError(
                f"action {draft.action_id}: {draft.event} was not written: {objection}"
            )

    def _neighbour(self, draft: Draft) -> str | None:
        # INV-18: also across plans, runs and crashes.
        machine = machine_of(draft.detail)
        if machine is None:
            return None
        for key, course in self._open.items():
            if key != (draft.plan_id, draft.action_id) and course.machine == machine:
                return f"action {course.action_id} on the same machine is not settled"
        return None

    def open(self) -> tuple[Course, ...]:
        """The courses that are open, in the order in which they were opened."""
        return tuple(self._open.values())

    def of_action(self, action_id: str) -> tuple[Course, ...]:
        """The courses of an action id; more than one only if plans share it."""
        return tuple(course for key, course in self._all.items() if key[1] == action_id)

    def use(self, plan_id: str, action_ids: frozenset[str]) -> Use:
        """How far a plan with these actions to apply has been carried out."""
        found = {key[1]: course for key, course in self._all.items() if key[0] == plan_id}
        if not found:
            return Use.UNUSED
        over = {action_id for action_id, course in found.items() if course.is_over}
        return Use.USED if action_ids <= over else Use.INTERRUPTED
