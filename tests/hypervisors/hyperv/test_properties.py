"""Whatever people did to their checkpoints: sums, gains and needs are true, the unknown spreads."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.hypervisors.hyperv import sizes
from snapaudit.hypervisors.hyperv.rows import Answer, CheckpointRow
from snapaudit.hypervisors.hyperv.translate import View, view
from snapaudit.model.inventory import CoverageState, Inventory, LayerRole
from snapaudit.model.soundness import faults
from tests.hypervisors.hyperv.hrows import (
    answer,
    checkpoint_row,
    disk_row,
    drive,
    file_row,
    guid,
    host_row,
    machine_row,
    volume_row,
)
from tests.hypervisors.hyperv.merging import BLOCK, CAPACITY, Machine, told
from tests.hypervisors.hyperv.seen import machine as named
from tests.hypervisors.hyperv.seen import read, reading

# The machine may be at work elsewhere: no time is asked of an example.
PATIENT = settings(deadline=None, max_examples=60)

Deed = tuple[str, int, int]


def deeds(*kinds: str) -> st.SearchStrategy[list[Deed]]:
    one = st.tuples(st.sampled_from(kinds), st.integers(0, 9), st.integers(0, CAPACITY - 1))
    return st.lists(one, max_size=20)


def done(machine: Machine, what: list[Deed]) -> Machine:
    for kind, number, block in what:
        if kind == "write":
            machine.write(number, block)
        elif kind == "checkpoint":
            machine.checkpoint()
        elif kind == "apply":
            machine.apply(number)
        elif kind == "lose":
            machine.lose(number)
        elif machine.records:
            machine.remove(sorted(machine.records)[number % len(machine.records)])
    return machine


DISKS = st.lists(st.booleans(), min_size=1, max_size=2)
ANY = deeds("write", "write", "checkpoint", "apply", "lose", "remove")
HEALTHY = deeds("write", "write", "checkpoint", "checkpoint", "apply")


@st.composite
def machines(draw: st.DrawFn, what: st.SearchStrategy[list[Deed]] = ANY) -> list[Machine]:
    names = ("web", "db", "mail")[: draw(st.integers(1, 3))]
    return [done(Machine(name, draw(DISKS)), draw(what)) for name in names]


def figures(seen: View, machine: Machine) -> dict[str, sizes.Sizes]:
    ours, around = seen.around.machines[guid(machine.name)], seen.around
    return {
        cp.name: sizes.measured(
            cp, ours, around.images, sizes.parts(cp, ours, around.images, around.written)
        )
        for cp in ours.found.checkpoints
    }


@PATIENT
@given(machines())
def test_deltas_and_strays_and_orphans_are_all_automatic_files(some: list[Machine]) -> None:
    host = told(some)
    seen, found = view(reading(host)), read(host)
    orphans = {stray.path: stray.size_bytes or 0 for stray in found.strays}
    for machine in some:
        ours = seen.around.machines[guid(machine.name)]
        deltas = [one.delta_bytes for one in figures(seen, machine).values()]
        strays = [seen.around.images.size(key) for key in ours.strays]
        lost = [size for path, size in orphans.items() if path in machine.files]
        every = sum(file.size for file in machine.automatic.values())
        assert sum(size or 0 for size in (*deltas, *strays, *lost)) == every
        assert None not in deltas


@PATIENT
@given(machines())
def test_orphan_is_a_file_that_no_chain_needs(some: list[Machine]) -> None:
    found = read(told(some))
    needed = {path for machine in some for path in machine._in_chains()}
    assert {stray.path for stray in found.strays} == {
        path for machine in some for path in machine.automatic if path not in needed
    }


@PATIENT
@given(machines(HEALTHY))
def test_gain_holds_against_the_deletion_itself(some: list[Machine]) -> None:
    found = read(told(some))
    for machine in some:
        for shot in named(found, machine.name).snapshots:
            system = machine.records[shot.name].system
            freed = machine.total - machine.without(shot.name).total + system
            gain = shot.reclaimable_bytes
            assert gain.min <= freed <= (freed if gain.max is None else gain.max)
            assert gain.max is not None


@PATIENT
@given(machines(HEALTHY))
def test_need_is_never_less_than_what_a_held_file_grows_by(some: list[Machine]) -> None:
    seen = view(reading(told(some)))
    for machine in some:
        ours, around = seen.around.machines[guid(machine.name)], seen.around
        for cp in ours.found.checkpoints:
            after = machine.without(cp.name)
            for part in sizes.parts(cp, ours, around.images, around.written):
                need, was = sizes.need(part), machine.files[part.held.path].size
                there = after.files.get(part.held.path)
                assert need is not None
                assert need >= 0
                assert (there.size if there else was) - was <= need


@PATIENT
@given(machines(), st.data())
def test_c1_nothing_is_an_orphan_while_a_node_is_missing(
    some: list[Machine], data: st.DataObject
) -> None:
    nodes = [
        told([machine], host_row(f"N{number}", cluster="c")) for number, machine in enumerate(some)
    ]
    missing = data.draw(st.integers(0, len(nodes)))
    there = [one for number, one in enumerate(nodes) if number != missing] or nodes
    found = read(*there, failed={f"n{missing}": "nothing answered"})
    assert found.strays == ()
    assert found.coverage.state is CoverageState.PARTIAL


@PATIENT
@given(machines())
def test_whatever_happened_the_inventory_is_sound(some: list[Machine]) -> None:
    found = read(told(some))
    assert list(faults(found)) == []
    for machine in some:
        vm = named(found, machine.name)
        phantoms = [
            layer for disk in vm.disks for layer in disk.layers if layer.role is LayerRole.PHANTOM
        ]
        assert vm.consolidation_needed is not False or not phantoms


@PATIENT
@given(machines(), st.data())
def test_inv_07_one_unknown_size_makes_its_checkpoint_unknown_and_no_other(
    some: list[Machine], data: st.DataObject
) -> None:
    host = told(some)
    before = read(host)
    automatic = [row for row in host.disks if row.path.endswith(".avhdx")]
    if not automatic:
        return
    blank = data.draw(st.sampled_from(automatic))
    host.disks[host.disks.index(blank)] = replace(blank, file_bytes=None)
    host.files = []
    after = read(host)
    for vm in after.virtual_machines:
        for shot in vm.snapshots:
            known = named(before, vm.name)
            old = next(one for one in known.snapshots if one.id == shot.id)
            is_hit = blank.parent in _holds(host, shot.id)
            assert (shot.size_bytes is None) == is_hit
            assert is_hit or shot.size_bytes == old.size_bytes


def _holds(answer: Answer, checkpoint: str) -> list[str | None]:
    row: CheckpointRow = next(cp for cp in answer.checkpoints if cp.id == checkpoint)
    return [drive.path for drive in row.drives]


def free_targets(found: Inventory) -> set[str]:
    if found.coverage.state is not CoverageState.COMPLETE:
        return set()
    return {
        shot.id
        for vm in found.virtual_machines
        for shot in vm.snapshots
        if not shot.protections and not vm.is_template and vm.consolidation_needed is False
    }


@PATIENT
@given(machines(), st.data())
def test_inv_13_a_row_that_is_missing_never_frees_a_checkpoint(
    some: list[Machine], data: st.DataObject
) -> None:
    host = told(some)
    host.volumes = [volume_row("C:\\"), volume_row("D:\\")]
    before = free_targets(read(host))
    lost = data.draw(st.sampled_from([*host.disks, *host.volumes]))
    host.disks = [row for row in host.disks if row is not lost]
    host.volumes = [row for row in host.volumes if row is not lost]
    assert free_targets(read(host)) <= before


@PATIENT
@given(machines(HEALTHY))
def test_straight_line_is_free_and_deleting_its_oldest_leaves_the_rest_as_it_was(
    some: list[Machine],
) -> None:
    """The paths of a chain after a merge are those before it, less the one that was merged."""
    found = read(told(some))
    for machine in some:
        vm = named(found, machine.name)
        for shot in vm.snapshots:
            if shot.id not in free_targets(found):
                continue
            after = named(read(told([machine.without(shot.name)])), machine.name)
            for disk, then in zip(vm.disks, after.disks, strict=True):
                gone = {item.path for item in disk.layers if item.snapshot_id == shot.id}
                left = [item.path for item in disk.layers if item.path not in gone]
                assert [item.path for item in then.layers] == left
            others = {one.id: one.identity for one in vm.snapshots if one.id != shot.id}
            assert {one.id: one.identity for one in after.snapshots} == others


PATHS = [
    f"D:\\VMs\\{name}" for name in ("a.vhdx", "b.vhdx", "c.avhdx", "d.avhdx", "E.AVHDX", "f.avhd")
]
SOME_PATH = st.sampled_from([*PATHS, *(path.lower() for path in PATHS)])


DRIVES = st.lists(st.none() | SOME_PATH, max_size=2).map(
    lambda paths: [drive(path, slot) for slot, path in enumerate(paths)]
)


@st.composite
def garbled(draw: st.DrawFn) -> Answer:
    """Links in circles, files nobody tells of, checkpoints that hold anything."""
    disks = draw(
        st.lists(st.tuples(SOME_PATH, st.none() | SOME_PATH, st.none() | st.integers(0, 9)))
    )
    names = draw(st.lists(st.sampled_from(["web", "db"]), unique=True))
    rows: list[object] = [disk_row(path, up, file_bytes=size) for path, up, size in disks]
    for name in names:
        shots = draw(st.lists(st.sampled_from(["s1", "s2", "s3"]), unique=True))
        parents = st.none() | st.sampled_from([guid(f"{name} {one}") for one in ("s1", "s2", "s3")])
        rows += [checkpoint_row(name, s, *draw(DRIVES), parent=draw(parents)) for s in shots]
        rows.append(machine_row(name, *draw(DRIVES), parent_checkpoint=draw(parents)))
    files = draw(st.lists(SOME_PATH))
    return answer(*rows, *(file_row(path) for path in files))


@PATIENT
@given(garbled())
def test_whatever_a_host_tells_every_automatic_file_of_a_chain_is_one_of_three(
    told_so: Answer,
) -> None:
    found, seen = read(told_so), view(reading(told_so))
    assert list(faults(found)) == []
    for ours in seen.machines:
        kinds = [*ours.owners, *ours.strays, *ours.unexplained]
        assert sorted(kinds) == sorted(
            k for k in ours.keys if seen.around.images.by_key[k].is_automatic
        )
        for cp in ours.found.checkpoints:
            parts = sizes.parts(cp, ours, seen.around.images, seen.around.written)
            assert all((sizes.need(part) or 0) >= 0 for part in parts)


@PATIENT
@given(garbled())
def test_whatever_a_host_tells_a_chain_that_is_not_whole_frees_nothing(told_so: Answer) -> None:
    found, seen = read(told_so), view(reading(told_so))
    for ours in seen.machines:
        if any(chain.trouble for chain in ours.chains) or ours.strays or ours.unexplained:
            shots = next(vm for vm in found.virtual_machines if vm.id == ours.id).snapshots
            assert all(shot.protections for shot in shots)


def test_simulated_merge_writes_down_what_was_written_since() -> None:
    machine = Machine("web", [False])
    machine.checkpoint()
    machine.write(0, 3)
    machine.write(0, 0)
    assert machine.total == 3 * BLOCK
    assert machine.without("s1").total == 2 * BLOCK
