"""Plans that are not, or no longer, what a person signed off: refused, and nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snapaudit.enforce.sealing import digest_of
from tests.beds.libvirtd import LibvirtBed
from tests.cli.running import Ran
from tests.enforcement.lab import Lab, actions
from tests.enforcement.machines import Machine

pytestmark = pytest.mark.bed


@pytest.fixture(scope="module")
def bed() -> Iterator[LibvirtBed]:
    with LibvirtBed() as bed:
        yield bed


@pytest.fixture(scope="module")
def machine(bed: LibvirtBed, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Lab(bed, tmp_path_factory.mktemp("staging")).machine("web01")
    machine.take("only")
    machine.write(4, 3, 5)
    return machine


@pytest.fixture
def lab(bed: LibvirtBed, machine: Machine, tmp_path: Path) -> Iterator[Lab]:
    """The one machine as it was staged, whatever a test tries on it."""
    before = machine.seen()
    lab = Lab(bed, tmp_path)
    yield lab
    assert machine.seen() == before
    assert lab.calls() == []


def refused(ran: Ran, *words: str) -> None:
    assert ran.code == 4, ran.out + ran.err
    told = " ".join((ran.out + ran.err).split())
    assert all(word in told for word in words), told
    assert ran.has_no_traceback()


def from_now(span: timedelta) -> str:
    return (datetime.now(UTC) + span).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_inv_10_every_edited_byte_of_a_decision_is_noticed(lab: Lab) -> None:
    plan = lab.plan()
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace('"decision": "apply"', '"decision": "skip"'), encoding="utf-8")
    refused(lab.apply(plan), "edited after it was sealed", "--reseal")


def test_inv_10_a_digest_that_was_reckoned_anew_helps_nobody(lab: Lab) -> None:
    plan = lab.plan()
    document = json.loads(plan.read_text(encoding="utf-8"))
    document["actions"][0]["expects"]["snapshot"]["identity"] = "whatever is there"
    document["digest"] = digest_of(document)
    plan.write_text(json.dumps(document), encoding="utf-8")
    refused(lab.apply(plan), "is not the plan", "that was sealed here")


def test_inv_01_a_reviewer_may_not_turn_an_action_to_another_snapshot(lab: Lab) -> None:
    plan = lab.plan()
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text.replace('"snapshot_id": "only"', '"snapshot_id": "base"'), "utf-8")
    ran = lab.run("enforce", "--plan", str(plan), "--reseal")
    refused(ran, "actions[0].snapshot_id was edited", "only decision and note")


def test_inv_01_a_plan_from_elsewhere_is_not_applied(lab: Lab, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    refused(lab.apply(Lab(lab.bed, other).plan()), "no plan", "was made in")


def test_inv_10_expired_plan(lab: Lab) -> None:
    plan = lab.plan("--now", from_now(-timedelta(days=4)))
    assert len(actions(plan)) == 1
    refused(lab.apply(plan), "expired on", "make a new one")
    refused(lab.run("enforce", "--plan", str(plan), "--reseal"), "expired on")


def test_inv_25_plan_of_a_clock_that_was_put_back_meanwhile(lab: Lab) -> None:
    plan = lab.plan("--now", from_now(timedelta(hours=2)))
    refused(lab.apply(plan), "in the future")


def test_inv_10_changed_configuration(lab: Lab) -> None:
    plan = lab.plan()
    lab.configure(limits=", max_bytes: 1GiB")
    refused(lab.apply(plan), "the configuration changed")


def test_inv_10_changed_rules(lab: Lab) -> None:
    plan = lab.plan()
    rules = lab.folder / "more"
    rules.mkdir()
    (rules / "mine.yaml").write_text(
        "id: mine\ntitle: Mine\nsubject: snapshot\nlevels:\n  info: {age: {over: 90d}}\n"
        "why: Because.\nfix: Delete it.\n",
        encoding="utf-8",
    )
    refused(lab.apply(plan, "--rules", str(rules)), "the rules changed")


def test_grd_10_closed_window(lab: Lab) -> None:
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a")
    lab.configure(limits=f', window: "{day} 03:00-04:00 UTC"')
    refused(lab.apply(lab.plan()), "in-window", f"{day} 03:00-04:00 UTC")


def test_inv_11_one_action_over_a_limit_means_none_at_all(lab: Lab, machine: Machine) -> None:
    others = [lab.machine(f"more-{number}", pool=machine.pool) for number in range(2)]
    for other in others:
        other.take("only")
    try:
        plan = lab.plan()
        assert len(actions(plan)) == 3
        refused(lab.apply(plan), "within-limits", "over max_share", "allowed are 2")
    finally:
        for other in others:
            other.domain.undefineFlags(lab.bed.sdk.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
            for file in machine.pool.glob(f"{other.name}.*"):
                file.unlink()


def test_grd_01_an_address_that_leads_to_another_host_by_now(
    bed: LibvirtBed, lab: Lab, machine: Machine, tmp_path: Path
) -> None:
    """Everything there is the same, to the id of the machine and the files it stands on."""
    link = bed.pools / "socket"
    link.symlink_to(bed.daemon.socket)
    moved = Lab(bed, tmp_path, url=f"qemu:///session?socket={link}")
    plan = moved.plan()
    with LibvirtBed() as other:
        twin = other.rw.defineXML(machine.domain.XMLDesc())
        record = machine.record("only")
        twin.snapshotCreateXML(record, bed.sdk.VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE)
        link.unlink()
        link.symlink_to(other.daemon.socket)
        refused(moved.apply(plan), "unchanged: kvm is another manager now")
        assert twin.snapshotListNames() == ["only"]
    link.unlink()


def test_grd_35_nobody_deletes_over_a_connection_that_proves_nothing(lab: Lab) -> None:
    clear = Lab(lab.bed, lab.folder, url=lab.bed.tcp_uri())
    shown = clear.run("enforce")
    assert "verified-connection" in shown.out
    (plan,) = clear.plans()
    refused(clear.apply(plan), "no action to apply")


def test_without_a_terminal_and_without_yes_nothing_happens(lab: Lab) -> None:
    ran = lab.run("enforce", "--apply", "--plan", str(lab.plan()))
    assert ran.code == 2
    assert "there is no terminal: add --yes" in ran.err


def test_without_a_plan_the_newest_one_needs_a_signature(lab: Lab) -> None:
    plan = lab.plan()
    refused(lab.run("enforce", "--apply", "--yes"), "nobody signed off plan", plan.stem)


def test_grd_26_what_was_exempted_since_the_plan_was_made_is_left_alone(lab: Lab) -> None:
    plan = lab.plan()
    who = ("--owner", "ada", "--reason", "still needed")
    until = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    added = lab.run("exempt", "add", "web01", "--rule", "stale-snapshot", *who, "--until", until)
    assert added.code == 0, added.err
    refused(lab.apply(plan), "held", "exempt:", "of ada until", "still needed")
