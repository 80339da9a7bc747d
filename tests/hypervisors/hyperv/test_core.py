"""The safety core on these inventories: what it expects of a deletion is what a deletion does."""

from __future__ import annotations

from hypothesis import given

from snapaudit.enforce.identity import Standing, compare, expectation
from snapaudit.enforce.space import merge_size
from snapaudit.enforce.verify import freed_bytes
from snapaudit.model.inventory import Inventory, Snapshot
from snapaudit.model.tree import SnapshotTree
from tests.builders import NOW
from tests.hypervisors.hyperv.merging import Machine, told
from tests.hypervisors.hyperv.seen import machine as named
from tests.hypervisors.hyperv.seen import read
from tests.hypervisors.hyperv.test_properties import HEALTHY, PATIENT, free_targets, machines


def line_of(found: Inventory, name: str) -> list[Snapshot]:
    """The checkpoints of a machine without branches that nothing protects, oldest first."""
    shots = [shot for _, shot in SnapshotTree(named(found, name).snapshots).walk()]
    tree = SnapshotTree(shots)
    is_line = len(tree.roots) <= 1 and all(len(tree.children(shot.id)) <= 1 for shot in shots)
    is_at_end = not shots or named(found, name).current_snapshot_id == shots[-1].id
    free = {shot.id for shot in shots} <= free_targets(found)
    return shots if is_line and is_at_end and free else []


@PATIENT
@given(machines(HEALTHY))
def test_inv_17_target_is_absent_and_disks_agree_after_the_deletion(some: list[Machine]) -> None:
    found = read(told(some))
    for machine in some:
        vm = named(found, machine.name)
        for shot in line_of(found, machine.name):
            expected = expectation(found, vm, shot)
            assert compare(expected, vm.id, found).standing is Standing.MATCH
            after = read(told([machine.without(shot.name)]))
            compared = compare(expected, vm.id, after)
            assert (compared.standing, compared.disks_settled) == (Standing.ABSENT, True)


@PATIENT
@given(machines(HEALTHY))
def test_what_the_merge_frees_lies_in_the_range_that_was_promised(some: list[Machine]) -> None:
    found = read(told(some))
    for machine in some:
        vm = named(found, machine.name)
        for shot in line_of(found, machine.name):
            after = named(read(told([machine.without(shot.name)])), machine.name)
            freed, system = freed_bytes(vm, after), machine.records[shot.name].system
            gain = shot.reclaimable_bytes
            assert freed is not None
            assert gain.max is not None
            assert gain.min <= freed + system <= gain.max


@PATIENT
@given(machines(HEALTHY))
def test_grd_16_merge_copies_the_deltas_and_needs_what_the_files_below_may_grow_by(
    some: list[Machine],
) -> None:
    found = read(told(some))
    for machine in some:
        vm = named(found, machine.name)
        for shot in line_of(found, machine.name):
            size = merge_size(vm, shot, NOW)
            system = machine.records[shot.name].system
            assert size.merges_bytes == (shot.size_bytes or 0) - system
            after = machine.without(shot.name)
            grown = sum(
                max(0, file.size - machine.files[path].size) for path, file in after.files.items()
            )
            assert size.needs_bytes is not None
            assert grown <= size.needs_bytes
            assert size.datastore_ids == ("D:\\",)
