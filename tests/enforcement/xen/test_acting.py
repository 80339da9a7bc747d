"""The command line against a pool: what is told, what is sent, and how it goes on after a kill."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from snapaudit.hypervisors.xen.reads import READS
from tests.beds.processes import wait_until
from tests.beds.xapi.office import User
from tests.beds.xapi.server import XapiBed
from tests.canaries import REFUSED
from tests.cli.running import ended
from tests.enforcement.dying import Moment
from tests.enforcement.xen.lab import Lab, part
from tests.hypervisors.xen.visiting import PASSWORD

DESTROY, IMAGE = "Async.VM.destroy", "Async.VDI.destroy"
# Entries: the records are meant and sent, then each of two images, then how it ended.
POINTS = [
    *((Moment.AFTER, 1), (Moment.BEFORE, 2), (Moment.AFTER, 2)),
    *((Moment.BEFORE, 4), (Moment.AFTER, 4), (Moment.TORN, 7)),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("xapi")


@pytest.fixture
def lab(certificates: Path, tmp_path: Path) -> Iterator[Lab]:
    """A pool with one machine of two disks and one old snapshot."""
    with XapiBed(certificates) as bed:
        bed.world.snapshot(bed.world.vm("web01", disks=2), "before-upgrade")
        yield Lab(bed, tmp_path)


def snapshots(lab: Lab) -> set[str]:
    records = lab.bed.world.db.classes["VM"].values()
    return {each["name_label"] for each in records if each["is_a_snapshot"]}


def is_done(lab: Lab) -> None:
    assert snapshots(lab) == set()
    disks = [each for each in lab.bed.world.db.classes["VDI"].values() if each["managed"]]
    assert [each["is_a_snapshot"] for each in disks] == [False, False]
    assert sorted(lab.sent) == [IMAGE, IMAGE, DESTROY]
    assert lab.run("journal", "verify").code == 0


def test_inv_12_tst_06_an_audit_and_a_plan_send_only_calls_that_read(lab: Lab) -> None:
    audit = lab.run("audit", "-f", "table")
    assert audit.code == 0, audit.err
    assert "before-upgrade" in audit.out
    lab.plan()
    assert set(lab.bed.counts) <= READS
    assert lab.bed.office.sessions == {}


def test_a_plan_is_carried_out_and_told(lab: Lab) -> None:
    plan = lab.plan()
    ran = lab.apply(plan)
    assert ran.code == 0, ran.out + ran.err
    assert "before-upgrade" in ran.out
    is_done(lab)
    again = lab.apply(plan)
    assert again.code == 4
    assert "was carried out already" in again.err


@pytest.mark.parametrize(("moment", "at"), POINTS)
def test_tst_03_inv_19_killed_at_any_entry_it_ends_as_if_it_had_not_been(
    lab: Lab, moment: Moment, at: int
) -> None:
    plan = lab.plan()
    assert lab.dies(plan, moment, at)
    lab.finish(plan)
    is_done(lab)


def test_p14_after_an_interrupt_the_task_ends_and_the_next_run_goes_on(lab: Lab) -> None:
    plan = lab.plan()
    lab.bed.office.task_seconds = 3
    with lab.started("enforce", "--apply", "--yes", "--plan", str(plan)) as process:
        wait_until(lambda: bool(lab.sent), 30, "something is sent")
        os.killpg(process.pid, signal.SIGINT)
        ran = ended(process)
    assert ran.code == 130, ran.out + ran.err
    assert lab.sent == [DESTROY]
    assert lab.bed.counts["task.cancel"] == 0
    lab.bed.office.task_seconds = 0
    lab.finish(plan)
    is_done(lab)


# One clear line each ------------------------------------------------------------------------------


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_a_wrong_password_is_one_line_and_an_incomplete_view(lab: Lab) -> None:
    lab.password = REFUSED
    ran = lab.run("audit", "-f", "table", "-q")
    assert ran.code == 3
    assert "user name or password is refused" in " ".join(ran.out.split())
    assert REFUSED not in ran.out + ran.err
    assert ran.has_no_traceback()


def test_the_address_of_a_member_is_one_line(lab: Lab) -> None:
    lab.bed.office.slave_of = "10.0.0.7"
    ran = lab.run("audit", "-f", "table", "-q")
    assert ran.code == 3
    assert "10.0.0.7" in ran.out
    assert "follow_master" in ran.out
    assert ran.has_no_traceback()


def test_a_wrong_certificate_is_one_line_and_gets_no_password(lab: Lab) -> None:
    lab.configure(tls=f"{{fingerprint: 'sha256:{'0' * 64}'}}")
    ran = lab.run("audit", "-f", "table", "-q")
    assert ran.code == 3
    assert "not the pinned one" in " ".join(ran.out.split())
    assert not lab.bed.counts


def test_a_pool_in_the_middle_of_a_coordinator_change_is_one_line(lab: Lab) -> None:
    lab.bed.office.slave_of = "localhost"
    lab.configure(more="    follow_master: true\n")
    ran = lab.run("audit", "-f", "table", "-q")
    assert ran.code == 3
    assert "in the middle of a change of its coordinator" in " ".join(ran.out.split())


def test_an_account_that_may_only_read_cannot_apply(lab: Lab) -> None:
    lab.bed.office.users["audit"] = User(PASSWORD, "read-only")
    lab.configure(username="audit")
    ran = lab.apply(lab.plan())
    assert ran.code not in (0, 3)
    assert "audit may not call VM.destroy" in last_line(ran.err)
    assert "vm-admin" in last_line(ran.err)
    assert ran.has_no_traceback()
    assert lab.sent == []
    assert lab.events() == []


def test_grd_35_a_pool_that_nobody_verified_is_audited_and_never_changed(lab: Lab) -> None:
    lab.configure(tls="{verify: false}")
    plan = lab.plan()
    assert part(plan, "actions") == []
    assert {each["guard"] for each in part(plan, "refusals")} == {"verified-connection"}
    assert lab.run("audit", "-f", "table", "-q").code == 0


def test_s1_the_password_stays_out_of_everything(lab: Lab) -> None:
    plan = lab.plan()
    ran = lab.apply(plan)
    told = ran.out + ran.err + lab.run("audit", "-f", "json").out
    assert PASSWORD not in told
    for file in lab.folder.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file


def test_an_unknown_option_names_the_nearest(lab: Lab) -> None:
    lab.configure(more="    follow_mater: true\n")
    ran = lab.run("audit", "-f", "table")
    assert ran.code == 2
    assert "follow_master" in ran.err
