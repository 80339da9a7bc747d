"""Identity: whether what is seen now is still what was planned, and how far an act has come.

None of the platforms can delete "only if unchanged", so this comparison is made right before the
call and right after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from snapaudit.model.inventory import Inventory, LayerRole, Snapshot, VirtualDisk, VirtualMachine
from snapaudit.model.plan import (
    Action,
    Expectation,
    ExpectedDisk,
    ExpectedSnapshot,
    SnapshotId,
)

Chains = dict[str, tuple[str, ...]]


class Standing(StrEnum):
    """How what is seen relates to what is expected.

    ``absent``: the target is gone. ``partial``: a part of its deltas is gone and nothing else is
    different, as in the middle of a merge of several disks.
    """

    MATCH = "match"
    ABSENT = "absent"
    PARTIAL = "partial"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The standing; ``differences`` names each field that differs, with both values.

    ``disks_settled``: every chain is what it is to be once the target is gone.
    """

    standing: Standing
    differences: tuple[str, ...] = ()
    disks_settled: bool = False


def machine_of(inventory: Inventory, vm_id: str) -> VirtualMachine | None:
    """The machine of that id; None when there is none, or more than one."""
    found = [vm for vm in inventory.virtual_machines if vm.id == vm_id]
    return found[0] if len(found) == 1 else None


def snapshot_of(vm: VirtualMachine, snapshot_id: str | None) -> Snapshot | None:
    """The snapshot of that id."""
    return next((shot for shot in vm.snapshots if shot.id == snapshot_id), None)


def expectation(inventory: Inventory, vm: VirtualMachine, snapshot: Snapshot | None) -> Expectation:
    """What to find again before the snapshot is deleted, or before the machine is consolidated."""
    return Expectation(
        manager_id=inventory.manager_id or "",
        vm_name=vm.name,
        snapshot=None if snapshot is None else _expected_snapshot(vm, snapshot),
        disks=tuple(ExpectedDisk(label=disk.label, paths=_paths(disk)) for disk in vm.disks),
        removes=tuple(_removed(vm, snapshot)),
    )


def _expected_snapshot(vm: VirtualMachine, snapshot: Snapshot) -> ExpectedSnapshot:
    return ExpectedSnapshot(
        id=SnapshotId(snapshot.id),
        name=snapshot.name,
        description=snapshot.description,
        kind=snapshot.kind,
        created_at=snapshot.created_at,
        identity=snapshot.identity,
        parent_id=snapshot.parent_id,
        child_ids=_children(vm, snapshot.id),
    )


def _children(vm: VirtualMachine, snapshot_id: str) -> tuple[str, ...]:
    return tuple(sorted(shot.id for shot in vm.snapshots if shot.parent_id == snapshot_id))


def _paths(disk: VirtualDisk) -> tuple[str, ...]:
    return tuple(layer.path for layer in disk.layers)


def _removed(vm: VirtualMachine, snapshot: Snapshot | None) -> Iterator[ExpectedDisk]:
    """The deltas that go: those of the snapshot, or those that no snapshot explains."""
    for disk in vm.disks:
        paths = tuple(
            layer.path
            for layer in disk.layers
            if (
                layer.role is LayerRole.PHANTOM
                if snapshot is None
                else layer.snapshot_id == snapshot.id
            )
        )
        if paths:
            yield ExpectedDisk(label=disk.label, paths=paths)


def after(expected: Expectation, done: Sequence[Action]) -> Expectation:
    """What to expect once earlier actions of the same plan on the same machine were carried out.

    ``done`` stands in the order in which they were. What failed is not among them, so that a
    machine on which something went wrong is never what a later action expects.
    """
    for number, action in enumerate(done):
        gone = after(action.expects, done[:number])
        expected = _without(expected, gone)
    return expected


def _without(expected: Expectation, gone: Expectation) -> Expectation:
    removed = {path for disk in gone.removes for path in disk.paths}
    disks = (replace(d, paths=_less(d.paths, removed)) for d in expected.disks)
    return replace(expected, disks=tuple(disks), snapshot=_orphaned(expected.snapshot, gone))


def _less(paths: tuple[str, ...], removed: set[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if path not in removed)


def _orphaned(snapshot: ExpectedSnapshot | None, gone: Expectation) -> ExpectedSnapshot | None:
    """A snapshot whose child or parent went: the children of what went are its parent's."""
    other = gone.snapshot
    if snapshot is None or other is None:
        return snapshot
    children = set(snapshot.child_ids)
    if other.id in children:
        children = (children - {other.id}) | set(other.child_ids)
    parent = other.parent_id if snapshot.parent_id == other.id else snapshot.parent_id
    return replace(snapshot, parent_id=parent, child_ids=tuple(sorted(children)))


def compare(expected: Expectation, vm_id: str, seen: Inventory) -> Compared:
    """Hold the machine that is seen against the one that is expected."""
    if sum(vm.id == vm_id for vm in seen.virtual_machines) > 1:
        return _changed(f"the id {vm_id} names more than one machine")
    if expected.manager_id != (seen.manager_id or ""):
        return _changed(f"manager: {expected.manager_id} became {seen.manager_id}")
    vm = machine_of(seen, vm_id)
    if vm is None:
        return Compared(standing=Standing.ABSENT, disks_settled=True)
    before, now = _chains_of(expected.disks), {d.label: _paths(d) for d in vm.disks}
    removed = {path for disk in expected.removes for path in disk.paths}
    settled = now == {label: _less(paths, removed) for label, paths in before.items()}
    if _is_gone(expected, vm, removed):
        return Compared(standing=Standing.ABSENT, disks_settled=settled)
    is_whole = all(set(disk.paths) <= set(now.get(disk.label, ())) for disk in expected.removes)
    differences = (
        *_of_machine(expected, vm, is_whole=is_whole),
        *_of_chains(before, now, removed),
    )
    if differences:
        return _changed(*differences)
    standing = Standing.MATCH if now == before else Standing.PARTIAL
    return Compared(standing=standing, disks_settled=settled)


def _changed(*differences: str) -> Compared:
    return Compared(standing=Standing.CHANGED, differences=differences)


def _chains_of(disks: tuple[ExpectedDisk, ...]) -> Chains:
    return {disk.label: disk.paths for disk in disks}


def _is_gone(expected: Expectation, vm: VirtualMachine, removed: set[str]) -> bool:
    """Whether the target is no longer there: the snapshot, or every delta to consolidate."""
    if expected.snapshot is not None:
        return snapshot_of(vm, expected.snapshot.id) is None
    there = {layer.path for disk in vm.disks for layer in disk.layers}
    return removed.isdisjoint(there)


def left_behind(expected: Expectation, vm_id: str, seen: Inventory) -> str | None:
    """Why a target that is gone by its id seems to be there all the same; None: nothing is left.

    Somebody renamed it, or its record was lost and its images were not merged.
    """
    vm, wanted = machine_of(seen, vm_id), expected.snapshot
    if vm is None or wanted is None:
        return None
    for snapshot in vm.snapshots:
        if wanted.identity is not None and snapshot.identity == wanted.identity:
            return f"name: {wanted.name} became {snapshot.name}"
    removed = {path for disk in expected.removes for path in disk.paths}
    left = [layer.path for disk in vm.disks for layer in disk.layers if layer.path in removed]
    return f"it is gone, and its image {left[0]} is still in use" if left else None


def _of_machine(expected: Expectation, vm: VirtualMachine, *, is_whole: bool) -> Iterator[str]:
    """Each field that differs. ``is_whole``: none of the target's own images is gone yet."""
    if vm.name != expected.vm_name:
        yield f"name of the machine: {expected.vm_name!r} became {vm.name!r}"
    wanted = expected.snapshot
    snapshot = snapshot_of(vm, wanted.id) if wanted is not None else None
    if wanted is None or snapshot is None:
        return
    found = _expected_snapshot(vm, snapshot)
    for field in ("name", "description", "kind", "created_at", "parent_id"):
        planned, present = getattr(wanted, field), getattr(found, field)
        if planned != present:
            yield f"{field.replace('_', ' ')}: {_shown(planned)} became {_shown(present)}"
    if not _is_same(wanted.identity, found.identity, is_whole=is_whole):
        yield f"identity: {wanted.identity} became {found.identity}"
    if wanted.child_ids != found.child_ids:
        yield f"children: {_listed(wanted.child_ids)} became {_listed(found.child_ids)}"


def _is_same(planned: str | None, present: str | None, *, is_whole: bool) -> bool:
    """Once our own merge has taken one of its images away, what was read off them is gone too."""
    if planned == present or is_whole or planned is None or present is None:
        return planned == present
    return planned.partition(".")[0] == present.partition(".")[0]


def _shown(value: object) -> str:
    """Texts in quotation marks, so that an empty one can be seen."""
    return "none" if value is None else repr(value) if isinstance(value, str) else str(value)


def _listed(ids: tuple[str, ...]) -> str:
    return ", ".join(ids) or "none"


def _of_chains(before: Chains, now: Chains, removed: set[str]) -> Iterator[str]:
    """Chains may only have lost what the action takes away."""
    for label in sorted(before.keys() | now.keys()):
        planned, present = before.get(label), now.get(label)
        if planned is None or present is None:
            yield f"disk {label}: {'added' if planned is None else 'removed'} since"
        elif present != tuple(p for p in planned if p in present or p not in removed):
            yield f"chain of disk {label}: {len(planned)} images became {_listed(present)}"
