"""The next call, read off what is seen: one removal, and one consolidation where it left deltas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from snapaudit.hypervisors.vsphere import calls
from snapaudit.hypervisors.vsphere.reading import Machine
from snapaudit.hypervisors.vsphere.ways import Way
from snapaudit.model.acting import Call
from snapaudit.model.inventory import LayerRole, VirtualMachine
from snapaudit.model.plan import Action, Expectation, ExpectedDisk, SnapshotId, VmId
from snapaudit.model.policy import Remedy
from tests.builders import disk, inventory, layer, snapshot, vm
from tests.enforce.planned import action, expectation

BASE, FIRST, SECOND = (f"[ds1] web01/web01{end}.vmdk" for end in ("", "-000001", "-000002"))
MACHINE = Machine(
    manager="vc-1",
    moid="vm-42",
    instance_uuid="i-42",
    uuid="u-42",
    snapshots=(),
    in_background=False,
    recent=(),
)


def machine(*taken: str, left: LayerRole | None = None, **changes: Any) -> VirtualMachine:
    """A machine with these snapshots in a line; ``left``: how the first delta stands there."""
    shots = tuple(snapshot(one, identity=f"id-{one}") for one in taken)
    layers = [layer(BASE)]
    layers += [layer(FIRST, role=left)] if left is not None else []
    return vm("web01", *shots, **{"id": "vm-42", "disks": (disk(*layers),), **changes})


def deletion(identity: str | None = "id-snapshot-1") -> Action:
    taken = expectation().snapshot
    assert taken is not None
    expects = Expectation(
        manager_id="vc-1",
        vm_name="web01",
        snapshot=replace(taken, id=SnapshotId("snapshot-1"), identity=identity),
        disks=(ExpectedDisk(label="vda", paths=(BASE, FIRST)),),
        removes=(ExpectedDisk(label="vda", paths=(FIRST,)),),
    )
    return action(vm_id=VmId("vm-42"), snapshot_id=SnapshotId("snapshot-1"), expects=expects)


def consolidation() -> Action:
    expects = replace(deletion().expects, snapshot=None)
    return replace(deletion(), kind=Remedy.CONSOLIDATE, snapshot_id=None, expects=expects)


def following(
    wanted: Action, seen: VirtualMachine | None, *made: Call, who: Machine | None = MACHINE
) -> Call | None:
    machines = () if seen is None else (seen,)
    return Way(action=wanted, seen=inventory(*machines), made=made, machine=lambda: who).next_call()


REMOVAL = calls.remove(MACHINE, snapshot("snapshot-1", identity="id-snapshot-1"))
AFTERWARDS = calls.consolidate_after(REMOVAL)


def test_inv_04_deletion_is_one_removal_of_one_snapshot_that_names_all_it_is_about() -> None:
    call = following(deletion(), machine("snapshot-1", "snapshot-2"))
    assert call == REMOVAL
    assert call.name == "remove-snapshot"
    assert call.about == {
        "vm_id": "vm-42",
        "manager": "vc-1",
        "machine": "i-42",
        "snapshot": "snapshot-1",
        "identity": "id-snapshot-1",
    }


@pytest.mark.parametrize("identity", ["another", None])
def test_inv_02_snapshot_of_another_identity_than_planned_has_no_way(identity: str | None) -> None:
    assert following(deletion(identity), machine("snapshot-1")) is None
    unknown = machine("snapshot-1")
    shots = (replace(unknown.snapshots[0], identity=None),)
    assert following(deletion(identity), replace(unknown, snapshots=shots)) is None


def test_inv_15_removal_that_came_to_nothing_is_not_made_again() -> None:
    assert following(deletion(), machine("snapshot-1"), REMOVAL) is None


def test_nothing_follows_when_snapshot_and_delta_are_gone() -> None:
    assert following(deletion(), machine("snapshot-2"), REMOVAL) is None


@pytest.mark.parametrize(
    "seen",
    [
        machine("snapshot-2", left=LayerRole.PHANTOM, consolidation_needed=False),
        machine("snapshot-2", consolidation_needed=True),
    ],
)
def test_p8_one_consolidation_follows_where_delta_or_flag_is_left(seen: VirtualMachine) -> None:
    call = following(deletion(), seen, REMOVAL)
    assert call == AFTERWARDS
    assert call.follows
    assert not call.tidies
    assert call.about == {"vm_id": "vm-42", "manager": "vc-1", "machine": "i-42"}
    assert following(deletion(), seen, REMOVAL, AFTERWARDS) is None


def test_delta_that_a_snapshot_explains_by_now_is_nobody_s_rest() -> None:
    seen = machine("snapshot-2", left=LayerRole.DELTA, consolidation_needed=False)
    assert following(deletion(), seen, REMOVAL) is None


def test_unknown_flag_is_no_reason_to_consolidate() -> None:
    assert following(deletion(), machine(consolidation_needed=None), REMOVAL) is None


def test_what_somebody_else_deleted_is_not_consolidated_for_them() -> None:
    seen = machine(left=LayerRole.PHANTOM, consolidation_needed=True)
    assert following(deletion(), seen) is None


@pytest.mark.parametrize(
    "seen",
    [machine(left=LayerRole.PHANTOM), machine(consolidation_needed=True)],
)
def test_consolidation_is_one_call(seen: VirtualMachine) -> None:
    call = following(consolidation(), seen)
    assert call is not None
    assert call.name == "consolidate-disks"
    assert not call.follows
    assert following(consolidation(), seen, call) is None


def test_consolidation_of_what_needs_none_is_no_call() -> None:
    assert following(consolidation(), machine("snapshot-1")) is None


@pytest.mark.parametrize("wanted", [deletion(), consolidation()])
def test_machine_that_is_gone_has_no_way(wanted: Action) -> None:
    seen = machine("snapshot-1", left=LayerRole.PHANTOM)
    assert following(wanted, None) is None
    assert following(wanted, seen, who=None) is None
