"""Planner: findings → *plan(audit, policy, circumstances)* → Plan. Pure; nothing in it can act."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from snapaudit.enforce import limits as bounds
from snapaudit.enforce.case import Case
from snapaudit.enforce.guards import first_refusal
from snapaudit.enforce.holds import Holds
from snapaudit.enforce.identity import expectation
from snapaudit.enforce.offers import Offer, Place, kept, offers
from snapaudit.enforce.outlook import managers, outlooks, written
from snapaudit.enforce.space import MergeSize, merge_size
from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.finding import Audit, Purpose
from snapaudit.model.inventory import Inventory, Snapshot, VirtualMachine
from snapaudit.model.limits import Limits
from snapaudit.model.plan import (
    Action,
    Bytes,
    Decision,
    Guard,
    Plan,
    Refusal,
    SnapshotId,
    VmId,
)
from snapaudit.model.policy import Policy
from snapaudit.model.tree import SnapshotTree

LIFE = timedelta(hours=72)
NOTHING = Abilities()
ONE_CLUSTER = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a plan depends on beside the audit and the rules.

    ``abilities`` by the word of the platform. ``unsettled`` says, by endpoint and machine, what an
    earlier run left open. ``named``: the endpoints a person named. ``worst``: plan only so many.
    """

    id: str
    author: str
    tool_version: str
    config_digest: str
    rules_digest: str
    limits: Limits
    abilities: Mapping[str, Abilities]
    holds: Holds = field(default_factory=Holds)
    unsettled: Mapping[tuple[str, str], str] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    worst: int | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    case: Case
    offer: Offer


def plan(audit: Audit, policy: Policy, around: Circumstances, now: datetime) -> Plan:
    """Every snapshot that would be deleted, in order; all that is refused; all that is kept."""
    found = offers(audit, policy, now)
    candidates = tuple(_candidates(audit, found.asked, around, now))
    judged = [(one, first_refusal(one.case)) for one in candidates]
    refusals = [_refusal(one.case, *reason) for one, reason in judged if reason is not None]
    accepted = [_action(one) for one, reason in judged if reason is None]
    actions = _numbered(_in_order(accepted), around.id)
    seen = bounds.census(audit.inventories)
    if around.worst is not None:
        left_out, chosen = bounds.worst(actions, around.worst, around.limits, seen)
        refusals += [_left_out(one, left_out[one.id]) for one in actions if one.id in left_out]
        actions = chosen
    return Plan(
        id=around.id,
        planned_at=now,
        expires_at=now + LIFE,
        author=around.author,
        tool_version=around.tool_version,
        config_digest=around.config_digest,
        rules_digest=around.rules_digest,
        managers=managers(audit.inventories),
        limits=written(around.limits),
        actions=actions,
        refusals=tuple(refusals),
        kept=tuple(kept(audit, found)),
        excess=bounds.excess(actions, around.limits, seen),
        datastores=outlooks(audit.inventories, actions, seen),
        snapshots=seen.snapshots,
    )


def _candidates(
    audit: Audit, asked: Mapping[Place, Offer], around: Circumstances, now: datetime
) -> Iterator[_Candidate]:
    """Machine by machine; on each first its chains, then its snapshots as its platform merges."""
    purposes = {(p.endpoint, p.vm_id, p.snapshot_id): p for p in audit.purposes}
    for inventory in audit.inventories:
        abilities = around.abilities.get(inventory.hypervisor, NOTHING)
        for vm in inventory.virtual_machines:
            for snapshot in (None, *merge_order(vm, abilities.order)):
                place = (inventory.endpoint, vm.id, None if snapshot is None else snapshot.id)
                offer = asked.get(place)
                if offer is not None:
                    purpose = purposes.get((*place[:2], place[2] or ""))
                    case = _case(inventory, vm, snapshot, offer, purpose, around, now)
                    yield _Candidate(case, offer)


def merge_order(vm: VirtualMachine, order: MergeOrder) -> tuple[Snapshot, ...]:
    """The machine's snapshots in the order in which its platform merges a line of them best."""
    line = tuple(snapshot for _, snapshot in SnapshotTree(vm.snapshots).walk())
    return line[::-1] if order is MergeOrder.LEAF_FIRST else line


def _case(
    inventory: Inventory,
    vm: VirtualMachine,
    snapshot: Snapshot | None,
    offer: Offer,
    purpose: Purpose | None,
    around: Circumstances,
    now: datetime,
) -> Case:
    return Case(
        kind=offer.kind,
        inventory=inventory,
        vm=vm,
        snapshot=snapshot,
        expected=None,
        size=merge_size(vm, snapshot, now),
        now=now,
        limits=around.limits,
        abilities=around.abilities.get(inventory.hypervisor, NOTHING),
        held=around.holds.why_held(inventory.endpoint, vm, snapshot, now),
        unsettled=around.unsettled.get((inventory.endpoint, vm.id)),
        purpose=purpose,
        may_hold_memory=offer.may_hold_memory,
        is_named=inventory.endpoint in around.named,
    )


def _action(candidate: _Candidate) -> Action:
    case = candidate.case
    vm, snapshot, size = case.vm, case.snapshot, case.size
    doubt = vm.consolidation_doubt if snapshot is None else None
    stores = tuple(store for store in size.datastore_ids if store is not None)
    return Action(
        id="",
        kind=case.kind,
        endpoint=case.inventory.endpoint,
        vm_id=VmId(vm.id),
        vm_name=vm.name,
        snapshot_id=None if snapshot is None else SnapshotId(snapshot.id),
        snapshot_name=None if snapshot is None else snapshot.name,
        expects=expectation(case.inventory, vm, snapshot),
        because=candidate.offer.because,
        frees_bytes=_frees(vm, snapshot, size),
        merges_bytes=size.merges_bytes or 0,
        needs_bytes=size.needs_bytes or 0,
        datastore_id=stores[0] if stores else None,
        datastore_ids=stores,
        host_id=vm.host_id,
        decision=Decision.APPLY if doubt is None else Decision.SKIP,
        note=doubt or "",
    )


def _frees(vm: VirtualMachine, snapshot: Snapshot | None, size: MergeSize) -> Bytes:
    """What is promised. Sizes count whole clusters, of which a file system may hold a part."""
    if snapshot is None:
        return Bytes(min=0, max=size.merges_bytes)
    gain = snapshot.reclaimable_bytes
    return Bytes(min=max(0, gain.min - ONE_CLUSTER * len(vm.disks)), max=gain.max)


def _in_order(actions: Sequence[Action]) -> list[Action]:
    """The machine that gives most back first; a machine's own actions stay in their order."""
    gives: dict[tuple[str, str], int] = {}
    for action in actions:
        machine = (action.endpoint, action.vm_id)
        gives[machine] = gives.get(machine, 0) + action.frees_bytes.min
    return sorted(
        actions,
        key=lambda a: (-gives[a.endpoint, a.vm_id], a.endpoint, a.vm_name, a.vm_id),
    )


def _numbered(actions: Sequence[Action], plan_id: str) -> tuple[Action, ...]:
    return tuple(
        replace(action, id=f"{plan_id}-{number}") for number, action in enumerate(actions, 1)
    )


def _refusal(case: Case, guard: Guard, reason: str) -> Refusal:
    snapshot = case.snapshot
    return Refusal(
        kind=case.kind,
        endpoint=case.inventory.endpoint,
        vm_id=case.vm.id,
        vm_name=case.vm.name,
        snapshot_id=None if snapshot is None else snapshot.id,
        snapshot_name=None if snapshot is None else snapshot.name,
        guard=guard,
        reason=reason,
    )


def _left_out(action: Action, reason: str) -> Refusal:
    return Refusal(
        kind=action.kind,
        endpoint=action.endpoint,
        vm_id=action.vm_id,
        vm_name=action.vm_name,
        snapshot_id=action.snapshot_id,
        snapshot_name=action.snapshot_name,
        guard=Guard.WITHIN_LIMITS,
        reason=reason,
    )
