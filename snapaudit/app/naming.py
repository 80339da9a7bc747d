"""Naming: what a person means by an id or a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.codec.expect import nearest
from snapaudit.errors import UsageError
from snapaudit.model.finding import Audit, Subject
from snapaudit.model.inventory import CoverageState, VirtualMachine
from snapaudit.model.policy import SubjectKind
from snapaudit.rules.staging import endpoint_scene, files_of

_MANY = 8


def the_one(audit: Audit, rules: Iterable[str], word: str) -> Subject:
    """The subject of that id or name; ids count before paths of names, those before bare names.

    Raises UsageError when it means nothing, with the nearest name or rule, or several things, with
    all.
    """
    subjects = tuple(_subjects(audit))
    for names in (_ids, _paths, _names):
        found = [subject for subject in subjects if word in names(subject)]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(next(iter(_paths(subject))) for subject in found[:_MANY])
            raise UsageError(f"{word!r} may be {len(found)} things: {listed}; name one of them")
    known = {name for subject in subjects for name in (*_names(subject), *_paths(subject))}
    near = nearest(word, (*known, *rules))
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
    return (path, f"{subject.endpoint}/{path}") if subject.endpoint else (path,)


def _names(subject: Subject) -> tuple[str, ...]:
    return (subject.name,)


def _subjects(audit: Audit) -> Iterator[Subject]:
    for one in audit.exemptions:
        yield Subject(kind=SubjectKind.EXEMPTION, endpoint="", id=one.id, name=one.id)
    for inventory in audit.inventories:
        at = inventory.endpoint
        yield Subject(kind=SubjectKind.ENDPOINT, endpoint=at, id=at, name=at)
        for store in inventory.datastores:
            yield Subject(kind=SubjectKind.DATASTORE, endpoint=at, id=store.id, name=store.name)
        files = files_of(endpoint_scene(inventory, audit.audited_at))
        yield from (scene.subject for scene in files)
        for vm in inventory.virtual_machines:
            yield from _of_machine(at, vm)


def _of_machine(endpoint: str, vm: VirtualMachine) -> Iterator[Subject]:
    kinds = [(SubjectKind.VIRTUAL_MACHINE, vm.id, vm.name)]
    kinds += [(SubjectKind.SNAPSHOT, snapshot.id, snapshot.name) for snapshot in vm.snapshots]
    for kind, identity, name in kinds:
        yield Subject(
            kind=kind, endpoint=endpoint, id=identity, name=name, vm_id=vm.id, vm_name=vm.name
        )
