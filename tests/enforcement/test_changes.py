"""Between plan and act somebody changes what was planned for: refused, and the field is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.beds.guests import Life
from tests.beds.libvirtd import LibvirtBed
from tests.cli.running import Ran
from tests.enforcement.lab import Lab, actions, kept
from tests.enforcement.machines import Machine, Seen

pytestmark = pytest.mark.bed

Change = Callable[[Machine], Any]


def again_in_the_same_second(machine: Machine, *, external: bool) -> None:
    """Deleted and taken again under its name, with a record that nobody could tell apart."""
    taken_at = machine.taken_at("only")
    machine.domain.snapshotLookupByName("only").delete(0)
    machine.write(8, 1, 9)
    machine.take("only", external=external)
    machine.redefine("only", taken_at=taken_at)


def again(machine: Machine) -> None:
    machine.domain.snapshotLookupByName("only").delete(0)
    machine.take("only", age=39 * 86400)


def described(machine: Machine) -> None:
    machine.redefine("only", taken_at=machine.taken_at("only"), description="please keep this")


def renamed(machine: Machine) -> None:
    machine.domain.rename("kept-by-ada")


def disk_added(machine: Machine) -> None:
    image = machine.bed.create_image(machine.pool / "second.qcow2")
    disk = (
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
        f"<source file='{image}'/><target dev='vdb' bus='virtio'/></disk>"
    )
    machine.domain.attachDeviceFlags(disk, machine.bed.sdk.VIR_DOMAIN_AFFECT_CONFIG)


# Of more than three changed targets nothing at all is carried out, so they come in threes.
FIRST: dict[str, tuple[Change, str]] = {
    "inside-again": (
        lambda machine: again_in_the_same_second(machine, external=False),
        "identity: ",
    ),
    "outside-again": (
        lambda machine: again_in_the_same_second(machine, external=True),
        "identity: ",
    ),
    "again": (again, "created at: "),
}
SECOND: dict[str, tuple[Change, str]] = {
    "described": (described, "description: '' became 'please keep this'"),
    "with-child": (lambda machine: machine.take("next"), "children: none became next"),
    "renamed": (renamed, "name of the machine: 'renamed' became 'kept-by-ada'"),
}
THIRD: dict[str, tuple[Change, str]] = {
    "with-disk": (disk_added, "disk vdb: added since"),
    "forgotten": (lambda machine: machine.forget("only"), "is still in use"),
    "gone": (lambda machine: machine.domain.snapshotLookupByName("only").delete(0), ""),
}
GROUPS = {"first": FIRST, "second": SECOND, "third": THIRD}
NAMES = [(group, name) for group, members in GROUPS.items() for name in members]


@dataclass(frozen=True)
class Site:
    before: dict[str, Seen]
    after: dict[str, Seen]
    ran: Ran
    calls: list[Any]


@pytest.fixture(scope="module")
def bed() -> Iterator[LibvirtBed]:
    with LibvirtBed() as bed:
        yield bed


@pytest.fixture(scope="module")
def sites(bed: LibvirtBed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Site]:
    return {
        group: changed(bed, tmp_path_factory.mktemp(group), members)
        for group, members in GROUPS.items()
    }


def changed(bed: LibvirtBed, folder: Path, members: dict[str, tuple[Change, str]]) -> Site:
    lab = Lab(bed, folder)
    machines = {name: staged(lab, name) for name in members}
    plan = lab.plan()
    for name, (change, _) in members.items():
        change(machines[name])
    before = {name: machine.seen() for name, machine in machines.items()}
    ran = lab.apply(plan)
    after = {name: machine.seen() for name, machine in machines.items()}
    for machine in machines.values():
        machine.domain.undefineFlags(bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    return Site(before, after, ran, lab.calls())


def staged(lab: Lab, name: str, *, life: Life = Life.OFF) -> Machine:
    machine = lab.machine(name, life=life)
    machine.take("only", external=name != "inside-again")
    machine.write(4, 3, 5)
    return machine


@pytest.mark.parametrize("group", ["first", "second"])
def test_inv_02_nothing_is_sent_and_the_run_ends_as_refused(
    sites: dict[str, Site], group: str
) -> None:
    site = sites[group]
    assert site.ran.code == 4, site.ran.out
    assert site.calls == []


@pytest.mark.parametrize(("group", "name"), NAMES)
def test_grd_03_what_differs_is_named(sites: dict[str, Site], group: str, name: str) -> None:
    site, words = sites[group], GROUPS[group][name][1]
    told = " ".join(site.ran.out.partition(f"{name} / only")[2].partition("kvm:")[0].split())
    assert words in told, site.ran.out
    assert not words or "unchanged" in told


@pytest.mark.parametrize(("group", "name"), NAMES)
def test_not_a_bit_is_different(sites: dict[str, Site], group: str, name: str) -> None:
    assert sites[group].after[name] == sites[group].before[name]


def test_inv_06_a_snapshot_that_is_gone_is_no_error_and_its_data_is_left_alone(
    sites: dict[str, Site],
) -> None:
    out = sites["third"].ran.out
    assert "already gone" in out
    assert sites["third"].calls == []


def test_grd_09_more_than_three_changed_targets_refuse_the_whole_run(
    bed: LibvirtBed, tmp_path: Path
) -> None:
    lab = Lab(bed, tmp_path)
    machines = [staged(lab, f"many-{number}") for number in range(5)]
    plan = lab.plan()
    for machine in machines[:4]:
        described(machine)
    ran = lab.apply(plan)
    for machine in machines:
        assert machine.snapshots() == {"only"}
        machine.domain.undefineFlags(bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    assert ran.code == 4
    assert "unchanged: 4 of 5 targets changed or are gone" in ran.err
    assert lab.calls() == []


@pytest.mark.parametrize("age", [-86400, 40 * 365 * 86400], ids=["to come", "before 2000"])
def test_grd_04_a_snapshot_with_a_time_nobody_can_believe_is_never_planned(
    bed: LibvirtBed, tmp_path: Path, age: int
) -> None:
    lab = Lab(bed, tmp_path)
    machine = lab.machine(f"odd-{abs(age)}")
    machine.take("only", age=age)
    plan = lab.plan()
    machine.domain.undefineFlags(bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
    assert actions(plan) == []
    assert [one["vm_name"] for one in kept(plan)] == [machine.name]
