"""`snapaudit journal resolve --stop-merge` as a user types it, where no daemon is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.enforce.journal import Journal, read_journal
from snapaudit.enforce.sealing import write_plan
from snapaudit.enforce.state import State, prepare
from tests.builders import NOW
from tests.cli.running import Ran, snapaudit
from tests.enforce.planned import action, draft, plan

CONFIG = """\
version: 1
endpoints: [{name: kvm1, kind: libvirt, url: "%s"}]
"""


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / ".snapaudit")
    prepare(made)
    configure(made, "test:///default")
    with Journal(made, lambda: NOW) as journal:
        journal.append(draft())
        journal.mark_head()
    return made


def configure(state: State, url: str, name: str = "kvm1") -> None:
    text = (CONFIG % url).replace("kvm1", name)
    (state.folder.parent / "snapaudit.yaml").write_text(text, encoding="utf-8")


def stop(state: State, *more: str, outcome: str = "abandoned") -> Ran:
    words = ("journal", "resolve", "a1", "--outcome", outcome, "--reason", "slow", "--stop-merge")
    ran = snapaudit(*words, *more, cwd=state.folder.parent)
    assert ran.has_no_traceback()
    assert len(read_journal(state).entries) == 1
    return ran


@pytest.mark.parametrize("outcome", ["done", "no-effect"])
def test_only_what_is_abandoned_is_stopped(state: State, outcome: str) -> None:
    ran = stop(state, "--yes", outcome=outcome)
    assert ran.code == 2
    assert "--stop-merge goes with --outcome abandoned alone" in ran.err


def test_a_plan_that_is_gone_leaves_it_to_a_person(state: State) -> None:
    ran = stop(state, "--yes")
    assert ran.code == 2
    assert "plan-1.json: cannot be read" in ran.err


def test_an_action_that_its_plan_does_not_know_is_refused(state: State) -> None:
    write_plan(state, plan(action("a2")))
    ran = stop(state, "--yes")
    assert ran.code == 4
    assert "plan plan-1 knows no action a1" in ran.err


def test_an_endpoint_that_is_gone_is_refused(state: State) -> None:
    write_plan(state, plan())
    configure(state, "test:///default", name="other")
    ran = stop(state, "--yes")
    assert ran.code == 4
    assert "kvm1 is no longer configured" in ran.err


def test_a_deletion_by_the_platform_itself_is_not_stopped(state: State) -> None:
    write_plan(state, plan())
    ran = stop(state, "--yes")
    assert ran.code == 4
    assert "its last call (delete) is no merge that can be taken back" in ran.err
