"""Record: what the journal says of one action, in the words of the executor and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from snapaudit.enforce.chain import Resolution
from snapaudit.enforce.course import resolution_of
from snapaudit.enforce.verify import Footing
from snapaudit.model.acting import Call
from snapaudit.model.inventory import PowerState
from snapaudit.model.journal import Detail, Draft, Entry, Event
from snapaudit.model.plan import Action

_ABOUT = "about."
# A merge writes into the image that the snapshot froze, from its first block on.
SPOILT = "its merge may have begun, so delete this snapshot later and never go back to it"


def spoilt(action: Action, made: Iterable[Call]) -> str:
    """What has to be said of a snapshot that is still there after these calls; may be nothing."""
    may_be = action.merges_bytes and not all(call.spares for call in made)
    return f"; {SPOILT}" if may_be else ""


def draft(
    run_id: str, action: Action, event: Event, detail: Detail, task_id: str | None = None
) -> Draft:
    """The next entry of an action; its plan is the one that its id begins with."""
    return Draft(
        run_id=run_id,
        plan_id=plan_of(action.id),
        event=event,
        action_id=action.id,
        task_id=task_id,
        detail=detail,
    )


def plan_of(action_id: str) -> str:
    """The plan that an action belongs to."""
    return action_id.rpartition("-")[0]


def intent_detail(action: Action, call: Call, before: Footing | None) -> Detail:
    """Everything that a later run needs to know of a call that may have been made.

    ``before`` is the same for all calls of an action, so that equal calls have equal details.
    """
    about = {f"{_ABOUT}{key}": value for key, value in call.about.items()}
    return {
        "call": call.name,
        "completes": int(call.completes),
        "spares": int(call.spares),
        "endpoint": action.endpoint,
        "vm_id": action.vm_id,
        "snapshot_id": action.snapshot_id,
        "datastores": " ".join(action.datastore_ids),
        "power_state": None if before is None else str(before.power_state),
        "siblings": None if before is None else json.dumps(dict(before.siblings), sort_keys=True),
        **about,
    }


def call_of(entry: Entry) -> Call:
    """The call that an intent was written for."""
    return Call(
        name=str(entry.detail["call"]),
        about={
            key.removeprefix(_ABOUT): value
            for key, value in entry.detail.items()
            if key.startswith(_ABOUT)
        },
        completes=bool(entry.detail.get("completes")),
        spares=bool(entry.detail.get("spares")),
    )


def footing_of(entries: Iterable[Entry]) -> Footing | None:
    """How the machine stood before the calls since somebody last saw that nothing came of them."""
    found: Footing | None = None
    for entry in entries:
        if entry.event is Event.INTENT and found is None:
            found = _footing(entry.detail)
        elif resolution_of(entry) is Resolution.NO_EFFECT:
            found = None
    return found


def _footing(detail: Detail) -> Footing | None:
    power_state, siblings = detail.get("power_state"), detail.get("siblings")
    if power_state is None or not isinstance(siblings, str):
        return None
    return Footing(power_state=PowerState(str(power_state)), siblings=json.loads(siblings))


def calls_made(entries: Iterable[Entry]) -> list[Call]:
    """The calls since somebody last saw that nothing had come of them."""
    made: list[Call] = []
    for entry in entries:
        if entry.event is Event.INTENT:
            made.append(call_of(entry))
        elif resolution_of(entry) is Resolution.NO_EFFECT:
            made.clear()
        elif entry.detail.get("unsent"):
            del made[-1:]
    return made


def done_before(
    action: Action, entries: Iterable[Entry], actions: Mapping[str, Action]
) -> list[Action]:
    """The actions of the same plan on the same machine that were carried out, in their order."""
    done = dict.fromkeys(entry.action_id for entry in entries if is_done(entry))
    found: Sequence[Action] = [actions[key] for key in done if key in actions]
    here = (action.endpoint, action.vm_id)
    return [a for a in found if (a.endpoint, a.vm_id) == here and a.id != action.id]


def is_done(entry: Entry) -> bool:
    """Whether an entry says that its action was carried out."""
    return entry.event is Event.DONE or resolution_of(entry) is Resolution.DONE
