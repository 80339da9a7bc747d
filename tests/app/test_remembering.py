from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.app.remembering import announced, held_against_memory, remember
from snapaudit.config.settings import Settings
from snapaudit.model.inventory import CoverageState
from snapaudit.model.policy import Mode
from snapaudit.rules import engine
from tests.builders import NOW
from tests.enforce.planning import line, pack, view, with_rule

DAY = timedelta(days=1)
MARKS = with_rule("stale-snapshot", mode=Mode.MARK, grace=7 * DAY)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state=tmp_path / "state", reports=tmp_path)


def test_grace_runs_from_the_run_that_first_announced_it(settings: Settings) -> None:
    seen = view(line("web01", "9d"))
    first = engine.audit([seen], MARKS, NOW)
    remember(first, MARKS, settings, NOW, frozenset())
    later = announced(engine.audit([seen], MARKS, NOW + 2 * DAY), MARKS, settings, NOW + 2 * DAY)
    assert [one.due_at for one in later.findings if one.rule == "stale-snapshot"] == [NOW + 7 * DAY]


def test_what_was_never_remembered_is_due_a_whole_grace_from_now(settings: Settings) -> None:
    found = announced(engine.audit([view(line("web01", "9d"))], MARKS, NOW), MARKS, settings, NOW)
    assert {one.due_at for one in found.findings if one.rule == "stale-snapshot"} == {NOW + 7 * DAY}
    assert not settings.state.exists()


def test_view_that_shrank_is_suspicious_until_the_endpoint_is_named(settings: Settings) -> None:
    machines = [line(f"m{n}", "9d") for n in range(4)]
    whole = engine.audit([view(*machines)], pack(), NOW)
    remember(whole, pack(), settings, NOW, frozenset())
    (low,) = held_against_memory([view(machines[0])], settings)
    assert low.coverage.state is CoverageState.SUSPICIOUS
    named = replace(whole, inventories=(low,))
    remember(named, pack(), settings, NOW, frozenset({"kvm1"}))
    (accepted,) = held_against_memory([view(machines[0])], settings)
    assert accepted.coverage.state is CoverageState.COMPLETE
