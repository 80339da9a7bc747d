"""`snapaudit journal` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snapaudit.enforce.journal import Journal, read_journal
from snapaudit.enforce.lock import Lock
from snapaudit.enforce.state import State, prepare
from snapaudit.model.journal import Event
from tests.builders import NOW
from tests.cli.running import Ran, snapaudit
from tests.enforce.planned import draft

HOSTILE = "a\x1b[31m\u202eb\nc"


@pytest.fixture
def state(tmp_path: Path) -> State:
    """A journal with one action that is done and one that is unknown."""
    made = State(tmp_path / ".snapaudit")
    prepare(made)
    with Journal(made, lambda: NOW) as journal:
        journal.append(draft())
        journal.append(draft(Event.SUBMITTED, task_id="job-1"))
        journal.append(draft(Event.DONE))
        journal.append(draft(action_id="a2"))
        journal.append(draft(Event.UNKNOWN, "a2", detail={"reason": HOSTILE}))
        journal.mark_head()
    return made


def journal(state: State, *arguments: str) -> Ran:
    return snapaudit("journal", *arguments, cwd=state.folder.parent)


def resolve(state: State, *arguments: str) -> Ran:
    return journal(state, "resolve", "a2", "--reason", "the chain is flat", *arguments)


def test_list_shows_the_latest_entries_and_says_how_many_are_left_out(state: State) -> None:
    everything = journal(state, "list")
    assert everything.code == 0
    for word in ("intent", "submitted", "done", "unknown", "a1", "a2", "job-1"):
        assert word in everything.out
    last = journal(state, "list", "--last", "2")
    assert "job-1" not in last.out
    assert "3 older entries not shown" in last.out
    assert journal(state, "list", "--last", "0").out == everything.out


def test_list_begins_with_the_call_and_leaves_out_what_says_nothing(state: State) -> None:
    said = {"about.base": "/vm/base", "call": "commit", "endpoint": "kvm1", "vm_id": "id-a3"}
    said |= {"siblings": "{}", "power_state": "off", "about.vm_id": "id-a3"}
    with Journal(state, lambda: NOW) as written:
        written.append(draft(action_id="a3", detail=said))
        written.append(draft(Event.DONE, "a3", detail={"freed_bytes": 7, "reason": ""}))
    told = " ".join(journal(state, "list", "--last", "2").out.split())
    assert "siblings" not in told
    assert "power_state" in journal(state, "show", "a3").out
    assert "call commit, endpoint kvm1, vm_id id-a3, about.base /vm/base" in told
    assert "done a3 freed_bytes 7 5 older entries" in told


def test_list_and_show_as_json(state: State) -> None:
    listed = json.loads(journal(state, "list", "-f", "json").out)
    assert listed["schema"] == "snapaudit/journal@1"
    assert [entry["seq"] for entry in listed["entries"]] == [1, 2, 3, 4, 5]
    shown = json.loads(journal(state, "show", "a2", "-f", "json").out)
    assert shown["entries"] == listed["entries"][3:]
    assert shown["entries"][1]["detail"] == {"reason": HOSTILE}


@pytest.mark.parametrize("name", ["a1", "plan-1", "run-1"])
def test_show_finds_actions_plans_and_runs(state: State, name: str) -> None:
    ran = journal(state, "show", name)
    assert ran.code == 0
    assert "3. done, 2026-06-01 12:00 UTC" in ran.out
    assert ("id-a2" in ran.out) is (name != "a1")


def test_inv_24_hostile_details_command_nothing(state: State) -> None:
    for ran in (journal(state, "list"), journal(state, "show", "a2")):
        assert all(char.isprintable() or char == "\n" for char in ran.out)
        assert "\\u202e" in ran.out


def test_grd_23_verify_says_the_head_and_what_is_not_settled(state: State) -> None:
    head = read_journal(state).head
    assert head is not None
    ran = journal(state, "verify")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "the journal is whole: 5 entries",
        f"head: {head.hash}",
        "not settled: action a2, last unknown",
    ]
    verdict = json.loads(journal(state, "verify", "-f", "json").out)
    assert verdict["head"] == head.hash
    assert verdict["open"] == ["a2"]


def test_verify_repairs_nothing_and_says_what_the_next_run_will(state: State) -> None:
    whole = state.journal.read_bytes()
    state.journal.write_bytes(whole + whole[:40])
    ran = journal(state, "verify")
    assert "line 6" in ran.out
    assert "cuts it off" in ran.out
    assert state.journal.read_bytes() == whole + whole[:40]


def test_grd_23_damaged_journal_is_exit_code_4_everywhere(state: State) -> None:
    damaged = state.journal.read_bytes().replace(b"a1", b"a7", 1)
    state.journal.write_bytes(damaged)
    for ran in (
        journal(state, "list"),
        journal(state, "show", "a1"),
        journal(state, "verify"),
        resolve(state, "--outcome", "done"),
    ):
        assert (ran.code, ran.out) == (4, "")
        assert "line 1 was changed after it was written" in ran.err
    assert state.journal.read_bytes() == damaged


@pytest.mark.parametrize("outcome", ["done", "no-effect", "abandoned"])
def test_grd_22_person_settles_what_is_unknown(state: State, outcome: str) -> None:
    ran = resolve(state, "--outcome", outcome)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"action a2 is settled: {outcome} (entry 6)\n"
    record = read_journal(state)
    assert record.open_actions() == ()
    assert record.head is not None
    assert record.head.event is Event.RESOLVED
    assert record.head.plan_id == "plan-1"
    assert record.head.detail["outcome"] == outcome
    assert record.head.detail["reason"] == "the chain is flat"
    assert record.head.detail["by"]
    assert json.loads(state.head.read_bytes())["seq"] == 6


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("resolve", "a1", "--outcome", "done", "--reason", "x"), "needs no resolution"),
        (("resolve", "a9", "--outcome", "done", "--reason", "x"), "knows no action 'a9'"),
        (("resolve", "a2", "--outcome", "continue", "--reason", "x"), "continue"),
        (("resolve", "a2", "--outcome", "done"), "--reason"),
        (("resolve", "a2", "--outcome", "done", "--reason", " "), "--reason is empty"),
        (("resolve", "a2", "--reason", "x"), "--outcome"),
        (("show", "nothing"), "knows no action, plan or run 'nothing'"),
        (("list", "--last", "-1"), "--last"),
    ],
)
def test_wrong_use_is_exit_code_2_and_writes_nothing(
    state: State, arguments: tuple[str, ...], reason: str
) -> None:
    before = state.journal.read_bytes()
    ran = journal(state, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert reason in ran.err
    assert state.journal.read_bytes() == before


def test_i9_nothing_is_resolved_while_a_run_is_at_work(state: State) -> None:
    before = state.journal.read_bytes()
    with Lock(state, NOW):
        ran = resolve(state, "--outcome", "done")
    assert ran.code == 4
    assert "another run is at work" in ran.err
    assert state.journal.read_bytes() == before


def test_journal_that_does_not_exist_is_empty_and_nothing_is_created(tmp_path: Path) -> None:
    state = State(tmp_path / ".snapaudit")
    assert journal(state, "list").out == "the journal is empty\n"
    assert journal(state, "verify").out == "the journal is whole: no entries\n"
    assert resolve(state, "--outcome", "done").code == 2
    assert not state.folder.exists()
