"""Faults U: what is listed in a plan has become something that must not be touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snapaudit.model.journal import Event
from snapaudit.model.plan import Guard
from tests.enforce.fake.people import overlay
from tests.enforce.fake.tasks import Fate
from tests.enforce.fake.things import Way
from tests.faults.site import Site, site


def _cloned(one: Site) -> None:
    one.vm.protections.append("shared-backing: machine desktop7 stands on it")


def _templated(one: Site) -> None:
    one.vm.template = True


def _replicated(one: Site) -> None:
    one.vm.protections.append("replication: it is the base of a replica")


def _checkpointed(one: Site) -> None:
    one.vm.protections.append("checkpoints: a backup chain stands on its dirty bitmaps (c1)")


def _encrypted(one: Site) -> None:
    one.vm.snaps["old"].protections.append("unread: its image cannot be read")


@pytest.mark.parametrize("becomes", [_cloned, _templated, _replicated, _checkpointed, _encrypted])
def test_u1_u2_u5_u6_u10_inv_08_target_that_became_protected_since_is_left_alone(
    becomes: Callable[[Site], None],
) -> None:
    with site() as one:
        plan = one.office.plan()
        becomes(one)
        one.refuses(plan, Guard.PROTECTED, "")


def test_u3_backup_that_began_since_is_waited_for_by_another_plan() -> None:
    with site() as one:
        plan = one.office.plan()
        one.vm.busy = True
        one.refuses(plan, Guard.NOT_BUSY, "")


def test_u4_snapshot_that_turns_out_to_be_a_backup_tools_is_left_alone() -> None:
    with site(snaps=("VEEAM BACKUP TEMPORARY SNAPSHOT",)) as one:
        made = one.office.read(one.office.plan())
        assert made.actions == ()
        assert {kept.reason for kept in made.kept} == {"no rule asks to delete it"}


def test_u7_memory_that_came_to_light_since_needs_a_rule_that_means_it() -> None:
    with site() as one:
        plan = one.office.plan()
        one.vm.snaps["old"].memory = True
        one.refuses(plan, Guard.PROTECTED, "memory")


def test_u8_line_goes_leaf_first_so_that_each_merge_is_of_two_neighbours() -> None:
    with site(snaps=("first", "second")) as one:
        plan = one.office.plan()
        assert one.ends(plan) == [Event.DONE] * 2
        named = [sent.call.about["snapshot"] for sent in one.world.ledger.sent]
        assert named == ["second", "first"]


def test_u9_machine_that_needs_consolidation_since_is_left_alone() -> None:
    with site() as one:
        plan = one.office.plan()
        overlay(one.world, one.vm)
        one.vm.revision = 0
        one.refuses(plan, Guard.UNCHANGED, "chain of disk vda")


def test_u11_hold_that_was_added_after_the_review_holds() -> None:
    with site() as one:
        plan = one.office.plan()
        one.office.hold("kvm1", "web01", None)
        one.refuses(plan, Guard.HELD, "eve")


def test_u11_hold_that_is_added_during_the_run_holds_what_has_not_begun() -> None:
    with site(snaps=("first", "second")) as one:
        plan = one.office.plan()
        one.in_a_while(5, lambda: one.office.hold("kvm1", one.vm.id, "first"))
        assert one.ends(plan) == [Event.DONE, Event.REFUSED]
        assert list(one.vm.snaps) == ["first"]


def test_u11_hold_that_is_added_between_two_steps_stops_the_next_one() -> None:
    with site(ways=(Way.STEPS,), disks=2) as one:
        plan = one.office.plan()
        one.in_a_while(5, lambda: one.office.hold("kvm1", one.vm.id, None))
        report = one.office.apply(plan)
        assert [outcome.event for outcome in report.outcomes] == [Event.UNKNOWN]
        assert "held: " in report.outcomes[0].reason
        assert one.calls == ["commit:vda"]
        one.office.state.holds.unlink()
        one.world.ledger.held.clear()
        assert one.ends(plan) == [Event.DONE]


def test_u12_call_that_the_manager_refuses_is_failed_and_never_made_again() -> None:
    with site() as one:
        plan = one.office.plan()
        one.world.fates.queue = [Fate(refused=True)]
        assert one.ends(plan) == [Event.FAILED]
        assert one.calls == ["delete"]
        assert "old" in one.vm.snaps
