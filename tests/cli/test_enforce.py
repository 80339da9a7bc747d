"""``snapaudit enforce`` as a user types it, where no daemon is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snapaudit.cli.exits import Exit, run_exit
from snapaudit.codec.documents import inventories_document
from snapaudit.enforce.ground import STOPPED
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Outcome, RunReport
from tests.builders import NOW
from tests.cli.running import Ran, snapaudit, write_config
from tests.enforce.planned import action
from tests.enforce.planning import line, view


def test_demo_is_planned_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = snapaudit("enforce", "--demo", "-f", "json", cwd=tmp_path)
    plan = json.loads(ran.out)
    assert plan["schema"] == "snapaudit/plan@1"
    assert plan["refusals"]
    assert {(one["endpoint"], one["vm_name"]) for one in plan["actions"]} == {
        ("demo-branch", "till-01"),
        ("demo-branch", "till-02"),
    }
    assert plan["excess"] == []
    assert list(tmp_path.iterdir()) == []


def test_plan_of_the_demo_does_not_say_that_it_can_be_applied(tmp_path: Path) -> None:
    ran = snapaudit("enforce", "--demo", cwd=tmp_path)
    said = verdict_of(ran)
    assert said.startswith("ONLY TO READ would delete 3 snapshots")
    assert "cannot be applied: it is of a made-up fleet, and stored nowhere" in said
    assert "--apply" not in ran.out
    assert ".snapaudit/plans" not in ran.out


def planned(folder: Path, endpoint: str, *options: str) -> Ran:
    """A plan from a saved view of that endpoint, where ``kvm1`` is configured."""
    write_config(folder, "{name: kvm1, kind: libvirt, url: 'test:///default'}")
    seen = view(line("web01", "9d"), endpoint=endpoint)
    (folder / "seen.json").write_bytes(inventories_document([seen], compress=False))
    return snapaudit("enforce", "--inventory", "seen.json", *options, cwd=folder)


def verdict_of(ran: Ran) -> str:
    assert ran.has_no_traceback(), ran.err
    return " ".join(ran.out.split("plan ")[0].split())


def test_plan_of_a_saved_view_is_ready_only_where_its_endpoint_is_configured(
    tmp_path: Path,
) -> None:
    ran = planned(tmp_path, "kvm9")
    said = verdict_of(ran)
    assert said.startswith("ONLY TO READ would delete 1 snapshot")
    assert "cannot be applied: kvm9 is not configured here" in said
    assert "--apply" not in ran.out
    [plan] = (tmp_path / ".snapaudit/plans").glob("*.json")
    again = snapaudit("enforce", "--plan", str(plan), cwd=tmp_path)
    assert verdict_of(again) == said
    refused = snapaudit("enforce", "--apply", "--yes", "--plan", str(plan), cwd=tmp_path)
    assert refused.code == Exit.REFUSED
    assert "kvm9, which is not configured here" in refused.err
    here = planned(tmp_path, "kvm1")
    assert verdict_of(here).startswith("READY would delete 1 snapshot")
    assert "--apply" in here.out


def test_plan_as_of_another_day_is_not_ready_today(tmp_path: Path) -> None:
    for day, why in (("2026-06-01T12:00:00Z", "expired on"), ("2099-06-01T12:00:00Z", "future")):
        said = verdict_of(planned(tmp_path, "kvm1", "--now", day))
        assert said.startswith("ONLY TO READ would delete 1 snapshot")
        assert why in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--apply", "--demo"), "--demo cannot go with --apply"),
        (("--apply", "--worst", "3"), "--worst cannot go with --apply"),
        (("--apply", "--reseal"), "--reseal cannot go with --apply"),
        (("--apply", "--now", "2026-06-01T00:00:00Z"), "--now cannot go with --apply"),
        (("--apply", "--inventory", "x.json"), "--inventory cannot go with --apply"),
        (("--reseal",), "--reseal needs --plan FILE"),
        (("--worst", "0"), "Invalid value for '--worst'"),
        (("--plan", "none.json"), "none.json: cannot be read"),
        (("-f", "html"), "unknown format 'html'"),
    ],
)
def test_options_that_make_no_sense_are_one_line(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    ran = snapaudit("enforce", *options, cwd=tmp_path)
    assert ran.code == Exit.WRONG_INPUT
    assert message in ran.err
    assert ran.has_no_traceback()


def test_without_a_plan_apply_names_the_command_that_makes_one(tmp_path: Path) -> None:
    ran = snapaudit("enforce", "--apply", "--yes", cwd=tmp_path)
    assert ran.code == Exit.REFUSED
    assert "make one with `snapaudit enforce`" in ran.err


def test_explain_says_what_a_plan_would_do(tmp_path: Path) -> None:
    ran = snapaudit("explain", "--demo", "-f", "json", "erp01/release-24.2", cwd=tmp_path)
    found = json.loads(ran.out)["enforcement"]
    assert found["verdict"] == "refused"
    assert found["guard"] == "whole-view"
    page = snapaudit("explain", "--demo", "erp01/release-24.2", cwd=tmp_path)
    assert "`snapaudit enforce` would refuse it" in page.out


def report(*events: Event, not_started: int = 0, stopped: str | None = None) -> RunReport:
    outcomes = tuple(
        Outcome(
            action=action(f"a{number}"),
            event=event,
            guard=None,
            reason="",
            freed_bytes=None,
            started_at=NOW,
            finished_at=NOW,
            task_id=None,
        )
        for number, event in enumerate(events)
    )
    return RunReport(
        run_id="r1",
        plan_id="p1",
        started_at=NOW,
        finished_at=NOW,
        outcomes=outcomes,
        not_started=tuple(action(f"b{number}") for number in range(not_started)),
        stopped_because=stopped,
        settled=(),
        journal_head="",
    )


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (report(Event.DONE, Event.ALREADY_GONE), Exit.DONE),
        (report(), Exit.DONE),
        (report(Event.DONE, Event.REFUSED), Exit.REFUSED),
        (report(Event.DONE, not_started=1, stopped="in-window: closed"), Exit.REFUSED),
        (report(Event.DONE, Event.REFUSED, Event.FAILED), Exit.ACTION_FAILED),
        (report(Event.UNKNOWN), Exit.ACTION_FAILED),
        (report(not_started=1, stopped="not settled: web01"), Exit.ACTION_FAILED),
        (report(Event.DONE, not_started=1, stopped=STOPPED), Exit.INTERRUPTED),
    ],
)
def test_exit_code_tells_the_worst_that_happened(found: RunReport, code: Exit) -> None:
    assert run_exit(found) == code
