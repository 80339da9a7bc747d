"""A run from plan to outcome on the fake world: what is sent, what is refused, and what is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.enforce.chain import Resolution
from snapaudit.enforce.course import resolution_of
from snapaudit.enforce.lock import Lock
from snapaudit.errors import RefusedError
from snapaudit.model.inventory import PowerState
from snapaudit.model.journal import Event
from snapaudit.model.outcome import RunReport
from snapaudit.model.plan import Guard
from tests.enforce.fake import people
from tests.enforce.fake.builders import DAY, machine, manager
from tests.enforce.fake.office import Office
from tests.enforce.fake.peril import Killed, Peril
from tests.enforce.fake.tasks import Fate
from tests.enforce.fake.things import Way
from tests.enforce.fake.world import World
from tests.enforce.folders import quick_folder
from tests.enforce.test_guards import window


class Site:
    """Two machines on datastores of their own: app01 by one call, db01 step by step."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.host = manager(self.world)
        self.web = machine(self.world, self.host, "app01", disks=2)
        ways = (Way.STEPS,)
        self.db = machine(self.world, self.host, "db01", store="pool-2", disks=2, ways=ways)
        self.office = Office(folder, self.world)
        self.plan = self.office.plan()

    def later(self, seconds: float, happens: Callable[[], object]) -> None:
        self.world.later.append((self.world.clock.now() + timedelta(seconds=seconds), happens))

    def apply(self) -> RunReport:
        report = self.office.apply(self.plan)
        assert self.world.ledger.violations == []
        return report

    def killed_at(self, step: str, number: int) -> None:
        """Run until that step comes for the n-th time, and die there."""
        self.office.peril = _At(step, number)
        with pytest.raises(Killed):
            self.office.apply(self.plan)
        self.office.peril = Peril()

    @property
    def sent(self) -> list[str]:
        return [f"{sent.call.name} {sent.vm_id}" for sent in self.world.ledger.sent]


class _At(Peril):
    """Dies at the n-th step of a name."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__()
        self.name, self.number = name, number

    def step(self, name: str) -> bool:
        self.steps.append(name)
        return name == self.name and self.steps.count(name) == self.number


@pytest.fixture
def site() -> Iterator[Site]:
    with quick_folder() as folder:
        yield Site(folder)


def ends(report: RunReport) -> dict[str, Event]:
    return {outcome.action.vm_name: outcome.event for outcome in report.outcomes}


def test_inv_01_what_the_plan_lists_is_done_and_nothing_else(site: Site) -> None:
    report = site.apply()
    assert ends(report) == {"app01": Event.DONE, "db01": Event.DONE}
    steps = [f"{call} id-db01" for call in ("commit:vda", "commit:vdb", "forget")]
    assert sorted(site.sent) == sorted(["delete id-app01", *steps])
    assert not site.web.snaps
    assert not site.db.snaps


def test_inv_09_a_plan_is_carried_out_once(site: Site) -> None:
    site.apply()
    sent = list(site.sent)
    with pytest.raises(RefusedError, match="carried out already"):
        site.apply()
    assert site.sent == sent


def test_i9_a_second_run_beside_the_first_sends_nothing(site: Site) -> None:
    with Lock(site.office.state, site.world.clock.now()), pytest.raises(RefusedError):
        site.apply()
    assert site.sent == []


def test_inv_10_an_expired_plan_sends_nothing(site: Site) -> None:
    site.world.clock.skip(3 * DAY)
    with pytest.raises(RefusedError, match="expired"):
        site.apply()
    assert site.sent == []


def test_inv_10_a_plan_of_another_configuration_sends_nothing(site: Site) -> None:
    site.office.source.write_text("version: 1\n# another\n", "utf-8")
    with pytest.raises(RefusedError, match="configuration changed"):
        site.apply()
    assert site.sent == []


def test_inv_10_a_plan_of_other_rules_sends_nothing(site: Site) -> None:
    site.office.rules = replace(site.office.rules, rules=site.office.rules.rules[:1])
    with pytest.raises(RefusedError, match="rules changed"):
        site.apply()
    assert site.sent == []


def test_i5_another_manager_under_the_same_name_sends_nothing(site: Site) -> None:
    site.host.id = "somebody else"
    with pytest.raises(RefusedError, match="another manager"):
        site.apply()
    assert site.sent == []


def test_grd_09_a_world_that_changed_too_much_sends_nothing(site: Site) -> None:
    for number in range(4):
        machine(site.world, site.host, f"m{number}", store="pool-2")
    site.office.limits = replace(site.office.limits, min_age=timedelta(hours=73))
    site.plan = site.office.plan(worst=2)
    site.web.name = site.db.name = "renamed"
    assert ends(site.apply())
    assert not any("app01" in sent or "db01" in sent for sent in site.sent)


_REFUSED: tuple[tuple[str, Guard, Callable[[Site], object]], ...] = (
    ("recreated", Guard.UNCHANGED, lambda s: people.recreate(s.world, s.web, "old")),
    ("renamed", Guard.UNCHANGED, lambda s: people.rename(s.web, "old", "older")),
    ("child", Guard.UNCHANGED, lambda s: people.create(s.world, s.host, s.web, "new")),
    ("moved", Guard.UNCHANGED, lambda s: people.move(s.web, "pool-2")),
    ("an image more", Guard.UNCHANGED, lambda s: people.overlay(s.world, s.web)),
    ("held", Guard.HELD, lambda s: s.office.hold("kvm1", "id-app01", "old")),
    ("held machine", Guard.HELD, lambda s: s.office.hold("kvm1", "id-app01", None)),
    ("busy", Guard.NOT_BUSY, lambda s: setattr(s.web, "busy", True)),
    ("cloned", Guard.PROTECTED, lambda s: s.web.protections.append("clone: one")),
    ("full", Guard.ROOM_TO_MERGE, lambda s: setattr(s.host.stores["pool-1"], "others", 2**40)),
    ("unverified", Guard.VERIFIED_CONNECTION, lambda s: setattr(s.host, "verified", False)),
    ("partial", Guard.WHOLE_VIEW, lambda s: setattr(s.host, "listed", False)),
    ("clock", Guard.MIN_AGE, lambda s: setattr(s.host, "skew", timedelta(hours=2))),
)


@pytest.mark.parametrize(
    ("guard", "spoil"), [row[1:] for row in _REFUSED], ids=[row[0] for row in _REFUSED]
)
def test_grd_10_what_changed_since_the_plan_is_refused_by_name_at_the_last_look(
    site: Site, guard: Guard, spoil: Callable[[Site], object]
) -> None:
    spoil(site)
    report = site.apply()
    [outcome] = [one for one in report.outcomes if one.action.vm_name == "app01"]
    assert (outcome.event, outcome.guard) == (Event.REFUSED, guard)
    assert "delete id-app01" not in site.sent


def test_inv_06_what_is_gone_is_no_error_and_nothing_is_sent(site: Site) -> None:
    people.delete(site.world, site.host, site.web, "old")
    assert ends(site.apply())["app01"] is Event.ALREADY_GONE
    assert "delete id-app01" not in site.sent


def test_inv_07_what_a_partial_view_does_not_show_is_not_gone(site: Site) -> None:
    del site.host.machines[site.web.id]
    site.host.listed = False
    [outcome] = [one for one in site.apply().outcomes if one.action.vm_name == "app01"]
    assert (outcome.event, outcome.guard) == (Event.REFUSED, Guard.WHOLE_VIEW)


@pytest.mark.parametrize("fate", [Fate(arrives=False), Fate(answers=False)])
def test_inv_16_a_lost_answer_is_unknown_and_opens_the_breaker(site: Site, fate: Fate) -> None:
    site.world.fates.queue = [fate]
    report = site.apply()
    assert Event.UNKNOWN in ends(report).values()
    assert report.stopped_because
    assert len(site.sent) == 1


def test_inv_17_reported_success_without_an_effect_is_a_failure(site: Site) -> None:
    site.world.fates.queue = [Fate(lies=True), Fate(lies=True)]
    report = site.apply()
    assert ends(report) == {"app01": Event.FAILED, "db01": Event.FAILED}


def test_p9_one_of_two_disks_merged_is_unknown_and_left_alone(site: Site) -> None:
    site.web.ways = (Way.NATIVE,)
    site.world.fates.queue = [Fate(fails_after=1)]
    report = site.apply()
    assert ends(report)["app01"] is Event.UNKNOWN
    site.plan = site.office.plan()
    planned = [action.vm_name for action in site.office.read(site.plan).actions]
    assert "app01" not in planned


def test_another_way_is_tried_when_the_first_came_to_nothing(site: Site) -> None:
    site.web.ways = (Way.NATIVE, Way.STEPS)
    site.world.fates.queue = [Fate(refused=True)]
    assert ends(site.apply())["app01"] is Event.DONE
    assert [sent for sent in site.sent if "app01" in sent] == [
        f"{call} id-app01" for call in ("delete", "commit:vda", "commit:vdb", "forget")
    ]


def test_another_way_is_not_tried_on_a_machine_that_is_protected_by_then(site: Site) -> None:
    site.web.ways = (Way.NATIVE, Way.STEPS)
    site.world.fates.queue = [Fate(fails_after=0)]
    site.later(5, lambda: site.web.protections.append("clone: one"))
    assert ends(site.apply())["app01"] is Event.REFUSED


@pytest.mark.parametrize(
    "happens",
    [
        lambda site: site.office.hold("kvm1", "id-db01", "old"),
        lambda site: site.db.protections.append("clone: another machine stands on its disk"),
        lambda site: setattr(site.host, "verified", False),
    ],
    ids=["held", "cloned", "unverified"],
)
def test_inv_08_half_done_work_stops_when_somebody_needs_what_is_left(
    site: Site, happens: Callable[[Site], object]
) -> None:
    site.later(5, lambda: happens(site))
    report = site.apply()
    assert ends(report)["db01"] is Event.UNKNOWN
    assert [sent for sent in site.sent if "db01" in sent] == ["commit:vda id-db01"]


def test_inv_02_half_done_work_stops_when_something_else_changed(site: Site) -> None:
    site.later(5, lambda: people.overlay(site.world, site.db))
    report = site.apply()
    assert ends(report)["db01"] is Event.UNKNOWN
    assert [sent for sent in site.sent if "db01" in sent] == ["commit:vda id-db01"]


def test_inv_19_half_done_work_goes_on_once_nobody_needs_it(site: Site) -> None:
    site.later(5, lambda: site.db.protections.append("clone: another machine stands on its disk"))
    site.apply()
    site.db.protections.clear()
    report = site.apply()
    assert ends(report)["db01"] is Event.DONE
    # What the machine occupied before the merge began was seen by the run before.
    assert [one.freed_bytes for one in report.outcomes if one.action.vm_name == "db01"] == [None]
    assert not site.db.snaps


@pytest.mark.parametrize("state", [PowerState.OFF, PowerState.PAUSED])
def test_grd_18_a_machine_that_changed_its_power_state_stops_the_run(
    site: Site, state: PowerState
) -> None:
    site.later(5, lambda: setattr(site.db, "power", state))
    report = site.apply()
    assert ends(report)["db01"] is Event.UNKNOWN
    assert "was on and is" in (report.stopped_because or "")


def test_inv_05_a_lost_sibling_stops_the_run(site: Site) -> None:
    people.create(site.world, site.host, site.web, "new")
    site.plan = site.office.plan()
    site.later(5, lambda: site.web.snaps.pop("new"))
    report = site.apply()
    assert ends(report)["app01"] is Event.UNKNOWN
    assert "gone too" in (report.stopped_because or "")


def test_inv_17_done_means_as_it_was_before_also_after_a_restart(site: Site) -> None:
    site.killed_at("after the call", 2)
    site.world.clock.skip(timedelta(seconds=15))
    people.crash(site.world, site.db)
    report = site.apply()
    assert ends(report)["db01"] is Event.UNKNOWN
    assert "was on and is off" in (report.stopped_because or "")


def test_inv_17_what_is_found_done_after_a_restart_is_done_only_if_all_is_as_it_was(
    site: Site,
) -> None:
    site.killed_at("after the call", 1)
    site.world.clock.skip(DAY / 24)
    people.crash(site.world, site.web)
    report = site.apply()
    assert not site.web.snaps
    assert "was on and is off" in (report.stopped_because or "")
    site.web.power = PowerState.ON
    assert ends(site.apply()) == {"db01": Event.DONE}


def test_grd_22_work_of_others_after_a_restart_is_waited_for_and_stops_everything(
    site: Site,
) -> None:
    site.killed_at("after the call", 2)
    site.world.clock.skip(timedelta(seconds=15))
    site.world.settle()
    site.db.busy = True
    report = site.apply()
    assert report.outcomes == ()
    assert "something still goes on" in (report.stopped_because or "")
    site.db.busy = False
    assert ends(site.apply())["db01"] is Event.DONE


def test_inv_13_a_partial_view_settles_nothing_after_a_restart(site: Site) -> None:
    site.killed_at("after the call", 1)
    site.world.clock.skip(DAY / 24)
    site.host.listed = False
    report = site.apply()
    assert report.outcomes == ()
    assert "partial" in (report.stopped_because or "")
    assert len(site.sent) == 1


def test_inv_15_a_call_is_made_again_only_after_two_looks_that_found_nothing(site: Site) -> None:
    site.killed_at("before the call", 1)
    assert ends(site.apply()) == {"app01": Event.DONE, "db01": Event.DONE}
    found = [resolution_of(entry) for entry in site.office.journal.entries]
    assert found.count(Resolution.NO_EFFECT) == 1


def test_p7_work_that_still_runs_after_a_restart_is_waited_for_and_never_sent_twice(
    site: Site,
) -> None:
    site.world.fates.queue = [Fate(seconds=60)]
    site.killed_at("after the call", 1)
    assert Event.DONE in ends(site.apply()).values()
    assert len(site.sent) == len(set(site.sent)) == 4


def test_grd_22_what_still_runs_too_long_is_unknown_and_stops_everything(site: Site) -> None:
    site.world.fates.queue = [Fate(seconds=10**6)]
    site.killed_at("after the call", 1)
    report = site.apply()
    assert report.outcomes == ()
    assert "something still goes on" in (report.stopped_because or "")
    assert len(site.sent) == 1


def test_grd_18_two_failures_in_a_row_end_the_run(site: Site) -> None:
    for number in range(3):
        machine(site.world, site.host, f"m{number}", snaps=("one",), kind="internal")
    site.office.limits = replace(site.office.limits, max_share=1.0)
    site.plan = site.office.plan(worst=4)
    site.world.fates.queue = [Fate(fails_after=0)] * 2
    report = site.apply()
    assert len(report.not_started) >= 1 or len(site.sent) == 2
    assert report.stopped_because


def test_inv_20_without_a_journal_nothing_more_is_sent(site: Site) -> None:
    for step in range(1, 30):
        with quick_folder() as folder:
            again = Site(folder)
            again.office.peril = Peril(full=step)
            report = again.apply()
            assert report.stopped_because or not again.office.peril.broken


def test_r4_a_datastore_below_its_reserve_stops_what_is_half_done(site: Site) -> None:
    site.later(5, lambda: setattr(site.host.stores["pool-2"], "others", 940 * 2**30))
    report = site.apply()
    assert ends(report)["db01"] is Event.UNKNOWN
    assert site.db.power is PowerState.ON
    assert "less free than its reserve" in (report.stopped_because or "")
    assert [sent for sent in site.sent if "db01" in sent] == ["commit:vda id-db01"]


def test_grd_10_what_was_seen_too_long_ago_is_no_ground_for_a_call(site: Site) -> None:
    site.office.peril = Peril(slow=lambda: site.world.clock.skip(timedelta(seconds=6)))
    report = site.apply()
    assert site.sent == []
    assert "too old" in (report.stopped_because or "")
    site.office.peril = Peril()
    assert ends(site.apply()) == {"app01": Event.DONE, "db01": Event.DONE}


def test_inv_05_a_sibling_that_is_another_one_afterwards_stops_the_run(site: Site) -> None:
    people.create(site.world, site.host, site.web, "new")
    site.plan = site.office.plan()
    site.later(5, lambda: people.recreate(site.world, site.web, "new"))
    report = site.apply()
    assert ends(report)["app01"] is Event.UNKNOWN
    assert "another one now" in (report.stopped_because or "")


def test_p8_a_snapshot_struck_off_with_its_images_left_is_unknown(site: Site) -> None:
    site.world.fates.queue = [Fate(leaves=True)]
    report = site.apply()
    assert ends(report)["app01"] is Event.UNKNOWN
    assert "db01" not in ends(report) or ends(report)["db01"] is not Event.DONE


def test_p6_a_call_that_arrives_late_is_noticed_by_the_second_look(site: Site) -> None:
    site.world.fates.queue = [Fate(late=3)]
    site.apply()
    site.world.clock.wake()
    report = site.apply()
    assert site.sent.count("delete id-app01") == 1
    assert not site.web.snaps
    assert report.stopped_because is None


def test_a_failure_spoils_its_machine_for_the_rest_of_the_plan(site: Site) -> None:
    people.create(site.world, site.host, site.web, "new", age=5 * DAY)
    site.plan = site.office.plan()
    site.world.fates.queue = [Fate(fails_after=0)]
    report = site.apply()
    of_web = [one.event for one in report.outcomes if one.action.vm_name == "app01"]
    assert of_web == [Event.FAILED, Event.REFUSED]
    assert site.sent.count("delete id-app01") == 1


_MEANWHILE: tuple[tuple[str, str, Callable[[Site], object]], ...] = (
    ("lock", "lock", lambda s: s.office.state.lock.unlink()),
    ("window", "in-window", lambda s: s.world.clock.skip(timedelta(hours=3))),
)


@pytest.mark.parametrize(
    ("reason", "happens"), [row[1:] for row in _MEANWHILE], ids=[row[0] for row in _MEANWHILE]
)
def test_grd_18_a_lost_lock_and_a_closed_window_end_all_sending(
    site: Site, reason: str, happens: Callable[[Site], object]
) -> None:
    site.office.limits = replace(site.office.limits, window=window(0))
    site.plan = site.office.plan()
    site.later(5, lambda: happens(site))
    report = site.apply()
    assert [sent for sent in site.sent if "db01" in sent] == ["commit:vda id-db01"]
    assert reason in (report.stopped_because or "")


def test_p15_a_plan_that_expires_during_the_run_ends_all_sending(site: Site) -> None:
    site.world.clock.skip(3 * DAY - timedelta(seconds=5))
    report = site.apply()
    assert [sent for sent in site.sent if "db01" in sent] == ["commit:vda id-db01"]
    assert "expired" in (report.stopped_because or "")


def test_inv_11_limits_are_those_of_the_world_as_it_is_when_it_is_applied() -> None:
    world = World()
    host = manager(world)
    for number in range(15):
        machine(world, host, f"vm{number:02}", age=(9 if number < 3 else 1) * DAY)
    with quick_folder() as folder:
        office = Office(folder, world)
        plan = office.plan()
        assert len(office.read(plan).actions) == 3
        for number in range(5, 15):
            del host.machines[f"id-vm{number:02}"]
        with pytest.raises(RefusedError, match="within-limits"):
            office.apply(plan)
        assert world.ledger.sent == []


def test_r6_what_was_done_is_told_even_when_nothing_more_can_be_noted(site: Site) -> None:
    site.office.state.sightings.mkdir()
    report = site.apply()
    assert ends(report) == {"app01": Event.DONE, "db01": Event.DONE}
    assert "cannot be written" in (report.stopped_because or "")
