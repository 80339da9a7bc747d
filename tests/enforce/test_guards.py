"""Each guard: one deletion that nothing forbids, and each way to spoil it with its guard's name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from snapaudit.enforce.case import Case
from snapaudit.enforce.guards import GUARDS, first_refusal
from snapaudit.enforce.identity import expectation
from snapaudit.enforce.space import merge_size
from snapaudit.model.acting import Abilities
from snapaudit.model.finding import Purpose
from snapaudit.model.inventory import Coverage, CoverageState, Inventory, LayerRole, VirtualMachine
from snapaudit.model.limits import Limits, Window
from snapaudit.model.plan import Guard
from snapaudit.model.policy import Remedy
from tests.builders import GIB, NOW, ago, datastore, disk, gain, inventory, layer, snapshot, vm

OLD = "before-upgrade"


def machine(**changes: Any) -> VirtualMachine:
    """One external snapshot of nine days on one disk."""
    delta = layer("/vm/web01.old", role=LayerRole.DELTA, snapshot_id=OLD, size_bytes=GIB)
    shot = snapshot(OLD, age="9d", kind="external")
    fields: dict[str, Any] = {"disks": (disk(layer(), delta),), "snapshots": (shot,)}
    return replace(vm("web01"), **{**fields, **changes})


def view(*machines: VirtualMachine, **changes: Any) -> Inventory:
    return inventory(*machines, **{"connection_verified": True, **changes})


def case(seen: Inventory | None = None, **changes: Any) -> Case:
    """The deletion of that snapshot, at the last look: expected is what an untouched view shows."""
    planned = view(machine())
    seen = seen or planned
    found = seen.virtual_machines[0]
    shot = next((each for each in found.snapshots if each.id == OLD), None)
    shots = planned.virtual_machines[0].snapshots
    fields: dict[str, Any] = {
        "kind": Remedy.DELETE_SNAPSHOT,
        "inventory": seen,
        "vm": found,
        "snapshot": shot,
        "expected": expectation(planned, planned.virtual_machines[0], shots[0]),
        "size": merge_size(found, shot, NOW),
        "now": NOW,
        "limits": Limits(),
        "abilities": Abilities(supports=frozenset(Remedy)),
        "held": None,
        "unsettled": None,
        "purpose": None,
        "may_hold_memory": False,
        "is_named": False,
    }
    return Case(**{**fields, **changes})


def planning(found: VirtualMachine) -> Case:
    """A case while planning, so that nothing is expected yet."""
    return case(view(found), expected=None)


def shot(**changes: Any) -> VirtualMachine:
    age = changes.pop("age", "9d")
    made = snapshot(OLD, age=age, kind="external")
    return machine(snapshots=(replace(made, **changes),))


def purpose(word: str) -> Purpose:
    return Purpose(
        endpoint="kvm1", vm_id="id-web01", snapshot_id=OLD, purpose=word, score=0, reasons=("name",)
    )


def covered(state: CoverageState, **changes: Any) -> Case:
    return case(view(machine(), coverage=Coverage(state=state)), **changes)


def test_nothing_forbids_the_deletion_that_the_others_spoil() -> None:
    assert first_refusal(case()) is None
    assert first_refusal(planning(machine())) is None


def window(day: int) -> Window:
    """Open from 11 to 13 h UTC on one day of the week; NOW is noon on a Monday."""
    return Window(
        text="some day 11:00-13:00 UTC",
        days=frozenset({day}),
        opens=timedelta(hours=11),
        closes=timedelta(hours=13),
        zone=ZoneInfo("UTC"),
    )


def _fork() -> VirtualMachine:
    old = machine().snapshots[0]
    twins = (snapshot(name, age="5d", kind="external", parent_id=OLD) for name in ("a", "b"))
    return machine(snapshots=(old, *twins))


def _roots() -> VirtualMachine:
    return machine(snapshots=(*machine().snapshots, snapshot("other root", age="5d")))


def _reverted() -> VirtualMachine:
    """Nothing was taken since, so the tree alone still looks like a line."""
    later = snapshot("later", age="5d", kind="external", parent_id=OLD)
    return machine(snapshots=(*machine().snapshots, later), current_snapshot_id=OLD)


def _beside(**changes: Any) -> Case:
    return case(view(machine(), datastores=(datastore(**changes),)))


_SPOILT: tuple[tuple[str, Guard, Case], ...] = (
    ("not verified", Guard.VERIFIED_CONNECTION, case(view(machine(), connection_verified=False))),
    ("nobody said", Guard.VERIFIED_CONNECTION, case(view(machine(), connection_verified=None))),
    *(
        (f"view {state}", Guard.WHOLE_VIEW, covered(state))
        for state in CoverageState
        if state is not CoverageState.COMPLETE
    ),
    ("named but partial", Guard.WHOLE_VIEW, covered(CoverageState.PARTIAL, is_named=True)),
    ("other manager", Guard.UNCHANGED, case(view(machine(), manager_id="manager-2"))),
    ("machine renamed", Guard.UNCHANGED, case(view(machine(name="web02")))),
    ("renamed", Guard.UNCHANGED, case(view(shot(name="older")))),
    ("described anew", Guard.UNCHANGED, case(view(shot(description="keep")))),
    ("another kind", Guard.UNCHANGED, case(view(shot(kind="internal")))),
    ("recreated", Guard.UNCHANGED, case(view(shot(age="8d")))),
    ("same second", Guard.UNCHANGED, case(view(shot(identity="another")))),
    ("new parent", Guard.UNCHANGED, case(view(shot(parent_id="somebody")))),
    (
        "new child",
        Guard.UNCHANGED,
        case(view(machine(snapshots=(*machine().snapshots, snapshot("c", parent_id=OLD))))),
    ),
    ("gone", Guard.UNCHANGED, case(view(machine(snapshots=())))),
    ("moved", Guard.UNCHANGED, case(view(machine(disks=(disk(layer("/elsewhere")),))))),
    (
        "a disk added",
        Guard.UNCHANGED,
        case(view(machine(disks=(*machine().disks, disk(layer("/vm/b"), label="vdb"))))),
    ),
    ("a disk removed", Guard.UNCHANGED, case(view(machine(disks=())))),
    ("id used twice", Guard.UNCHANGED, case(view(machine(), machine(name="twin")))),
    ("held", Guard.HELD, case(held="ada wants it")),
    ("unsettled", Guard.NOT_BUSY, case(unsettled="an earlier call is open")),
    ("busy", Guard.NOT_BUSY, case(view(machine(busy=True)))),
    ("perhaps busy", Guard.NOT_BUSY, case(view(machine(busy=None)))),
    ("no way", Guard.PROTECTED, case(abilities=Abilities())),
    ("protected machine", Guard.PROTECTED, case(view(machine(protections=("clone: one",))))),
    ("protected", Guard.PROTECTED, case(view(shot(protections=("backup: running",))))),
    ("template", Guard.PROTECTED, case(view(machine(is_template=True)))),
    *(
        (word, Guard.PROTECTED, case(purpose=purpose(word)))
        for word in ("backup_product", "replication", "clone_base")
    ),
    (
        "a product that is named",
        Guard.PROTECTED,
        case(purpose=replace(purpose("change_safety"), product="rubrik")),
    ),
    ("memory", Guard.PROTECTED, case(view(shot(has_memory=True)))),
    ("perhaps memory", Guard.PROTECTED, case(view(shot(has_memory=None)))),
    ("fork", Guard.LINEAR_CHAIN, planning(_fork())),
    ("reverted", Guard.LINEAR_CHAIN, planning(_reverted())),
    ("two roots", Guard.LINEAR_CHAIN, planning(_roots())),
    ("to consolidate", Guard.LINEAR_CHAIN, case(view(machine(consolidation_needed=True)))),
    ("perhaps", Guard.LINEAR_CHAIN, case(view(machine(consolidation_needed=None)))),
    (
        "size unknown",
        Guard.KNOWN_SIZE,
        case(view(shot(size_bytes=None, reclaimable_bytes=gain(0, None, "unknown")))),
    ),
    (
        "a delta unknown",
        Guard.KNOWN_SIZE,
        case(size=replace(case().size, merges_bytes=None, needs_bytes=None)),
    ),
    ("young", Guard.MIN_AGE, planning(shot(age="71h"))),
    ("undated", Guard.MIN_AGE, planning(shot(created_at=None))),
    ("from the future", Guard.MIN_AGE, planning(shot(created_at=NOW + timedelta(days=400)))),
    ("epoch", Guard.MIN_AGE, planning(shot(created_at=ago("20000d")))),
    ("clock ahead", Guard.MIN_AGE, case(view(machine(), clock_skew_seconds=3601.0))),
    ("clock behind", Guard.MIN_AGE, case(view(machine(), clock_skew_seconds=-3601.0))),
    (
        "clock unknown and a margin of minutes",
        Guard.MIN_AGE,
        case(view(shot(age="72h30m"), clock_skew_seconds=None), expected=None),
    ),
    (
        "not a lab",
        Guard.MIN_AGE,
        case(view(shot(age="2h")), limits=Limits(min_age=timedelta(hours=1)), expected=None),
    ),
    ("full", Guard.ROOM_TO_MERGE, _beside(free_bytes=0)),
    ("into the reserve", Guard.ROOM_TO_MERGE, _beside(free_bytes=51 * GIB)),
    ("free unknown", Guard.ROOM_TO_MERGE, _beside(free_bytes=None)),
    ("capacity unknown", Guard.ROOM_TO_MERGE, _beside(capacity_bytes=None)),
    ("not accessible", Guard.ROOM_TO_MERGE, _beside(accessible=False)),
    ("no such datastore", Guard.ROOM_TO_MERGE, case(view(machine(), datastores=()))),
    ("need unknown", Guard.ROOM_TO_MERGE, case(size=replace(case().size, needs_bytes=None))),
    ("closed", Guard.IN_WINDOW, case(limits=Limits(window=window(6)))),
)


@pytest.mark.parametrize(
    ("guard", "spoilt"), [row[1:] for row in _SPOILT], ids=[row[0] for row in _SPOILT]
)
def test_grd_10_each_way_to_spoil_a_deletion_is_refused_by_its_guard(
    guard: Guard, spoilt: Case
) -> None:
    refused = first_refusal(spoilt)
    assert refused is not None
    assert refused[0] is guard
    assert refused[1]


def test_every_guard_but_the_one_on_the_whole_plan_is_asked_and_spoilt() -> None:
    asked = {guard for guard, _ in GUARDS}
    assert asked == set(Guard) - {Guard.WITHIN_LIMITS} == {row[1] for row in _SPOILT}


@pytest.mark.parametrize(
    "allowed",
    [
        covered(CoverageState.SUSPICIOUS, is_named=True),
        case(view(shot(has_memory=True)), may_hold_memory=True),
        planning(shot(age="72h")),
        case(view(shot(age="73h"), clock_skew_seconds=None), expected=None),
        case(
            view(shot(age="2h"), lab=True), limits=Limits(min_age=timedelta(hours=1)), expected=None
        ),
        _beside(free_bytes=52 * GIB),
        case(limits=Limits(window=window(0))),
        case(limits=Limits(window=window(6)), expected=None),
        case(purpose=purpose("makeshift_backup")),
    ],
)
def test_what_a_guard_allows_it_allows(allowed: Case) -> None:
    assert first_refusal(allowed) is None
