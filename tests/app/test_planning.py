"""Which plan is taken, and which is refused before anything is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.app.planning import (
    Wanted,
    make_plan,
    newest_plan,
    refuse_if_over,
    refuse_if_unfit,
    sign_off,
)
from snapaudit.codec.strict import parse, pretty
from snapaudit.config.settings import Settings
from snapaudit.enforce.journal import Journal, read_journal
from snapaudit.enforce.sealing import write_plan
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import RefusedError
from snapaudit.model.journal import Event
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Decision, Plan
from snapaudit.rules import engine
from tests.builders import NOW
from tests.enforce.planned import draft
from tests.enforce.planning import line, pack, view

HOUR = timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    source = tmp_path / "snapaudit.yaml"
    source.write_text("version: 1\n")
    made = Settings(state=tmp_path / "state", reports=tmp_path, source=source)
    prepare(State(made.state))
    return made


def planned(settings: Settings, *ages: str, days: int = 0) -> Plan:
    now = NOW + timedelta(days=days)
    found = engine.audit([view(line("web01", *(ages or ("9d",))))], pack(), now)
    return make_plan(found, pack(), settings, Wanted(author="ada"), now)


def written(settings: Settings, made: Plan) -> Path:
    return write_plan(State(settings.state), made)


def carry_out(settings: Settings, made: Plan) -> None:
    with Journal(State(settings.state), lambda: NOW) as journal:
        for action in made.actions:
            fields = {"plan_id": made.id, "action_id": action.id}
            journal.append(draft(Event.ALREADY_GONE, **fields))


def refuse(made: Plan, settings: Settings) -> None:
    refuse_if_unfit(made, settings, pack())
    refuse_if_over(made, read_journal(State(settings.state)), NOW + HOUR)


def test_plan_that_nothing_is_wrong_with_is_taken(settings: Settings) -> None:
    refuse(planned(settings), settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: replace(p, expires_at=NOW), "expired on"),
        (lambda p: replace(p, expires_at=NOW + timedelta(days=8)), "expired on"),
        (lambda p: replace(p, planned_at=NOW + 2 * HOUR), "in the future"),
        (lambda p: replace(p, config_digest="x"), "the configuration changed"),
        (lambda p: replace(p, rules_digest="x"), "the rules changed"),
        (lambda p: replace(p, actions=()), "no action to apply"),
    ],
)
def test_inv_10_plan_that_does_not_fit_is_refused(
    settings: Settings, change: Callable[[Plan], Plan], message: str
) -> None:
    with pytest.raises(RefusedError, match=message):
        refuse(change(planned(settings)), settings)


def test_inv_10_edited_configuration_ends_its_plans(settings: Settings) -> None:
    made = planned(settings)
    assert settings.source is not None
    settings.source.write_text("version: 1\nlimits: {max_actions: 99}\n")
    with pytest.raises(RefusedError, match="the configuration changed"):
        refuse(made, settings)


def test_inv_09_plan_that_was_carried_out_is_refused(settings: Settings) -> None:
    made = planned(settings)
    carry_out(settings, made)
    with pytest.raises(RefusedError, match="carried out already"):
        refuse(made, settings)


def test_inv_11_plan_over_a_limit_is_refused_with_both_ways_out(settings: Settings) -> None:
    made = planned(settings, "30d", "20d", "10d")
    with pytest.raises(RefusedError, match=r"within-limits: .* is over max_share") as refused:
        refuse(made, settings)
    assert "--reseal" in str(refused.value)
    assert "--worst" in str(refused.value)


def skip(path: Path, number: int) -> None:
    document = parse(path.read_bytes(), "plan")
    document["actions"][number]["decision"] = "skip"
    path.write_bytes(pretty(document))


def test_trimmed_plan_is_within_its_limits_once_it_is_signed_off(settings: Settings) -> None:
    path = written(settings, planned(settings, "30d", "20d", "10d"))
    skip(path, 0)
    signed = sign_off(settings, path, "grace", NOW + HOUR)
    assert signed.excess == ()
    assert signed.reviewer == "grace"
    assert signed.actions[0].decision is Decision.SKIP
    before = planned(settings, "30d", "20d", "10d").datastores[0]
    assert signed.datastores[0].free_after_bytes != before.free_after_bytes
    refuse(signed, settings)


def test_plan_that_was_used_or_has_expired_cannot_be_signed_off(settings: Settings) -> None:
    made = planned(settings)
    path = written(settings, made)
    with pytest.raises(RefusedError, match="expired"):
        sign_off(settings, path, "grace", NOW + timedelta(days=4))
    carry_out(settings, made)
    with pytest.raises(RefusedError, match="carried out already"):
        sign_off(settings, path, "grace", NOW + HOUR)


def newest(settings: Settings, *, must_be_signed: bool = False) -> str:
    _, found = newest_plan(settings, NOW + timedelta(days=1), must_be_signed=must_be_signed)
    return found.id


def test_newest_plan_is_taken(settings: Settings) -> None:
    old, new = planned(settings), planned(settings, days=1)
    for one in (new, old):
        written(settings, one)
    assert newest(settings) == new.id


def test_edited_and_used_plans_are_passed_over(settings: Settings) -> None:
    good, used, edited = (planned(settings) for _ in range(3))
    for one in (good, used):
        written(settings, one)
    skip(written(settings, edited), 0)
    carry_out(settings, used)
    assert newest(settings) == good.id


def test_inv_01_where_nobody_is_asked_only_a_plan_that_was_signed_off_is_taken(
    settings: Settings,
) -> None:
    unsigned, signed = planned(settings), planned(settings)
    written(settings, unsigned)
    path = written(settings, signed)
    with pytest.raises(RefusedError, match="nobody signed off"):
        newest(settings, must_be_signed=True)
    sign_off(settings, path, "grace", NOW + HOUR)
    assert newest(settings, must_be_signed=True) == signed.id


def test_no_plan_at_all_names_the_command_that_makes_one(settings: Settings) -> None:
    with pytest.raises(RefusedError, match="make one with `snapaudit enforce`"):
        newest(settings)


def test_machine_that_an_earlier_run_left_open_is_refused_by_name(settings: Settings) -> None:
    with Journal(State(settings.state), lambda: NOW) as journal:
        detail = {"call": "delete", "endpoint": "kvm1", "vm_id": "id-web01"}
        journal.append(draft(Event.INTENT, "p0-1", plan_id="p0", detail=detail))
    made = planned(settings)
    assert made.actions == ()
    assert made.refusals[0].reason == "action p0-1 of an earlier run is not settled"


def test_limits_of_the_settings_are_those_of_the_plan(settings: Settings) -> None:
    made = planned(replace(settings, limits=Limits(max_actions=1)), "20d", "10d")
    assert [one.limit for one in made.excess] == ["max_actions"]
