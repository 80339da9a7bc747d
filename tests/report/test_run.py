from __future__ import annotations

import json
from datetime import timedelta

import pytest

from snapaudit.model.journal import Event
from snapaudit.model.outcome import RunReport
from snapaudit.model.plan import Bytes, Guard
from snapaudit.report.escape import columns, plain
from snapaudit.report.formats import RUN_FORMATS, render_run
from tests.builders import GIB, NOW
from tests.report.hostile import hostile_names
from tests.report.plans import deletion, example_run, outcome, run

NAMES = tuple(hostile_names())
ENDS = (Event.DONE, Event.ALREADY_GONE, Event.REFUSED, Event.FAILED, Event.UNKNOWN)


def joined(text: str) -> str:
    """The text whatever lines it is folded to."""
    return "".join(text.split())


def drawn(report: RunReport, width: int = 160) -> str:
    return render_run(report, "table", width=width).decode()


def verdict(*events: Event, **changes: object) -> str:
    outcomes = (outcome(deletion(f"vm{n}"), event) for n, event in enumerate(events))
    return drawn(run(*outcomes, **changes)).splitlines()[0]


def test_run_without_trouble_says_how_much_is_done() -> None:
    assert verdict(Event.DONE, Event.DONE) == "DONE  2 of 2 actions done"


def test_inv_06_what_was_gone_already_is_no_trouble() -> None:
    assert verdict(Event.DONE, Event.ALREADY_GONE) == "DONE  1 of 2 actions done, 1 already gone"


def test_inv_16_unknown_outranks_failed_and_failed_outranks_refused() -> None:
    assert verdict(Event.DONE, Event.REFUSED).startswith("REFUSED  1 of 2 actions done, 1 refused")
    assert verdict(Event.REFUSED, Event.FAILED).startswith("FAILED  ")
    assert verdict(Event.FAILED, Event.UNKNOWN).startswith("UNKNOWN  ")


def test_run_that_was_stopped_is_not_called_done() -> None:
    said = verdict(Event.DONE, not_started=(deletion("late"),), stopped_because="interrupted")
    assert said == "STOPPED  1 of 2 actions done, 1 not started"
    assert verdict(stopped_because="the journal cannot be written").startswith("STOPPED")


def test_freed_bytes_stand_beside_what_was_promised() -> None:
    two = (outcome(deletion()), outcome(deletion("web02"), freed_bytes=None))
    said = drawn(run(*two))
    assert "came back  10 GiB and 1 not measured (promised 18\u201324 GiB)" in said
    assert "9\u201312 GiB" in said


def test_nothing_measured_is_unknown_and_not_nothing() -> None:
    said = drawn(run(outcome(deletion(), freed_bytes=None)))
    assert "unknown: nothing was measured" in said
    zero = drawn(run(outcome(deletion(frees_bytes=Bytes(min=0, max=None)), freed_bytes=0)))
    assert "came back  0 (promised unknown)" in zero


def test_refusal_carries_its_guard_and_a_failure_its_task() -> None:
    refused = outcome(deletion(), Event.REFUSED, guard=Guard.UNCHANGED, reason="name differs")
    failed = outcome(deletion("b"), Event.FAILED, reason="no space", task_id="task-7")
    said = drawn(run(refused, failed))
    assert "unchanged: name differs" in said
    assert "no space" in said
    assert "task task-7" in said


def test_what_was_not_started_is_named_with_the_reason() -> None:
    late = (deletion("late1"), deletion("late2"))
    said = drawn(run(not_started=late, stopped_because="the window closed"))
    assert "Not started: 2 actions\nthe window closed\nkvm1: late1" in said
    assert "kvm1: late2 / before-upgrade" in said


def test_i19_half_done_says_that_the_plan_goes_on_and_asks_nobody_to_settle_it() -> None:
    said = drawn(run(outcome(deletion(), Event.UNKNOWN, goes_on=True)))
    assert "Apply plan" in said
    assert "it goes on where it stopped" in said
    assert "journal resolve" not in said


def test_grd_22_unknown_says_what_a_person_has_to_do() -> None:
    said = drawn(run(outcome(deletion(id="a-17"), Event.UNKNOWN)))
    assert "snapaudit journal show a-17" in said
    assert "snapaudit journal resolve a-17 --outcome WORD --reason TEXT" in said
    assert "journal resolve" not in drawn(run(outcome(deletion())))


def test_what_reconciling_found_is_told() -> None:
    assert "kvm1: web09 / old was found deleted as meant" in drawn(example_run())


@pytest.mark.parametrize("name", RUN_FORMATS)
def test_grd_23_head_of_the_journal_is_in_every_format(name: str) -> None:
    assert "f" * 64 in render_run(example_run(), name).decode()


def test_json_is_the_whole_record() -> None:
    document = json.loads(render_run(example_run(), "json"))
    assert document["schema"] == "snapaudit/run@1"
    assert [one["event"] for one in document["outcomes"]] == list(ENDS[:3]) + list(ENDS[3:])
    assert document["outcomes"][0]["freed_bytes"] == 101 * GIB
    assert len(document["not_started"]) == 2


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_table_keeps_to_its_columns(width: int) -> None:
    assert max(map(columns, drawn(example_run(), width).splitlines())) <= width


def test_inv_24_tst_12_hostile_names_command_nothing_and_none_is_lost() -> None:
    outcomes = (
        outcome(
            deletion(name, name, id=name), Event.UNKNOWN, reason=f"why {name}", task_id=name,
            finished_at=NOW + timedelta(seconds=number),
        )
        for number, name in enumerate(NAMES)
    )  # fmt: skip
    late = tuple(deletion(name, name) for name in NAMES)
    text = drawn(
        run(*outcomes, not_started=late, stopped_because="".join(NAMES), settled=NAMES), 8000
    )
    assert all(char.isprintable() or char == "\n" for char in text)
    assert not [name for name in NAMES if joined(f"task {plain(name)}") not in joined(text)]
