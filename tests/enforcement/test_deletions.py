"""Every kind of snapshot, planned, reviewed and deleted: no guest reads a bit that is different."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.beds.guests import Life
from tests.beds.libvirtd import LibvirtBed
from tests.cli.running import Ran
from tests.enforcement.lab import Lab, actions
from tests.enforcement.machines import Machine, Seen

pytestmark = pytest.mark.bed


@dataclass(frozen=True, kw_only=True)
class Case:
    """A machine with a line of snapshots, of which one goes; None: overlays without any record.

    ``chain`` is what the first disk stands on afterwards, base first, without the machine's name.
    """

    life: Life = Life.OFF
    disks: int = 1
    line: Sequence[str] = ("one", "two", "three")
    external: bool = True
    memory: bool = False
    goes: str | None
    chain: Sequence[str]
    is_stopped: bool = False


ON = Life.RUNNING
CASES = {
    "inside-off": Case(external=False, goes="two", chain=["qcow2"]),
    "inside-on": Case(life=ON, external=False, goes="two", chain=["qcow2"]),
    "leaf-off": Case(goes="three", chain=["qcow2", "one", "two"]),
    "leaf-on": Case(life=ON, goes="three", chain=["qcow2", "one", "two"]),
    "middle-off": Case(goes="two", chain=["qcow2", "one", "three"]),
    "middle-on": Case(life=ON, goes="two", chain=["qcow2", "one", "three"]),
    "disks-off": Case(disks=3, goes="two", chain=["qcow2", "one", "three"]),
    "disks-on": Case(life=ON, disks=3, goes="two", chain=["qcow2", "one", "three"]),
    "memory-on": Case(
        life=ON, line=["one", "two"], memory=True, goes="two", chain=["qcow2", "one"]
    ),
    "memory-off": Case(
        life=ON,
        line=["one", "two"],
        memory=True,
        goes="two",
        chain=["qcow2", "one"],
        is_stopped=True,
    ),
    "phantoms-off": Case(line=["one", "two"], goes=None, chain=["qcow2"]),
    "phantoms-on": Case(life=ON, line=["one", "two"], goes=None, chain=["qcow2"]),
}
DOUBTFUL = {name for name, case in CASES.items() if case.goes is None}


@dataclass(frozen=True)
class Site:
    """The whole fleet before and after one run, with what was planned and told."""

    plan: Path
    proposed: dict[str, list[dict[str, Any]]]
    signed: Ran
    ran: Ran
    report: dict[str, Any]
    before: dict[str, Seen]
    after: dict[str, Seen]
    machines: dict[str, Machine]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with LibvirtBed() as bed:
        lab = Lab(bed, tmp_path_factory.mktemp("site"))
        machines = {name: staged(lab, name, case) for name, case in CASES.items()}
        plan = lab.plan()
        proposed = {
            name: [one for one in actions(plan) if one["vm_name"] == name] for name in machines
        }
        signed = lab.decide(plan, lambda one: one["snapshot_name"] == CASES[one["vm_name"]].goes)
        before = {name: machine.seen() for name, machine in machines.items()}
        ran = lab.apply(plan, "-f", "json")
        after = {name: machine.seen() for name, machine in machines.items()}
        yield Site(
            plan, proposed, signed, ran, json.loads(ran.out or "{}"), before, after, machines
        )


def staged(lab: Lab, name: str, case: Case) -> Machine:
    machine = lab.machine(name, life=case.life, disks=case.disks)
    for number, snapshot in enumerate(case.line):
        machine.take(snapshot, external=case.external, memory=case.memory)
        for target in machine.targets():
            machine.write(2 * number + 1, 3, number + 2, target)
    if case.goes is None:
        for snapshot in case.line[::-1]:
            machine.forget(snapshot)
    if case.is_stopped:
        machine.domain.destroy()
    return machine


def deleted(site: Site, name: str) -> dict[str, Any]:
    return next(one for one in site.proposed[name] if one["snapshot_name"] == CASES[name].goes)


def test_the_run_is_done_and_says_so(site: Site) -> None:
    assert site.signed.code == 0, site.signed.err
    assert site.ran.code == 0, site.ran.err + site.ran.out
    assert {one["event"] for one in site.report["outcomes"]} == {"done"}
    assert len(site.report["outcomes"]) == len(CASES)


@pytest.mark.parametrize("name", sorted(DOUBTFUL))
def test_an_overlay_that_may_belong_to_somebody_is_planned_as_skip(site: Site, name: str) -> None:
    (action,) = site.proposed[name]
    assert action["decision"] == "skip"
    assert action["note"]


@pytest.mark.parametrize("name", CASES)
def test_inv_17_the_guest_reads_every_bit_as_before(site: Site, name: str) -> None:
    before, after = site.before[name], site.after[name]
    assert after.data == before.data
    assert after.is_running == before.is_running


@pytest.mark.parametrize("name", CASES)
def test_inv_04_what_was_planned_goes_out_of_the_chains_and_nothing_else(
    site: Site, name: str
) -> None:
    case, before, after = CASES[name], site.before[name], site.after[name]
    wanted = [f"{name}.{part}" for part in case.chain]
    assert list(after.chains["vda"]) == wanted
    for target, now in after.chains.items():
        gone = len(case.line) if case.goes is None else int(case.external)
        assert len(now) == len(before.chains[target]) - gone, target
    assert before.pasts.keys() - after.pasts.keys() == ({case.goes} if case.goes else set())


@pytest.mark.parametrize("name", CASES)
def test_inv_05_every_sibling_is_there_with_its_data(site: Site, name: str) -> None:
    left = {key: data for key, data in site.before[name].pasts.items() if key != CASES[name].goes}
    assert site.after[name].pasts == left


@pytest.mark.parametrize("name", CASES)
def test_no_file_is_left_that_nothing_uses(site: Site, name: str) -> None:
    case, after = CASES[name], site.after[name]
    in_use = {file for chain in after.chains.values() for file in chain}
    memory = {f"{name}.{snapshot}.mem" for snapshot in case.line if case.memory}
    # libvirt 9.0 leaves the memory of the deleted one behind as well.
    assert after.files - memory == in_use


@pytest.mark.parametrize("name", CASES)
def test_space_that_comes_back_lies_within_what_the_plan_promised(site: Site, name: str) -> None:
    promised = deleted(site, name)["frees_bytes"]
    freed = site.before[name].used - site.after[name].used
    assert promised["min"] <= freed <= promised["max"], (promised, freed)


@pytest.mark.parametrize("name", CASES)
def test_the_report_says_how_much_came_back(site: Site, name: str) -> None:
    (told,) = (one for one in site.report["outcomes"] if one["action"]["vm_name"] == name)
    assert told["freed_bytes"] == site.before[name].used - site.after[name].used


@pytest.mark.parametrize("name", sorted(n for n, case in CASES.items() if case.life is Life.OFF))
def test_a_machine_that_was_off_starts_from_what_is_left(site: Site, name: str) -> None:
    machine = site.machines[name]
    machine.domain.create()
    assert machine.domain.isActive()
    machine.domain.destroy()
