"""Selection: the part of an audit that one check is about: some rules, some datastores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from snapaudit.codec.expect import nearest
from snapaudit.errors import UsageError
from snapaudit.model.finding import Audit, Subject, Summary
from snapaudit.model.inventory import CoverageState, Datastore, Inventory, VirtualMachine
from snapaudit.model.policy import Policy, Rule, SubjectKind

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was asked for: names, or patterns as in a shell. Empty: everything.

    A datastore is named by its name, its id, or ENDPOINT/NAME.
    """

    rules: tuple[str, ...] = ()
    datastores: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The selection in a stable order, to be compared with another."""
        rules = sorted({f"rule {one}" for one in self.rules})
        return (*rules, *sorted({f"datastore {one}" for one in self.datastores}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The chosen part of an audit. ``unseen`` are datastores that nobody can say anything of."""

    audit: Audit
    rules: tuple[Rule, ...]
    unseen: tuple[str, ...] = ()


def rules_of(policy: Policy, wanted: Sequence[str]) -> tuple[Rule, ...]:
    """The rules in force that were asked for. Raises UsageError for a name that fits none."""
    for name in wanted:
        if not any(_fits(rule.id, name) for rule in policy.rules):
            if name in policy.disabled:
                raise UsageError(f"--rule {name}: the rule is disabled in the configuration")
            raise UsageError(_no_such("rule", name, [rule.id for rule in policy.rules]))
    return tuple(
        rule for rule in policy.rules if not wanted or any(_fits(rule.id, name) for name in wanted)
    )


def select(audit: Audit, policy: Policy, wanted: Selection) -> Selected:
    """The audit with what was chosen alone; its coverage stays, since it says what was seen.

    Raises UsageError for a rule that does not exist, and for a datastore that does not where the
    view is whole; where it is not, the datastore is ``unseen``.
    """
    rules = rules_of(policy, wanted.rules)
    names = {rule.id for rule in rules}
    judged = replace(
        audit,
        findings=tuple(one for one in audit.findings if one.rule in names),
        undetermined=tuple(one for one in audit.undetermined if one.rule in names),
    )
    if not wanted.datastores:
        return Selected(audit=judged, rules=rules)
    chosen, unseen = _datastores(audit, wanted.datastores)
    return Selected(audit=_on(judged, chosen), rules=rules, unseen=unseen)


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def _no_such(what: str, name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"there is no {what} {name!r}{hint}"


# Datastores -----------------------------------------------------------------------------------


def _datastores(audit: Audit, wanted: Sequence[str]) -> tuple[frozenset[_Key], tuple[str, ...]]:
    there = [(seen.endpoint, store) for seen in audit.inventories for store in seen.datastores]
    chosen: set[_Key] = set()
    unseen: list[str] = []
    for name in wanted:
        found = [(at, store) for at, store in there if _is_named(at, store, name)]
        if not found:
            unseen.append(_absent(audit, name, there))
        chosen |= {(at, store.id) for at, store in found}
        unseen += [spot for at, store in found for spot in _blind(at, store)]
    return frozenset(chosen), tuple(dict.fromkeys(unseen))


def _is_named(endpoint: str, store: Datastore, name: str) -> bool:
    names = (store.name, store.id, f"{endpoint}/{store.name}", f"{endpoint}/{store.id}")
    return any(_fits(one, name) for one in names)


def _absent(audit: Audit, name: str, there: Iterable[tuple[str, Datastore]]) -> str:
    if all(one.state is CoverageState.COMPLETE for one in audit.coverage):
        known = [word for at, store in there for word in (store.name, f"{at}/{store.name}")]
        raise UsageError(_no_such("datastore", name, known))
    return f"datastore {name}: not among what was seen, and the view is incomplete"


def _blind(endpoint: str, store: Datastore) -> Iterator[str]:
    if not store.accessible:
        yield f"datastore {endpoint}/{store.name}: it is not accessible"
    elif store.capacity_bytes is None or store.free_bytes is None:
        yield f"datastore {endpoint}/{store.name}: it does not tell its size or what is free"


def _on(audit: Audit, chosen: frozenset[_Key]) -> Audit:
    """The audit without what lies on other datastores alone."""
    inventories = tuple(_part(one, chosen) for one in audit.inventories)
    kept = frozenset(_subjects(inventories))
    left = replace(
        audit,
        findings=tuple(one for one in audit.findings if _key(one.subject) in kept),
        undetermined=tuple(one for one in audit.undetermined if _key(one.subject) in kept),
        inventories=inventories,
    )
    return replace(left, summary=_counted(audit.summary, inventories))


def _part(inventory: Inventory, chosen: frozenset[_Key]) -> Inventory:
    ids = {store_id for endpoint, store_id in chosen if endpoint == inventory.endpoint}
    return replace(
        inventory,
        datastores=tuple(one for one in inventory.datastores if one.id in ids),
        virtual_machines=tuple(
            one for one in inventory.virtual_machines if ids and _may_lie_on(one, ids)
        ),
        strays=tuple(one for one in inventory.strays if one.datastore_id in ids),
    )


def _may_lie_on(vm: VirtualMachine, ids: set[str]) -> bool:
    """Whether a disk lies there, or one lies nobody knows where, or nobody knows of a disk."""
    if not all(disk.layers for disk in vm.disks) or not vm.disks:
        return True
    places = {layer.datastore_id for disk in vm.disks for layer in disk.layers}
    return None in places or not ids.isdisjoint(places - {None})


def _key(subject: Subject) -> tuple[str, SubjectKind, str]:
    """What decides whether a subject stays: its machine, where it belongs to one."""
    if subject.vm_id is not None:
        return subject.endpoint, SubjectKind.VIRTUAL_MACHINE, subject.vm_id
    return subject.endpoint, subject.kind, subject.id


def _subjects(inventories: Iterable[Inventory]) -> Iterator[tuple[str, SubjectKind, str]]:
    for one in inventories:
        at = one.endpoint
        if one.datastores or one.coverage.state is not CoverageState.COMPLETE:
            yield at, SubjectKind.ENDPOINT, at
        yield from ((at, SubjectKind.DATASTORE, store.id) for store in one.datastores)
        yield from ((at, SubjectKind.VIRTUAL_MACHINE, vm.id) for vm in one.virtual_machines)
        yield from ((at, SubjectKind.FILE, stray.id) for stray in one.strays)


def _counted(summary: Summary, inventories: Sequence[Inventory]) -> Summary:
    machines = [vm for one in inventories for vm in one.virtual_machines]
    sizes = [shot.size_bytes for vm in machines for shot in vm.snapshots]
    return replace(
        summary,
        virtual_machines=len(machines),
        snapshots=len(sizes),
        datastores=sum(len(one.datastores) for one in inventories),
        snapshot_bytes=sum(size for size in sizes if size is not None),
        unknown_sizes=sizes.count(None),
    )
