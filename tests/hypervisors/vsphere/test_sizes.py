"""What each snapshot caused to be written, by hand-made cases and by a machine that is worked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.hypervisors.vsphere import chains as chained
from snapaudit.hypervisors.vsphere import sizes
from snapaudit.hypervisors.vsphere.chains import Chains
from snapaudit.hypervisors.vsphere.raw import (
    RawDisk,
    RawLayout,
    RawObject,
    RawSnapshot,
    RawTree,
)
from snapaudit.hypervisors.vsphere.sizes import SnapshotSize
from tests.builders import GIB
from tests.hypervisors.vsphere.raws import (
    DESCRIPTOR_BYTES,
    DISK,
    Files,
    Unit,
    device,
    line,
    raw_snapshot,
    snapshot_layout,
    tree,
    worked,
)


def sized(
    layout: RawLayout, made: RawTree, moid: str = "A", devices: Sequence[RawDisk] = (device(),)
) -> SnapshotSize:
    return sizes.of_snapshot(chained.build(layout, made, devices), moid)


def layout_of(machine: RawObject) -> RawLayout:
    found = machine.values["layoutEx"]
    assert isinstance(found, RawLayout)
    return found


def chains_of(machine: RawObject) -> Chains:
    made = machine.values["snapshot"]
    assert isinstance(made, RawTree)
    return chained.build(layout_of(machine), made, (device(),))


def one_snapshot(base: int = 40 * GIB, delta: int = 7 * GIB) -> tuple[Files, Unit, Unit, RawLayout]:
    """A base, snapshot A, and what was written since."""
    files = Files()
    below, above = files.image("web01.vmdk", base), files.image("web01-000001.vmdk", delta, "delta")
    layout = files.layout(
        {DISK: [below, above]}, snapshot_layout("A", files.state("a.vmsn"), {DISK: [below]})
    )
    return files, below, above, layout


# The worked case --------------------------------------------------------------------------------


def test_worked_case_charges_each_delta_to_the_snapshot_that_caused_it() -> None:
    chains = chains_of(worked())
    growth = {moid: sizes.of_snapshot(chains, moid).growth.size for moid in "AB"}
    assert growth == {"A": 11 * GIB, "B": 2 * GIB}


def test_worked_case_shows_what_other_tools_charge_for_comparison() -> None:
    chains = chains_of(worked())
    assert sizes.of_snapshot(chains, "A").frozen.size == 4 * GIB  # memory, which govc leaves out
    assert sizes.of_snapshot(chains, "B").frozen.size == 9 * GIB
    assert "9,663,676,416 bytes" in sizes.of_snapshot(chains, "B").reclaimable.basis


# The eight rules --------------------------------------------------------------------------------


def test_rule_1_a_file_in_many_chains_counts_once() -> None:
    files = Files()
    base, shared = files.image("a.vmdk", 40 * GIB), files.image("a-000001.vmdk", 7 * GIB, "delta")
    tops = [files.image(f"a-00000{number}.vmdk", GIB, "delta") for number in (2, 3, 4)]
    made = tree(raw_snapshot("A"), raw_snapshot("B", "A"), raw_snapshot("C", "A"))
    layout = files.layout(
        {DISK: [base, shared, tops[0]]},
        snapshot_layout("A", files.state("a.vmsn"), {DISK: [base]}),
        snapshot_layout("B", files.state("b.vmsn"), {DISK: [base, shared, tops[1]]}),
        snapshot_layout("C", files.state("c.vmsn"), {DISK: [base, shared]}),
    )
    assert sized(layout, made, "A").growth.size == 8 * GIB
    assert sized(layout, made, "C").growth.size == GIB


def test_rule_2_a_disk_added_since_does_not_charge_its_base() -> None:
    files = Files()
    base, delta = files.image("a.vmdk", 40 * GIB), files.image("a-000001.vmdk", 7 * GIB, "delta")
    added = files.image("b.vmdk", 100 * GIB)
    written = files.image("b-000001.vmdk", 3 * GIB, "delta")
    layout = files.layout(
        {
            DISK: [base, delta, files.image("a-000002.vmdk", GIB, "delta")],
            DISK + 1: [added, written],
        },
        snapshot_layout("A", files.state("a.vmsn"), {DISK: [base]}),
        snapshot_layout("B", files.state("b.vmsn"), {DISK: [base, delta], DISK + 1: [added]}),
    )
    assert sized(layout, line("A", "B"), "A").growth.size == 7 * GIB
    assert sized(layout, line("A", "B"), "B").growth.size == 4 * GIB


def test_rule_2_another_disk_under_the_same_key_counts_as_added() -> None:
    files = Files()
    base, other = files.image("a.vmdk", 40 * GIB), files.image("new.vmdk", 100 * GIB)
    second = files.image("b.vmdk", 10 * GIB)
    delta = files.image("b-000001.vmdk", GIB, "delta")
    layout = files.layout(
        {DISK: [other], DISK + 1: [second, delta]},
        snapshot_layout("A", files.state("a.vmsn"), {DISK: [base], DISK + 1: [second]}),
    )
    found = sized(layout, line("A"))
    assert (found.growth.size, found.pinned.size) == (GIB, 40 * GIB)


def test_rule_3_an_independent_disk_is_left_out() -> None:
    files, base, delta, _ = one_snapshot()
    alone = files.image("data.vmdk", 500 * GIB)
    layout = files.layout(
        {DISK: [base, delta], DISK + 1: [alone]},
        snapshot_layout("A", files.state("a.vmsn"), {DISK: [base]}),
    )
    disks = (device(), device(DISK + 1, mode="independent_persistent"))
    assert sized(layout, line("A"), devices=disks).growth.size == 7 * GIB


def test_rule_3_a_disk_that_has_become_independent_since_is_left_out() -> None:
    files, base, delta, _ = one_snapshot()
    alone = files.image("data.vmdk", 500 * GIB)
    layout = files.layout(
        {DISK: [base, delta], DISK + 1: [alone]},
        snapshot_layout("A", files.state("a.vmsn"), {DISK: [base], DISK + 1: [alone]}),
    )
    disks = (device(), device(DISK + 1, mode="independent_persistent"))
    assert sized(layout, line("A"), devices=disks).growth.size == 7 * GIB


def test_rule_3_a_disk_that_maps_a_lun_is_left_out_of_every_size() -> None:
    files, base, delta, _ = one_snapshot()
    lun, gone = (
        files.image("lun.vmdk", 2000 * GIB, "rdm"),
        files.image("old.vmdk", 900 * GIB, "rdm"),
    )
    written = files.image("lun-000001.vmdk", 50 * GIB, "delta")
    frozen = {DISK: [base], DISK + 1: [lun], DISK + 2: [gone]}
    layout = files.layout(
        {DISK: [base, delta], DISK + 1: [lun, written]},
        snapshot_layout("A", files.state("a.vmsn"), frozen),
    )
    raw = [device(DISK + number, rdm="virtualMode") for number in (1, 2)]
    found = sized(layout, line("A"), devices=(device(), *raw))
    assert (found.growth.size, found.pinned.size) == (7 * GIB, 0)


def test_rule_4_inv_07_a_file_that_is_not_listed_makes_the_size_unknown_not_nothing() -> None:
    files, base, delta, _ = one_snapshot()
    layout = files.layout(
        {DISK: [base, (*delta, 99)]}, snapshot_layout("A", files.state("a.vmsn"), {DISK: [base]})
    )
    found = sized(layout, line("A"))
    assert (found.growth.size, found.growth.known) == (None, 7 * GIB)
    assert found.reclaimable.max is None
    assert found.reclaimable.basis.startswith("unknown, at least 7,516,192,768 bytes: file 99")


def test_rule_4_inv_07_a_file_that_is_not_accessible_makes_the_size_unknown() -> None:
    files, _, delta, layout = one_snapshot()
    key = delta[-1]
    files.files[key] = files.files[key]._replace(is_accessible=False)
    found = sized(layout, line("A"))
    assert (found.growth.size, found.growth.known) == (None, DESCRIPTOR_BYTES)
    assert "web01-000001-delta.vmdk is not accessible" in found.reclaimable.basis


def test_b12_an_impossible_size_is_unknown() -> None:
    files, _, delta, layout = one_snapshot()
    files.files[delta[-1]] = files.files[delta[-1]]._replace(size=-1)
    found = sized(layout, line("A"))
    assert (found.growth.size, found.growth.known) == (None, DESCRIPTOR_BYTES)
    assert "no possible size" in found.reclaimable.basis


def test_rule_4_inv_07_a_snapshot_without_a_list_of_files_is_of_unknown_size() -> None:
    files, base, delta, _ = one_snapshot()
    layout = files.layout({DISK: [base, delta]})
    found = sized(layout, line("A"))
    assert (found.growth.size, found.pinned.size) == (None, None)


def test_rule_4_inv_07_a_child_without_a_list_of_files_makes_its_parent_unknown() -> None:
    _, _, _, layout = one_snapshot()
    found = sized(layout, line("A", "B"))
    assert found.growth.size is None


def test_rule_5_a_linked_clone_is_not_charged_for_images_of_another_machine() -> None:
    files = Files()
    foreign = files.image("[ds1] gold/gold.vmdk", 40 * GIB)
    own, delta = files.image("web01.vmdk", 3 * GIB), files.image("web01-000001.vmdk", GIB, "delta")
    layout = files.layout(
        {DISK: [foreign, own, delta]},
        snapshot_layout("A", files.state("a.vmsn"), {DISK: [foreign, own]}),
    )
    found = sized(layout, line("A"))
    assert (found.growth.size, found.pinned.size) == (GIB, 0)


def test_rule_6_over_a_thick_base_all_of_a_delta_comes_back() -> None:
    _, _, _, layout = one_snapshot(base=40 * GIB)
    gain = sized(layout, line("A")).reclaimable
    assert (gain.min, gain.max) == (7 * GIB, 7 * GIB)


def test_rule_6_a_thin_base_may_grow_by_what_it_lacks_and_no_more() -> None:
    for base, least in ((38 * GIB, 5 * GIB), (10 * GIB, 0)):
        _, _, _, layout = one_snapshot(base=base)
        gain = sized(layout, line("A"), devices=(device(thin=True),)).reclaimable
        assert (gain.min, gain.max) == (least, 7 * GIB)


def test_rule_6_a_delta_below_may_grow_by_all_of_it_and_only_memory_surely_comes_back() -> None:
    machine = worked()
    layout = layout_of(machine)
    gain = sized(layout, line("A", "B"), "B").reclaimable
    assert (gain.min, gain.max) == (0, 2 * GIB)
    thin = sized(layout, line("A", "B"), devices=(device(capacity=None),)).reclaimable
    assert (thin.min, thin.max) == (4 * GIB, 11 * GIB)


def test_rule_6_where_several_branches_stand_on_it_their_files_stay() -> None:
    files = Files()
    base = files.image("a.vmdk", 40 * GIB)
    left, right = (files.image(f"a-00000{n}.vmdk", GIB, "delta") for n in (1, 2))
    memory = files.memory("a.vmem", 4 * GIB)
    layout = files.layout(
        {DISK: [base, right]},
        snapshot_layout("A", files.state("a.vmsn"), {DISK: [base]}, memory=memory),
        snapshot_layout("B", files.state("b.vmsn"), {DISK: [base, left]}),
    )
    gain = sized(layout, tree(*line("A", "B").snapshots, current="A")).reclaimable
    assert (gain.min, gain.max) == (4 * GIB, 6 * GIB)
    assert "branches" in gain.basis


def test_rule_7_the_whole_size_counts_and_not_the_part_that_only_the_array_knows() -> None:
    files, _, delta, layout = one_snapshot()
    files.files[delta[-1]] = files.files[delta[-1]]._replace(unique_size=GIB)
    assert sized(layout, line("A")).growth.size == 7 * GIB


def test_rule_8_sizes_are_bytes_that_a_share_of_the_disks_can_be_reckoned_from() -> None:
    _, _, _, layout = one_snapshot(delta=10 * GIB)
    growth = sized(layout, line("A")).growth.size
    assert growth is not None
    assert growth / (40 * GIB) == 0.25


def test_rule_1_a_file_that_two_images_share_counts_once() -> None:
    files, base, delta, _ = one_snapshot()
    twice = (*files.image("odd.vmdk", GIB), delta[-1], delta[-1])
    layout = files.layout(
        {DISK: [base, delta, twice]}, snapshot_layout("A", files.state("a"), {DISK: [base]})
    )
    assert sized(layout, line("A")).growth.size == 8 * GIB


def test_what_a_snapshot_left_in_the_layout_when_it_went_shares_nothing() -> None:
    files, base, delta, _ = one_snapshot()
    removed = files.image("removed.vmdk", 5 * GIB)
    frozen = {DISK: [base], DISK + 1: [removed]}
    layout = files.layout(
        {DISK: [base, delta]},
        snapshot_layout("A", files.state("a.vmsn"), frozen),
        snapshot_layout("gone", 99, frozen),
    )
    found = sized(layout, line("A"))
    assert (found.growth.size, found.pinned.size) == (7 * GIB, 5 * GIB)


# Object stores ----------------------------------------------------------------------------------


def test_inv_07_a_chain_of_one_unit_has_its_delta_elsewhere_and_is_of_unknown_size() -> None:
    files = Files()
    base = files.image("web01.vmdk", 40 * GIB)
    layout = files.layout({DISK: [base]}, snapshot_layout("A", files.state("a"), {DISK: [base]}))
    found = sized(layout, line("A"))
    assert found.growth.size is None
    assert "no delta of its own" in found.reclaimable.basis


def test_inv_07_a_descriptor_without_listed_data_is_of_unknown_size() -> None:
    for kind, size, known in (("diskDescriptor", 600, None), ("diskDescriptor", 5 * GIB, 5 * GIB)):
        files = Files()
        base = files.image("web01.vmdk", 40 * GIB)
        delta = (files.add("web01-000001.vmdk", size, kind, backing_object_id="object"),)
        layout = files.layout(
            {DISK: [base, delta]}, snapshot_layout("A", files.state("a"), {DISK: [base]})
        )
        assert sized(layout, line("A")).growth.size == known


def test_inv_07_chains_that_contradict_the_tree_give_no_size() -> None:
    files = Files()
    base, one, two = (files.image(f"a-00000{n}.vmdk", GIB, "delta") for n in (0, 1, 2))
    layout = files.layout(
        {DISK: [base, two]}, snapshot_layout("A", files.state("a"), {DISK: [base, one]})
    )
    assert sized(layout, line("A")).growth.size is None


# A machine that is worked -----------------------------------------------------------------------


@dataclass
class Workshop:
    """Takes, reverts, writes, adds and removes as a host does, and keeps account by itself.

    ``owed`` is what each snapshot caused: written down when a delta is made, not read off chains.
    """

    files: Files = field(default_factory=Files)
    now: dict[int, list[Unit]] = field(default_factory=dict)
    frozen: dict[str, dict[int, list[Unit]]] = field(default_factory=dict)
    snapshots: list[RawSnapshot] = field(default_factory=list)
    records: dict[str, tuple[int, int]] = field(default_factory=dict)
    owed: dict[Unit, str] = field(default_factory=dict)
    current: str | None = None

    def add_disk(self, size: int) -> None:
        key = DISK + 10 + len(self.files.files)
        self.now[key] = [self.files.image(f"disk{key}.vmdk", size + GIB)]

    def remove_disk(self, _size: int) -> None:
        if self.now:
            del self.now[min(self.now)]

    def take(self, size: int) -> None:
        moid = f"snapshot-{len(self.snapshots)}"
        self.snapshots.append(raw_snapshot(moid, self.current))
        self.frozen[moid] = {key: list(units) for key, units in self.now.items()}
        data, memory = self.files.state(f"{moid}.vmsn", 7), self.files.memory(f"{moid}.vmem", size)
        self.records[moid] = (data, memory)
        self._write_on(moid, size)

    def revert(self, size: int) -> None:
        if self.snapshots:
            target = self.snapshots[size % len(self.snapshots)].moid
            self.now = {key: list(units) for key, units in self.frozen[target].items()}
            self._write_on(target, size)

    def _write_on(self, moid: str, size: int) -> None:
        self.current = moid
        for units in self.now.values():
            delta = self.files.image(f"delta-{len(self.owed)}.vmdk", size + GIB, "delta")
            units.append(delta)
            self.owed[delta] = moid

    @property
    def layout(self) -> RawLayout:
        shots = (
            snapshot_layout(moid, data, self.frozen[moid], memory=memory)
            for moid, (data, memory) in self.records.items()
        )
        return self.files.layout(self.now, *shots)

    @property
    def tree(self) -> RawTree:
        return RawTree(self.current, tuple(self.snapshots))

    @property
    def chains(self) -> Chains:
        return chained.build(self.layout, self.tree)

    def used(self) -> set[Unit]:
        every = (self.now, *self.frozen.values())
        return {unit for disks in every for units in disks.values() for unit in units}

    def caused(self, moid: str) -> set[int]:
        """The keys of all files that this snapshot is charged for."""
        used = self.used()
        deltas = (unit for unit, owner in self.owed.items() if owner == moid and unit in used)
        return {*self.records[moid], *(key for unit in deltas for key in unit)}


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "revert", "add_disk", "remove_disk"]),
        st.integers(1, 5 * GIB),
    ),
    max_size=14,
)


def workshop(steps: Sequence[tuple[str, int]]) -> Workshop:
    made = Workshop()
    made.add_disk(GIB)
    for name, size in steps:
        getattr(made, name)(size)
    return made


@given(_STEPS)
@settings(deadline=None)
def test_each_snapshot_is_charged_for_exactly_what_it_caused(steps: list[tuple[str, int]]) -> None:
    made = workshop(steps)
    for moid in made.frozen:
        found = sizes.of_snapshot(made.chains, moid).growth
        assert found.size == sum(made.files.files[key].size for key in made.caused(moid))


@given(_STEPS)
@settings(deadline=None)
def test_no_file_is_charged_twice_and_all_together_are_no_more_than_there_is(
    steps: list[tuple[str, int]],
) -> None:
    made = workshop(steps)
    found = [sizes.of_snapshot(made.chains, moid) for moid in made.frozen]
    occupied = sum(file.size for file in made.files.files.values())
    assert sum(one.growth.known for one in found) <= occupied
    for one in found:
        assert one.reclaimable.max is not None
        assert one.reclaimable.min <= one.reclaimable.max
        assert one.pinned.size is not None


@given(_STEPS, st.integers(0, 10**6), st.booleans())
@settings(deadline=None)
def test_inv_07_an_unknown_file_makes_unknown_what_counts_it_and_nothing_else(
    steps: list[tuple[str, int]], choice: int, is_listed: bool
) -> None:
    made = workshop(steps)
    before = {moid: sizes.of_snapshot(made.chains, moid) for moid in made.frozen}
    key = choice % len(made.files.files)
    lost = made.files.files.pop(key)
    if is_listed:
        made.files.files[key] = lost._replace(is_accessible=False)
    for moid, was in before.items():
        found = sizes.of_snapshot(made.chains, moid)
        if key in made.caused(moid):
            assert found.growth.size is None
            assert found.growth.known == (was.growth.size or 0) - lost.size
            assert found.reclaimable.max is None
        else:
            assert found.growth.size == was.growth.size
