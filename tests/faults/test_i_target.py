"""Faults I: the wrong target. A plan is made, the world changes, and the plan is applied."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from snapaudit.app.planning import config_digest, refuse_if_over, refuse_if_unfit
from snapaudit.config.settings import Settings
from snapaudit.enforce.identity import Standing, compare, expectation
from snapaudit.enforce.lock import Lock
from snapaudit.errors import RefusedError
from snapaudit.model.journal import Event
from snapaudit.model.limits import Window
from snapaudit.model.plan import Guard, SnapshotId
from snapaudit.rules.digest import digest
from tests.builders import NOW, inventory, snapshot, vm
from tests.enforce.fake.builders import DAY
from tests.enforce.fake.office import policy
from tests.enforce.fake.people import create, delete, move, recreate, reissue, rename, revert
from tests.faults.site import site


def test_i1_snapshot_recreated_in_the_same_second_is_left_alone() -> None:
    with site() as one:
        plan = one.office.plan()
        recreate(one.world, one.vm, "old")
        one.refuses(plan, Guard.UNCHANGED, "identity")


def test_i2_machines_that_were_given_each_others_ids_are_left_alone() -> None:
    with site() as one:
        plan = one.office.plan(worst=1)
        [other] = one.more(1)
        reissue(one.host, one.vm, other)
        one.refuses(plan, Guard.UNCHANGED, "name of the machine")


def test_i4_renamed_snapshot_is_refused_and_not_taken_for_gone() -> None:
    with site() as one:
        plan = one.office.plan()
        rename(one.vm, "old", "keep this")
        one.refuses(plan, Guard.UNCHANGED, "name: old became keep this")
        assert "keep this" in one.vm.snaps


def test_i4_grd_03_renamed_machine_or_new_description_says_wait() -> None:
    with site() as one:
        plan = one.office.plan()
        one.vm.name = "web01-keep"
        one.vm.revision += 1
        one.refuses(plan, Guard.UNCHANGED, "'web01' became 'web01-keep'")
    with site() as one:
        plan = one.office.plan()
        one.vm.snaps["old"].description = "needed until Friday"
        one.vm.revision += 1
        one.refuses(plan, Guard.UNCHANGED, "description")


def test_i5_endpoint_that_leads_to_another_manager_refuses_the_whole_run() -> None:
    with site() as one:
        plan = one.office.plan()
        one.host.id = "manager-elsewhere"
        one.refuses_all(plan, "another manager")


def test_i6_machine_whose_disks_moved_is_left_alone() -> None:
    with site() as one:
        plan = one.office.plan()
        move(one.vm, "pool-2")
        one.refuses(plan, Guard.UNCHANGED, "chain of disk vda")


def test_i7_snapshot_that_got_a_child_since_is_left_alone() -> None:
    with site() as one:
        plan = one.office.plan()
        create(one.world, one.host, one.vm, "new")
        one.refuses(plan, Guard.UNCHANGED, "children")


def test_i7_reverted_machine_is_left_alone() -> None:
    with site(snaps=("first", "second")) as one:
        plan = one.office.plan()
        revert(one.world, one.host, one.vm, "first")
        assert set(one.ends(plan)) == {Event.REFUSED}
        assert one.calls == []


def test_i8_inv_06_target_that_somebody_else_deleted_is_already_gone() -> None:
    with site() as one:
        plan = one.office.plan()
        delete(one.world, one.host, one.vm, "old")
        assert one.ends(plan) == [Event.ALREADY_GONE]
        assert one.calls == []


def test_i8_inv_09_plan_is_carried_out_once() -> None:
    with site() as one:
        plan = one.office.plan()
        assert one.ends(plan) == [Event.DONE]
        one.refuses_all(plan, "carried out already")


def test_i8_inv_10_expired_plan_is_refused() -> None:
    with site() as one:
        plan = one.office.plan()
        one.world.clock.skip(3 * DAY)
        one.refuses_all(plan, "expired on")


def test_i8_inv_10_plan_of_the_future_or_of_a_life_beyond_a_week_is_refused() -> None:
    with site() as one:
        made, journal = one.office.read(one.office.plan()), one.office.journal
        refuse_if_over(made, journal, NOW)
        with pytest.raises(RefusedError, match="in the future"):
            refuse_if_over(made, journal, NOW - timedelta(seconds=1))
        with pytest.raises(RefusedError, match="expired"):
            refuse_if_over(replace(made, expires_at=NOW + 8 * DAY), journal, NOW)


def test_i8_inv_10_plan_of_other_rules_or_another_configuration_is_refused(tmp_path: Path) -> None:
    with site() as one:
        source = tmp_path / "snapaudit.yaml"
        source.write_text("version: 1\n", encoding="utf-8")
        settings: Settings = replace(one.office.settings, source=source)
        made = one.office.read(one.office.plan())
        fit = replace(made, config_digest=config_digest(settings), rules_digest=digest(policy()))
        refuse_if_unfit(fit, settings, policy())
        other = replace(policy(), rules=policy().rules[:1])
        with pytest.raises(RefusedError, match="the rules changed"):
            refuse_if_unfit(fit, settings, other)
        source.write_text("version: 1\n# lower limits\n", encoding="utf-8")
        with pytest.raises(RefusedError, match="the configuration changed"):
            refuse_if_unfit(fit, settings, policy())


def test_i9_second_run_is_refused_while_the_first_is_at_work() -> None:
    with site() as one:
        plan = one.office.plan()
        with Lock(one.office.state, one.world.clock.now()):
            one.refuses_all(plan, "another run is at work")


@pytest.mark.parametrize("hours", [-2, 2])
def test_i10_host_whose_clock_goes_wrong_after_the_plan_is_left_alone(hours: int) -> None:
    with site() as one:
        plan = one.office.plan()
        one.host.skew = timedelta(hours=hours)
        one.refuses(plan, Guard.MIN_AGE, "clock")


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-29T00:59:59+00:00", True),  # 01:59:59 in winter time
        ("2026-03-29T01:00:00+00:00", False),  # 03:00:00 in summer time: there is no 02:00
        ("2026-10-25T00:30:00+00:00", False),  # 02:30 for the first time
        ("2026-10-24T23:59:59+00:00", True),
    ],
)
def test_i10_window_is_kept_by_the_wall_clock_when_daylight_saving_changes(
    at: str, is_open: bool
) -> None:
    window = Window(
        text="Sun 00:00-02:00 Europe/Berlin",
        days=frozenset({6}),
        opens=timedelta(0),
        closes=timedelta(hours=2),
        zone=ZoneInfo("Europe/Berlin"),
    )
    assert window.is_open(datetime.fromisoformat(at)) is is_open


def test_i11_id_of_a_snapshot_names_no_machine_and_the_reverse() -> None:
    machine = vm("web01", snapshot("old", age="9d"))
    seen = inventory(machine)
    expected = expectation(seen, machine, machine.snapshots[0])
    assert compare(expected, "old", seen).standing is Standing.ABSENT
    assert expected.snapshot is not None
    wrong = replace(expected, snapshot=replace(expected.snapshot, id=SnapshotId(machine.id)))
    assert compare(wrong, machine.id, seen).standing is Standing.ABSENT
