"""Faults C: a view that shows less than there is. Fewer facts, fewer deletions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.model.journal import Event
from snapaudit.model.plan import Guard, Plan
from tests.enforce.fake.builders import machine, manager
from tests.enforce.planning import line, planned, view
from tests.faults.site import site

NAMES = ("kvm1", "kvm2", "kvm3")
BAD = (CoverageState.MISSING, CoverageState.PARTIAL, CoverageState.SUSPICIOUS)


def fleet() -> tuple[Inventory, ...]:
    return tuple(
        view(line(f"web-{name}", "90d", "80d"), line(f"db-{name}", "70d"), endpoint=name)
        for name in NAMES
    )


def targets(made: Plan) -> set[tuple[str, str, str | None]]:
    return {(one.endpoint, one.vm_id, one.snapshot_id) for one in made.actions}


def seen_badly(one: Inventory, state: CoverageState) -> Inventory:
    coverage = Coverage(state=state, reason="not all of it could be read")
    machines = () if state is CoverageState.MISSING else one.virtual_machines
    return replace(one, coverage=coverage, virtual_machines=machines)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("failing", list(itertools.product([False, True], repeat=3)))
def test_c1_tst_07_inv_22_endpoint_that_was_not_seen_whole_has_no_target_and_is_named(
    failing: tuple[bool, ...], bad: CoverageState
) -> None:
    seen = [
        seen_badly(one, bad) if fails else one for one, fails in zip(fleet(), failing, strict=True)
    ]
    made = planned(*seen)
    lost = {name for name, fails in zip(NAMES, failing, strict=True) if fails}
    assert {one.endpoint for one in made.actions} == set(NAMES) - lost
    assert {one.endpoint for one in made.managers if one.reason} == lost
    refused = {one.endpoint for one in made.refusals if one.guard is Guard.WHOLE_VIEW}
    assert refused == (lost if bad is not CoverageState.MISSING else set())


def test_c2_c3_inv_13_leaving_out_any_endpoint_or_machine_never_adds_a_target() -> None:
    whole = targets(planned(*fleet()))
    assert len(whole) == 9
    for left_out in NAMES:
        assert targets(planned(*(o for o in fleet() if o.endpoint != left_out))) < whole
    for at, one in enumerate(fleet()):
        for vm in one.virtual_machines:
            rest = tuple(other for other in one.virtual_machines if other is not vm)
            seen = list(fleet())
            seen[at] = replace(one, virtual_machines=rest)
            assert targets(planned(*seen)) < whole


def test_c3_inv_13_line_that_lacks_one_in_the_middle_is_left_alone() -> None:
    machine = line("web01", "90d", "80d", "70d")
    cut = replace(machine, snapshots=(machine.snapshots[0], machine.snapshots[2]))
    made = planned(view(cut))
    assert made.actions == ()
    assert {one.guard for one in made.refusals} == {Guard.LINEAR_CHAIN}


def test_c1_c4_endpoint_that_hides_its_machines_after_the_plan_has_none_deleted() -> None:
    with site() as one:
        plan = one.office.plan()
        one.host.listed = False
        report = one.office.apply(plan)
        assert {outcome.event for outcome in report.outcomes} == {Event.REFUSED}
        assert {outcome.guard for outcome in report.outcomes} == {Guard.WHOLE_VIEW}
        assert one.calls == []


def test_c1_endpoint_that_is_down_keeps_no_other_from_being_cleaned() -> None:
    with site() as one:
        other = manager(one.world, "kvm2")
        machine(one.world, other, "web02")
        plan = one.office.plan()
        other.reachable = False
        ends = {o.action.endpoint: o.event for o in one.office.apply(plan).outcomes}
        assert ends == {"kvm1": Event.DONE, "kvm2": Event.REFUSED}
