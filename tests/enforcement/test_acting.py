"""What reaches the host, and when: nothing before a person said so, and each call once."""

from __future__ import annotations

import ast
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import snapaudit
from tests.beds.guests import Life
from tests.beds.libvirtd import MIB, LibvirtBed
from tests.beds.proxy import Proxy
from tests.enforcement.lab import Lab
from tests.enforcement.machines import Machine, chain, read
from tests.hypervisors.libvirt.test_wire import READING

pytestmark = pytest.mark.bed

# Procedures of libvirt's remote protocol besides those that an audit sends.
LOOKING_UP = {
    24: "domain lookup by uuid",
    150: "domain is active",
    189: "domain snapshot lookup by name",
    238: "domain get block job info",
}
DELETE = 193
SLOW = ", merge: manual, merge_rate: 1MiB"


@pytest.fixture(scope="module")
def bed() -> Iterator[LibvirtBed]:
    with LibvirtBed() as bed:
        yield bed


@pytest.fixture
def lab(bed: LibvirtBed, tmp_path: Path) -> Iterator[Lab]:
    """A lab on a host that has no machines left afterwards."""
    yield Lab(bed, tmp_path)
    for domain in bed.rw.listAllDomains():
        if domain.isActive():
            domain.destroy()
        domain.undefineFlags(bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)


def staged(
    lab: Lab,
    name: str,
    *,
    life: Life = Life.OFF,
    pool: Path | None = None,
    below: Path | None = None,
) -> Machine:
    machine = lab.machine(name, life=life, pool=pool, backing=below)
    machine.take("only")
    machine.write(4, 3, 5)
    return machine


# Nothing before a person said so ------------------------------------------------------------------


def test_inv_12_tst_06_planning_and_reviewing_send_only_calls_that_read(lab: Lab) -> None:
    staged(lab, "dry")
    at = lab.bed.pools / "watched"
    with Proxy(lab.bed.daemon.socket, at=at) as proxy:
        watched = Lab(lab.bed, lab.folder, url=f"qemu:///session?socket={at}")
        plan = watched.plan()
        watched.decide(plan, lambda _: True)
        for words in (("--plan", str(plan)), ("--worst", "1")):
            assert watched.run("enforce", *words).code == 0
        planning = dict(proxy.counts.procedures())
        assert watched.apply(plan).code == 0
        acting = proxy.counts.procedures()
    assert planning
    assert set(planning) <= set(READING)
    assert set(acting) - set(READING) - set(LOOKING_UP) == {DELETE}
    assert acting[DELETE] == 1


def test_at_a_terminal_the_plan_is_shown_and_anything_but_yes_changes_nothing(lab: Lab) -> None:
    machine = staged(lab, "asked")
    plan = lab.plan()
    before = machine.seen()
    for answer in ("no", "y"):
        ran = lab.answered(answer, "enforce", "--no-color", "--apply", "--plan", str(plan))
        assert ran.code == 4, ran.out
        assert "delete only" in ran.out
        assert "Carry out 1 action(s)" in ran.out
        assert "nothing was changed" in ran.out
    assert machine.seen() == before
    assert lab.journal() == []


def test_at_a_terminal_yes_carries_out_the_newest_plan(lab: Lab) -> None:
    machine = staged(lab, "answered")
    lab.plan()
    before = machine.seen()
    ran = lab.answered("yes", "enforce", "--apply")
    assert ran.code == 0, ran.out
    assert machine.snapshots() == set()
    assert machine.seen().data == before.data


def test_inv_09_a_plan_is_carried_out_once(lab: Lab) -> None:
    machine = staged(lab, "once")
    plan = lab.plan()
    assert lab.apply(plan).code == 0
    machine.take("only")
    ran = lab.apply(plan)
    assert ran.code == 4
    assert "was carried out already" in ran.err
    assert machine.snapshots() == {"only"}
    assert len(lab.calls()) == 1


# In the middle ------------------------------------------------------------------------------------


def test_grd_19_an_interrupt_lets_the_merge_end_and_the_next_run_goes_on(lab: Lab) -> None:
    lab.configure(more=SLOW)
    pool = lab.bed.pool("slow")  # of one pool, one waits for the other
    machines = [staged(lab, name, life=Life.RUNNING, pool=pool) for name in ("one", "two")]
    plan = lab.plan()
    before = [machine.seen().data for machine in machines]
    with lab.applying(plan) as process:
        second = lab.apply(plan)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert "it goes on where it stopped" in out, out
    assert "journal resolve" not in out
    assert second.code == 4
    assert f"process {process.pid}" in second.err
    assert lab.run("journal", "verify").code == 0
    assert [machine.seen().data for machine in machines] == before
    assert machines[1].snapshots() == {"only"}
    ran = lab.apply(plan)
    assert ran.code == 0, ran.out + ran.err
    assert [machine.seen().data for machine in machines] == before
    assert [machine.snapshots() for machine in machines] == [set(), set()]
    assert [chain(lab.bed, machine.top()) for machine in machines] == [
        ("one.qcow2",),
        ("two.qcow2",),
    ]


# Where a merge ends -------------------------------------------------------------------------------


@pytest.mark.parametrize("merge", ["auto", "manual"])
def test_a_clone_is_merged_into_itself_and_never_into_its_template(lab: Lab, merge: str) -> None:
    """Without a base, libvirt's block commit goes all the way down: into the template."""
    lab.configure(more=f", merge: {merge}")
    templates = {life: template(lab, merge, life) for life in (Life.OFF, Life.RUNNING)}
    clones = [
        staged(lab, f"clone-{life.name}", life=life, pool=below.parent, below=below)
        for life, below in templates.items()
    ]
    before = [machine.seen().data for machine in clones]
    untouched = [read(lab.bed, below) for below in templates.values()]
    ran = lab.apply(lab.plan())
    assert ran.code == 0, ran.out + ran.err
    assert [machine.seen().data for machine in clones] == before
    assert [read(lab.bed, below) for below in templates.values()] == untouched
    for machine in clones:
        assert chain(lab.bed, machine.top()) == ("template.qcow2", f"{machine.name}.qcow2")
    merged = [one["detail"] for one in lab.journal() if "about.overlay" in one["detail"]]
    assert all(Path(one["about.base"]).name.startswith("clone-") for one in merged)
    assert bool(merged) == (merge == "manual")


def template(lab: Lab, merge: str, life: Life) -> Path:
    image = lab.bed.pool(f"{merge}-{life.name}") / "template.qcow2"
    lab.bed.create_image(image, size_bytes=16 * MIB)
    lab.bed.write_offline(image, 0, MIB, 7)
    return image


def test_no_block_commit_in_the_source_leaves_out_its_base_or_its_top() -> None:
    calls = [
        call
        for file in Path(snapaudit.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "blockCommit"
    ]
    assert len(calls) == 1
    _, base, top, *_ = calls[0].args
    assert isinstance(base, ast.Name)
    assert isinstance(top, ast.Name)
