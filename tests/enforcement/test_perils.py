"""Silent losses of data: staged once a plan was signed off, and refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.beds.guests import Life
from tests.beds.libvirtd import LibvirtBed
from tests.cli.running import Ran
from tests.enforcement.lab import Lab, actions, refusals
from tests.enforcement.machines import Machine, Seen, read, small_pool

pytestmark = pytest.mark.bed

ON, OFF = Life.RUNNING, Life.OFF


@dataclass(frozen=True, kw_only=True)
class Peril:
    """What comes over a machine with one snapshot, and by which guard it is refused then."""

    life: Life = OFF
    comes: Callable[[Lab, Machine], None]
    guard: str
    says: str
    memory: bool = False


def clone_of_the_base(lab: Lab, machine: Machine) -> None:
    lab.machine("clone", backing=machine.pool / f"{machine.name}.qcow2")


def clone_of_the_overlay(lab: Lab, machine: Machine) -> None:
    lab.machine("borrower", backing=machine.top())


def snapshot_inside_the_overlay(lab: Lab, machine: Machine) -> None:
    lab.bed.run_qemu_img("snapshot", "-c", "hidden", str(machine.top()))


def checkpoint(lab: Lab, machine: Machine) -> None:
    del lab
    xml = "<domaincheckpoint><name>nightly.0</name></domaincheckpoint>"
    machine.domain.checkpointCreateXML(xml)


def backup(lab: Lab, machine: Machine) -> None:
    aside = lab.bed.pools
    machine.domain.backupBegin(
        f"<domainbackup mode='pull'><server transport='unix' socket='{aside}/backup.sock'/><disks>"
        f"<disk name='vda' type='file'><scratch file='{aside}/backup.scratch'/></disk>"
        "</disks></domainbackup>",
        None,
    )


def full_pool(lab: Lab, machine: Machine) -> None:
    del lab
    fill(machine.pool)


def hold(lab: Lab, machine: Machine) -> None:
    words = ("hold", "add", machine.name, "--owner", "ada", "--reason", "legal case")
    assert lab.run(*words).code == 0


def moved_disk(lab: Lab, machine: Machine) -> None:
    """Somebody begins a merge of their own and does not finish it."""
    del lab
    machine.guest.commit_until_ready()


PERILS = {
    "template": Peril(comes=clone_of_the_base, guard="protected", says="clone also stands on"),
    "lender": Peril(comes=clone_of_the_overlay, guard="protected", says="borrower also stands on"),
    "nested": Peril(comes=snapshot_inside_the_overlay, guard="protected", says="would lose hidden"),
    "saved": Peril(
        life=ON,
        comes=lambda _lab, machine: machine.domain.managedSave(0),
        guard="protected",
        says="managed-save",
    ),
    "checkpointed": Peril(life=ON, comes=checkpoint, guard="protected", says="nightly.0"),
    "paused": Peril(
        life=ON,
        memory=True,
        comes=lambda _lab, machine: machine.domain.suspend(),
        guard="protected",
        says="while the machine is paused",
    ),
    "backed-up": Peril(life=ON, comes=backup, guard="not-busy", says="backup"),
    "merging": Peril(life=ON, comes=moved_disk, guard="not-busy", says="a block job holds disk"),
    "full": Peril(comes=full_pool, guard="room-to-merge", says="to be left"),
    "held": Peril(comes=hold, guard="held", says="legal case"),
}


@dataclass(frozen=True)
class Site:
    planned: set[str]
    before: dict[str, Seen]
    after: dict[str, Seen]
    clones: tuple[dict[str, str], dict[str, str]]
    ran: Ran
    calls: int
    refused_again: dict[str, tuple[str, str]]


def fill(folder: Path) -> None:
    """Write until the file system takes no more."""
    try:
        with (folder / "filler").open("wb", buffering=0) as filler:
            while filler.write(bytes(2**16)):
                pass
    except OSError:
        return


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with LibvirtBed() as bed, small_pool(bed, "full", 48) as small:
        lab = Lab(bed, tmp_path_factory.mktemp("perils"))
        machines = {name: staged(lab, name, small) for name in PERILS}
        plan = lab.plan()
        planned = {action["vm_name"] for action in actions(plan)}
        for name, peril in PERILS.items():
            peril.comes(lab, machines[name])
        before = {name: machine.seen() for name, machine in machines.items()}
        clones = clones_of(lab)
        ran = lab.apply(plan)
        after = {name: machine.seen() for name, machine in machines.items()}
        again = {one["vm_name"]: (one["guard"], one["reason"]) for one in refusals(lab.plan())}
        yield Site(planned, before, after, (clones, clones_of(lab)), ran, len(lab.calls()), again)


def staged(lab: Lab, name: str, small: Path) -> Machine:
    peril = PERILS[name]
    machine = lab.machine(name, life=peril.life, pool=small if name == "full" else None)
    machine.take("only", memory=peril.memory)
    machine.write(4, 3, 5)
    return machine


def clones_of(lab: Lab) -> dict[str, str]:
    return {
        name: read(lab.bed, lab.bed.pools / name / f"{name}.qcow2")
        for name in ("clone", "borrower")
    }


def test_all_of_them_were_fit_to_be_deleted_when_the_plan_was_made(site: Site) -> None:
    assert site.planned == set(PERILS)


def test_the_run_ends_as_refused_and_nothing_was_sent(site: Site) -> None:
    assert site.ran.code == 4, site.ran.out
    assert site.calls == 0


@pytest.mark.parametrize("name", PERILS)
def test_grd_10_the_last_look_refuses_it_by_name(site: Site, name: str) -> None:
    peril = PERILS[name]
    part = site.ran.out.partition(f"{name} / only")[2].partition(" / only")[0]
    told = " ".join(part.split())
    assert peril.guard in told, site.ran.out
    assert peril.says in told, told


@pytest.mark.parametrize("name", PERILS)
def test_inv_08_no_bit_and_no_file_is_different(site: Site, name: str) -> None:
    assert site.after[name] == site.before[name]


def test_clones_read_what_they_read_before(site: Site) -> None:
    before, after = site.clones
    assert after == before


@pytest.mark.parametrize("name", PERILS)
def test_a_new_plan_lists_it_as_refused_by_the_same_guard(site: Site, name: str) -> None:
    guard, reason = site.refused_again[name]
    assert guard == PERILS[name].guard
    assert PERILS[name].says in reason


def test_a_snapshot_inside_an_image_needs_no_room_and_goes_on_a_full_disk(
    tmp_path: Path,
) -> None:
    with LibvirtBed() as bed, small_pool(bed, "full", 32) as small:
        lab = Lab(bed, tmp_path)
        machine = lab.machine("full", pool=small)
        machine.take("only", external=False)
        machine.write(4, 3, 5)
        plan = lab.plan()
        fill(small)
        before = machine.seen()
        ran = lab.apply(plan)
        after = machine.seen()
        assert after.data == before.data
        assert ran.code == 0, ran.out + ran.err
        assert machine.snapshots() == set()
        bed.run_qemu_img("check", "-q", str(machine.top()))
