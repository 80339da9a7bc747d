"""Planned: a plan folded to what a person reads: machine by machine, reason by reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from snapaudit.model.outcome import Merging
from snapaudit.model.plan import Action, Bytes, Decision, Kept, Plan, Refusal
from snapaudit.model.policy import Remedy
from snapaudit.report.phrases import count

Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine with its actions, by their number in the plan, and what is refused beside them.

    A machine without any action is not among these: its refusals are folded by their reason.
    """

    endpoint: str
    vm_id: str
    vm_name: str
    actions: tuple[tuple[int, Action], ...]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Everything that one reason holds for. ``word`` is the guard's name, or empty."""

    word: str
    reason: str
    names: tuple[str, ...]


def machines(plan: Plan) -> tuple[Machine, ...]:
    """The machines with actions, in the order in which the plan comes to them."""
    actions: dict[Place, list[tuple[int, Action]]] = {}
    for number, action in enumerate(plan.actions, 1):
        actions.setdefault((action.endpoint, action.vm_id), []).append((number, action))
    refusals: dict[Place, list[Refusal]] = {}
    for one in plan.refusals:
        refusals.setdefault((one.endpoint, one.vm_id), []).append(one)
    return tuple(
        Machine(
            endpoint=endpoint,
            vm_id=vm_id,
            vm_name=found[0][1].vm_name,
            actions=tuple(found),
            refusals=tuple(refusals.get((endpoint, vm_id), ())),
        )
        for (endpoint, vm_id), found in actions.items()
    )


def refused_elsewhere(plan: Plan) -> tuple[Fold, ...]:
    """The refusals of machines without any action; each is named, however many there are."""
    shown = {(action.endpoint, action.vm_id) for action in plan.actions}
    others = [one for one in plan.refusals if (one.endpoint, one.vm_id) not in shown]
    return _folds((str(one.guard), one.reason, place_of(one)) for one in others)


def kept(plan: Plan) -> tuple[Fold, ...]:
    """What no finding offers, by the reason."""
    return _folds(("", one.reason, place_of(one)) for one in plan.kept)


def _folds(found: Iterable[tuple[str, str, str]]) -> tuple[Fold, ...]:
    names: dict[tuple[str, str], list[str]] = {}
    for word, reason, name in found:
        names.setdefault((word, reason), []).append(name)
    folds = (Fold(word=key[0], reason=key[1], names=tuple(n)) for key, n in names.items())
    return tuple(sorted(folds, key=lambda fold: (-len(fold.names), fold.word, fold.reason)))


def place_of(one: Action | Refusal | Kept | Merging) -> str:
    """``kvm1: web01 / before-upgrade``, or ``kvm1: web01 (its disks)`` for a consolidation."""
    place = f"{one.endpoint}: {one.vm_name}"
    what = one.snapshot_name
    return f"{place} (its disks)" if what is None else f"{place} / {what}"


def meant(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions that are to be applied."""
    return tuple(one for one in actions if one.decision is Decision.APPLY)


def gain(actions: Iterable[Action]) -> Bytes:
    """What all of them give back together."""
    spans = [one.frees_bytes for one in actions]
    highs = [span.max for span in spans if span.max is not None]
    is_bounded = len(highs) == len(spans)
    return Bytes(min=sum(span.min for span in spans), max=sum(highs) if is_bounded else None)


def work(actions: Iterable[Action]) -> str:
    """``delete 3 snapshots and consolidate 1 machine``."""
    kinds = [one.kind for one in actions]
    deletions, merges = kinds.count(Remedy.DELETE_SNAPSHOT), kinds.count(Remedy.CONSOLIDATE)
    parts = [f"delete {count(deletions, 'snapshot')}"] if deletions else []
    parts += [f"consolidate {count(merges, 'machine')}"] if merges else []
    return " and ".join(parts) or "change nothing"


def store_names(plan: Plan) -> dict[Place, str]:
    """The names of the datastores, by endpoint and id."""
    return {(one.endpoint, one.id): one.name for one in plan.datastores}


def written_to(action: Action, names: dict[Place, str]) -> Iterator[str]:
    """The names of the datastores that an action writes to; an id where no name is known."""
    for store in action.datastore_ids:
        yield names.get((action.endpoint, store), store)
