"""What a vCenter would let happen, staged once a plan was made: refused by guard and reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Ran
from tests.enforcement.vsphere.lab import DAY, Document, Lab, laboratory, part

pytestmark = pytest.mark.bed
Peril = tuple[Callable[[Lab, str], object], str, str]


def put(path: str, value: Any) -> Callable[[Lab, str], object]:
    """Set a property of the machine."""
    return lambda lab, name: lab.simulator.tell("set", object=name, path=path, value=value)


def store(path: str, value: Any) -> Callable[[Lab, str], object]:
    """Set a property of the machine's datastore."""
    return lambda lab, name: lab.simulator.tell("set", object=f"ds-{name}", path=path, value=value)


def clone(lab: Lab, name: str) -> None:
    lab.simulator.tell("clone", name="borrower", of=name, snapshot="only")


def task(lab: Lab, name: str) -> None:
    """As a backup product begins."""
    lab.simulator.tell(
        "task",
        vm=name,
        name="CreateSnapshot_Task",
        description="VirtualMachine.createSnapshot",
        state="running",
        user="backup",
    )


def hold(lab: Lab, name: str) -> None:
    assert lab.run("hold", "add", name, "--owner", "ada", "--reason", "legal case").code == 0


def attribute(lab: Lab, name: str) -> None:
    lab.simulator.tell("attribute", vm=name, name="keep-until", value="2099-12-31")


def again(lab: Lab, name: str) -> None:
    """Somebody deletes it and takes another one under its name."""
    lab.simulator.tell("remove", vm=name, snapshot="only")
    lab.take(name, "only", age=39 * DAY)


def child(lab: Lab, name: str) -> None:
    lab.take(name, "next")


PERILS: dict[str, Peril] = {
    "lender": (clone, "protected", "borrower"),
    "template": (put("config.template", True), "protected", "template"),
    "suspended": (put("runtime.powerState", "suspended"), "protected", "suspended"),
    "lost": (put("runtime.connectionState", "disconnected"), "protected", "not-connected"),
    "backed-up": (task, "not-busy", "VirtualMachine.createSnapshot"),
    "switched-off": (
        put("disabledMethod", ["RemoveSnapshot_Task"]),
        "protected",
        "backup products do while they work",
    ),
    "product": (
        put("config.managedBy", {"extensionKey": "com.example.product", "type": "agent"}),
        "protected",
        "com.example.product",
    ),
    "tolerant": (put("runtime.faultToleranceState", "running"), "protected", "fault-tolerant"),
    "in-background": (put("runtime.snapshotInBackground", True), "not-busy", "background"),
    "unconsolidated": (put("runtime.consolidationNeeded", True), "linear-chain", "consolidation"),
    "full": (store("summary.freeSpace", 1 << 20), "room-to-merge", "to be left"),
    "away": (store("summary.accessible", False), "room-to-merge", "not accessible"),
    "attribute": (attribute, "protected", "2099-12-31"),
    "held": (hold, "held", "legal case"),
    "again": (again, "unchanged", "is still in use"),
    "with-child": (child, "unchanged", "children: none became"),
    "renamed": (put("name", "kept-by-ada"), "unchanged", "'renamed' became 'kept-by-ada'"),
}


@dataclass(frozen=True)
class Site:
    planned: set[str]
    before: dict[str, Document]
    after: dict[str, Document]
    ran: Ran
    refused: dict[str, tuple[str, str]]
    changes: list[tuple[str, str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with laboratory(tmp_path_factory.mktemp("perils")) as lab:
        for name in PERILS:
            lab.simulator.tell("datastore", name=f"ds-{name}")
            lab.machine(name, "only", datastore=f"ds-{name}")
        plan = lab.plan()
        planned = {action["vm_name"] for action in part(plan, "actions")}
        names = {action["id"]: action["vm_name"] for action in part(plan, "actions")}
        for name, (comes, _, _) in PERILS.items():
            comes(lab, name)
        before = seen(lab)
        ran = lab.apply(plan)
        refused = {
            names[entry["action_id"]]: (entry["detail"]["guard"], entry["detail"]["reason"])
            for entry in lab.journal()
            if entry["event"] == "refused"
        }
        yield Site(planned, before, seen(lab), ran, refused, lab.changes())


def seen(lab: Lab) -> dict[str, Document]:
    names = {**dict.fromkeys(PERILS), "renamed": None}
    return {name: lab.look(lab.moids[name]) for name in names}


def test_all_of_them_were_fit_to_be_deleted_when_the_plan_was_made(site: Site) -> None:
    assert site.planned == set(PERILS)


def test_the_run_ends_as_refused_and_nothing_was_sent(site: Site) -> None:
    assert site.ran.code == 4, site.ran.out + site.ran.err
    assert site.changes == []


@pytest.mark.parametrize("name", PERILS)
def test_grd_10_the_last_look_refuses_it_by_name(site: Site, name: str) -> None:
    _, guard, says = PERILS[name]
    assert site.refused[name][0] == guard
    assert says in site.refused[name][1]
    assert guard in " ".join(site.ran.out.partition(f"{name} / only")[2].split())


@pytest.mark.parametrize("name", PERILS)
def test_inv_08_snapshots_and_chains_are_as_they_were(site: Site, name: str) -> None:
    assert site.after[name] == site.before[name]


# What keeps the whole endpoint from being changed -------------------------------------------------


def unreadable(name: str, path: str) -> Callable[[Lab], object]:
    return lambda lab: lab.simulator.tell("deny", object=name, path=path)


GAPS: dict[str, tuple[Callable[[Lab], object], str]] = {
    "its tree": (unreadable("web01", "snapshot"), "web01"),
    "its tasks": (unreadable("web01", "recentTask"), "web01"),
    "its files": (unreadable("web01", "layoutEx"), "web01"),
    "the files of a neighbour": (unreadable("other", "layoutEx"), "other"),
    "its datastore": (
        lambda lab: lab.simulator.tell("hide", object="datastore1"),
        "is not visible to this account",
    ),
}


@pytest.mark.parametrize("name", GAPS)
def test_c4_what_may_not_be_read_keeps_everything_around_it_as_it_is(
    tmp_path: Path, name: str
) -> None:
    comes, says = GAPS[name]
    with laboratory(tmp_path) as lab:
        lab.machine("web01", "old")
        lab.machine("other", "old")
        plan = lab.plan()
        lab.keep_only(plan, "web01/old")
        comes(lab)
        ran = lab.apply(plan)
        assert ran.code == 4, ran.out + ran.err
        told = " ".join(ran.out.split())
        assert "whole-view" in told
        assert says in told
        assert lab.changes() == []
        again = lab.run("enforce", "-q")
        assert again.code in (0, 3)
        assert part(lab.plans()[-1], "actions") == []
        assert {one["guard"] for one in part(lab.plans()[-1], "refusals")} == {"whole-view"}
