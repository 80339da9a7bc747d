"""TST-07: whatever could not be seen is named, is no success, and never adds a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from snapaudit.cli.exits import Exit, view_exit
from snapaudit.model.check import Status, verdict
from snapaudit.model.finding import Audit
from snapaudit.model.inventory import Coverage, CoverageState, Inventory, VirtualMachine
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Plan
from snapaudit.rules import engine
from tests.builders import NOW, datastore
from tests.enforce.planning import line, pack, planned, view

ENDPOINTS = tuple(f"kvm{number}" for number in range(8))
WIDE = Limits(max_actions=99, max_share=1.0, max_bytes=2**60)
Target = tuple[str, str, str | None]


@cache
def seen(endpoint: str, *, is_missing: bool, is_clean: bool) -> Inventory:
    machines = (line("web01", *(() if is_clean else ("9d",))),)
    if not is_missing:
        return view(*machines, endpoint=endpoint)
    gone = Coverage(state=CoverageState.MISSING, reason=f"{endpoint} does not answer")
    return view(endpoint=endpoint, coverage=gone, datastores=(), manager_id=None)


def subsets() -> Iterator[frozenset[str]]:
    for size in range(len(ENDPOINTS) + 1):
        yield from (frozenset(chosen) for chosen in combinations(ENDPOINTS, size))


def audited(failing: frozenset[str], *, is_clean: bool) -> Audit:
    views = [seen(name, is_missing=name in failing, is_clean=is_clean) for name in ENDPOINTS]
    return engine.audit(views, pack(), NOW)


def test_tst_07_inv_21_ok_means_that_every_endpoint_was_seen_and_clean() -> None:
    for failing in subsets():
        clean = audited(failing, is_clean=True)
        assert (verdict(clean).exit_code == 0) == (not failing)
        assert (view_exit(clean) is Exit.DONE) == (not failing)
        if not failing:
            continue
        named = {one.endpoint: one.reason for one in verdict(clean).coverage if one.reason}
        assert named == {name: f"{name} does not answer" for name in failing}


def test_tst_07_findings_are_never_ok_and_a_missing_endpoint_is_named_beside_them() -> None:
    for failing in subsets():
        found = verdict(audited(failing, is_clean=False))
        assert found.status is not Status.OK
        assert failing == {
            one.endpoint for one in found.coverage if one.state is CoverageState.MISSING
        }


def test_tst_07_inv_13_a_plan_acts_only_where_it_saw_everything_and_names_the_rest() -> None:
    for failing in subsets():
        views = [seen(name, is_missing=name in failing, is_clean=False) for name in ENDPOINTS]
        made = planned(*views, limits=WIDE)
        assert {action.endpoint for action in made.actions} == set(ENDPOINTS) - failing
        assert failing == {
            one.endpoint for one in made.managers if one.state is not CoverageState.COMPLETE
        }


def targets(made: Plan) -> set[Target]:
    return {(one.endpoint, one.vm_id, one.snapshot_id) for one in made.actions}


def some_of(number: int, vm: VirtualMachine) -> int:
    return number % max(1, len(vm.snapshots))


def _machine(change: Callable[[VirtualMachine, int], VirtualMachine]) -> Loss:
    def lose(one: Inventory, number: int) -> Inventory:
        vms = list(one.virtual_machines)
        if vms:
            vms[number % len(vms)] = change(vms[number % len(vms)], number // 3)
        return replace(one, virtual_machines=tuple(vms))

    return lose


def _snapshot(**changes: Any) -> Loss:
    def change(vm: VirtualMachine, number: int) -> VirtualMachine:
        shots = list(vm.snapshots)
        if shots:
            at = some_of(number, vm)
            shots[at] = replace(shots[at], **changes)
        return replace(vm, snapshots=tuple(shots))

    return _machine(change)


def _lost_layer(vm: VirtualMachine, number: int) -> VirtualMachine:
    [one] = vm.disks
    at = number % max(1, len(one.layers))
    layers = one.layers[:at] + one.layers[at + 1 :]
    return replace(vm, disks=(replace(one, layers=layers),))


def _lost_snapshot(vm: VirtualMachine, number: int) -> VirtualMachine:
    at = some_of(number, vm)
    return replace(vm, snapshots=vm.snapshots[:at] + vm.snapshots[at + 1 :])


def _lost_machine(one: Inventory, number: int) -> Inventory:
    vms = one.virtual_machines
    at = number % max(1, len(vms))
    return replace(one, virtual_machines=vms[:at] + vms[at + 1 :])


Loss = Callable[[Inventory, int], Inventory]
LOSSES: tuple[Loss, ...] = (
    _lost_machine,
    lambda one, _: replace(one, datastores=()),
    lambda one, _: replace(one, hosts=()),
    lambda one, _: replace(one, manager_id=None),
    lambda one, _: replace(one, clock_skew_seconds=None),
    lambda one, _: replace(one, connection_verified=None),
    lambda one, _: replace(one, coverage=Coverage(state=CoverageState.PARTIAL, reason="lost")),
    lambda one, _: replace(one, coverage=Coverage(state=CoverageState.SUSPICIOUS, reason="few")),
    lambda one, _: replace(one, datastores=(datastore(free_bytes=None),)),
    _machine(_lost_snapshot),
    _machine(_lost_layer),
    _machine(lambda vm, _: replace(vm, disks=())),
    _machine(lambda vm, _: replace(vm, busy=None)),
    _machine(lambda vm, _: replace(vm, consolidation_needed=None)),
    _machine(lambda vm, _: replace(vm, current_snapshot_id=None)),
    _machine(lambda vm, _: replace(vm, host_id=None)),
    _snapshot(created_at=None),
    _snapshot(size_bytes=None),
    _snapshot(has_memory=None),
    _snapshot(identity=None),
    _snapshot(parent_id=None),
)
AGES = some.lists(some.sampled_from(["30d", "9d", "80h", "5h"]), max_size=4)
SITES = some.lists(some.lists(AGES, min_size=1, max_size=3), min_size=1, max_size=3)


def site(drawn: list[list[list[str]]]) -> list[Inventory]:
    return [
        view(
            *(line(f"vm{number}", *sorted(ages, key=_hours)) for number, ages in enumerate(fleet)),
            endpoint=f"kvm{place}",
        )
        for place, fleet in enumerate(drawn)
    ]


def _hours(age: str) -> int:
    return -int(age[:-1]) * (24 if age.endswith("d") else 1)


@settings(max_examples=300, deadline=None)
@given(
    drawn=SITES,
    losses=some.lists(
        some.tuples(some.sampled_from(LOSSES), some.integers(0, 99)), min_size=1, max_size=3
    ),
    dropped=some.booleans(),
)
def test_tst_07_inv_13_losing_any_record_or_fact_never_adds_a_target(
    drawn: list[list[list[str]]], losses: list[tuple[Loss, int]], dropped: bool
) -> None:
    views = site(drawn)
    before = targets(planned(*views, limits=WIDE))
    for lose, number in losses:
        at = number % len(views)
        views[at] = lose(views[at], number // 7)
    assert targets(planned(*views[dropped:], limits=WIDE)) <= before
