"""Find what a person means by an id or a name, and explain what the rules say about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from snapaudit.codec.expect import nearest
from snapaudit.errors import UsageError
from snapaudit.model.explanation import Explanation, RuleAnswer, WeighedFact
from snapaudit.model.finding import Audit, Purpose, Subject
from snapaudit.model.inventory import CoverageState, Inventory, Snapshot, VirtualMachine
from snapaudit.model.past import NOTHING_REMEMBERED, Past
from snapaudit.model.policy import Policy, SubjectKind
from snapaudit.rules import explain as rules_explain

_MANY = 8


def explain(
    audit: Audit, policy: Policy, now: datetime, word: str, past: Past = NOTHING_REMEMBERED
) -> Explanation:
    """What the rules say about the one subject that the word means.

    Raises UsageError when it means nothing, with the nearest name, or several things, with all.
    """
    subject = _the_one(audit, word)
    said = rules_explain.explain(
        audit.inventories, policy, now, lambda other: other == subject, past
    )
    return Explanation(
        subject=subject,
        protections=_protections(audit, subject),
        purpose=_purpose(audit, subject),
        answers=tuple(_answer(one) for one in said),
    )


def machine_of(audit: Audit, subject: Subject) -> tuple[VirtualMachine, Inventory] | None:
    """The machine a subject belongs to, with the inventory it was seen in."""
    for inventory in audit.inventories:
        for vm in inventory.virtual_machines:
            if (inventory.endpoint, vm.id) == (subject.endpoint, subject.vm_id):
                return vm, inventory
    return None


def snapshot_of(audit: Audit, subject: Subject) -> Snapshot | None:
    """The snapshot a subject is."""
    if subject.kind is not SubjectKind.SNAPSHOT:
        return None
    seen = machine_of(audit, subject)
    return next((s for s in seen[0].snapshots if s.id == subject.id), None) if seen else None


def _the_one(audit: Audit, word: str) -> Subject:
    """Ids count before paths of names, and those before bare names."""
    subjects = tuple(_subjects(audit.inventories))
    for names in (_ids, _paths, _names):
        found = [subject for subject in subjects if word in names(subject)]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(next(iter(_paths(subject))) for subject in found[:_MANY])
            raise UsageError(f"{word!r} may be {len(found)} things: {listed}; name one of them")
    known = {name for subject in subjects for name in (*_names(subject), *_paths(subject))}
    near = nearest(word, known)
    hint = f"; did you mean {near!r}?" if near else ""
    raise UsageError(f"nothing here is called {word!r}{hint}{_unseen(audit)}")


def _unseen(audit: Audit) -> str:
    """Where it might be all the same: what was not seen whole."""
    holes = [
        f"{one.endpoint} is {one.coverage.state}: {one.coverage.reason or 'no reason was given'}"
        for one in audit.inventories
        if one.coverage.state is not CoverageState.COMPLETE
    ]
    return f" ({'; '.join(holes)})" if holes else ""


def _ids(subject: Subject) -> tuple[str, ...]:
    return (subject.id,)


def _paths(subject: Subject) -> tuple[str, ...]:
    path = subject.name
    if subject.kind is SubjectKind.SNAPSHOT:
        path = f"{subject.vm_name}/{subject.name}"
    return (path, f"{subject.endpoint}/{path}")


def _names(subject: Subject) -> tuple[str, ...]:
    return (subject.name,)


def _subjects(inventories: Iterable[Inventory]) -> Iterator[Subject]:
    for inventory in inventories:
        at = inventory.endpoint
        yield Subject(kind=SubjectKind.ENDPOINT, endpoint=at, id=at, name=at)
        for store in inventory.datastores:
            yield Subject(kind=SubjectKind.DATASTORE, endpoint=at, id=store.id, name=store.name)
        for stray in inventory.strays:
            yield Subject(kind=SubjectKind.FILE, endpoint=at, id=stray.id, name=stray.name)
        for vm in inventory.virtual_machines:
            yield from _of_machine(at, vm)


def _of_machine(endpoint: str, vm: VirtualMachine) -> Iterator[Subject]:
    kinds = [(SubjectKind.VIRTUAL_MACHINE, vm.id, vm.name)]
    kinds += [(SubjectKind.SNAPSHOT, snapshot.id, snapshot.name) for snapshot in vm.snapshots]
    for kind, identity, name in kinds:
        yield Subject(
            kind=kind, endpoint=endpoint, id=identity, name=name, vm_id=vm.id, vm_name=vm.name
        )


def _protections(audit: Audit, subject: Subject) -> tuple[str, ...]:
    snapshot, seen = snapshot_of(audit, subject), machine_of(audit, subject)
    if snapshot is not None:
        return snapshot.protections
    is_machine = subject.kind is SubjectKind.VIRTUAL_MACHINE
    return seen[0].protections if seen is not None and is_machine else ()


def _purpose(audit: Audit, subject: Subject) -> Purpose | None:
    wanted = (subject.endpoint, subject.vm_id, subject.id)
    if subject.kind is not SubjectKind.SNAPSHOT:
        return None
    found = (p for p in audit.purposes if (p.endpoint, p.vm_id, p.snapshot_id) == wanted)
    return next(found, None)


def _answer(said: rules_explain.Explanation) -> RuleAnswer:
    parts = [(str(severity), level) for severity, level in said.levels]
    parts += [("unless", said.unless)] if said.unless is not None else []
    return RuleAnswer(
        rule=said.rule.id,
        title=said.rule.title,
        environment=said.environment,
        severity=said.severity,
        undetermined=said.undetermined,
        weighed=tuple(
            WeighedFact(
                level=level,
                fact=one.fact,
                value=one.value,
                operator=one.operator,
                bound=one.bound,
                answer=str(one.answer),
                reason=one.reason,
            )
            for level, condition in parts
            for one in condition.comparisons
        ),
    )
