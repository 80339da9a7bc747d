"""What enters a plan, in which order, and what it says of all that does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from snapaudit.enforce.holds import Holds
from snapaudit.enforce.planner import ONE_CLUSTER, Circumstances, plan
from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.finding import Audit
from snapaudit.model.hold import Hold
from snapaudit.model.inventory import LayerRole
from snapaudit.model.limits import Limits
from snapaudit.model.plan import Bytes, Decision, Guard, Plan
from snapaudit.model.policy import Mode, Policy, Remedy
from snapaudit.rules import engine
from tests.builders import GIB, NOW, disk, gain, layer, snapshot, vm
from tests.enforce.planning import ABLE, line, pack, planned, view, with_rule


def names(made: Plan) -> list[tuple[str, str | None]]:
    return [(action.vm_name, action.snapshot_name) for action in made.actions]


def test_line_is_planned_from_its_leaf_to_its_root() -> None:
    made = planned(view(line("web01", "30d", "20d", "10d")))
    assert [name for _, name in names(made)] == ["s3", "s2", "s1"]
    assert [action.id for action in made.actions] == ["p1-1", "p1-2", "p1-3"]


def test_platform_that_merges_oldest_first_is_planned_so() -> None:
    able = Abilities(supports=frozenset(Remedy), order=MergeOrder.OLDEST_FIRST)
    made = planned(view(line("web01", "30d", "20d")), abilities={"libvirt": able})
    assert [name for _, name in names(made)] == ["s1", "s2"]


def test_machine_that_gives_most_back_comes_first() -> None:
    small, large = line("a", "9d"), line("b", "9d")
    shot = replace(large.snapshots[0], reclaimable_bytes=gain(5 * GIB, 6 * GIB))
    made = planned(view(small, replace(large, snapshots=(shot,))))
    assert [name for name, _ in names(made)] == ["b", "a"]
    assert made.actions[0].frees_bytes == Bytes(min=5 * GIB - ONE_CLUSTER, max=6 * GIB)


def test_action_says_why_how_much_and_where() -> None:
    (action,) = planned(view(line("web01", "9d"))).actions
    assert action.because == ("stale-snapshot (critical): age 9d, over 7d",)
    assert (action.merges_bytes, action.datastore_ids) == (2 * GIB, ("pool-1",))
    assert action.needs_bytes > 2 * GIB
    assert action.decision is Decision.APPLY


def test_snapshot_that_no_rule_asks_for_is_kept_with_the_reason() -> None:
    made = planned(view(line("web01", "1h")))
    assert made.actions == ()
    assert [(one.snapshot_name, one.reason) for one in made.kept] == [
        ("s1", "no rule asks to delete it")
    ]


def test_grd_15_rule_that_only_reports_offers_nothing() -> None:
    policy = with_rule("stale-snapshot", mode=Mode.REPORT)
    made = planned(view(line("web01", "9d")), policy=policy)
    assert made.actions == ()
    assert made.kept[0].reason == "stale-snapshot only reports"


@pytest.mark.parametrize(
    ("due", "acted_on", "reason"),
    [
        (None, False, "stale-snapshot has not announced it yet"),
        (timedelta(days=1), False, "stale-snapshot has announced it; it is due on 2026-06-02"),
        (timedelta(0), True, ""),
    ],
)
def test_grd_15_marked_finding_is_offered_once_its_grace_is_over(
    due: timedelta | None, acted_on: bool, reason: str
) -> None:
    policy = with_rule("stale-snapshot", mode=Mode.MARK, grace=timedelta(days=7))
    made = made_of(marked(policy, due), policy)
    assert bool(made.actions) == acted_on
    assert [one.reason for one in made.kept] == ([] if acted_on else [reason])


def marked(policy: Policy, due: timedelta | None) -> Audit:
    found = engine.audit([view(line("web01", "9d"))], policy, NOW)
    at = None if due is None else NOW + due
    return replace(found, findings=tuple(replace(one, due_at=at) for one in found.findings))


def made_of(found: Audit, policy: Policy) -> Plan:
    around = Circumstances(
        id="p1",
        author="ada",
        tool_version="1",
        config_digest="c",
        rules_digest="r",
        limits=Limits(),
        abilities={"libvirt": ABLE},
    )
    return plan(found, policy, around, NOW)


def test_inv_08_exempt_snapshot_is_offered_by_no_rule() -> None:
    found = engine.audit([view(line("web01", "40d"))], pack(), NOW)
    stale = (one for one in found.findings if one.rule == "stale-snapshot")
    exempt = replace(next(stale), exemption="E-1: legal case")
    others = tuple(one for one in found.findings if one.rule != "stale-snapshot")
    made = made_of(replace(found, findings=(exempt, *others)), pack())
    assert made.actions == ()
    assert made.kept[0].reason == "exempt: E-1: legal case"


def test_grd_14_memory_needs_a_rule_that_means_it() -> None:
    young, old = line("a", "9d"), line("b", "40d")
    with_memory = [
        replace(one, snapshots=(replace(one.snapshots[0], has_memory=True),))
        for one in (young, old)
    ]
    made = planned(view(*with_memory))
    assert names(made) == [("b", "s1")]
    assert [(one.vm_name, one.guard) for one in made.refusals] == [("a", Guard.PROTECTED)]


def test_held_snapshot_is_refused_by_that_name() -> None:
    hold = Hold(
        id="h1",
        endpoint=None,
        vm="web01",
        snapshot="s1",
        owner="ada",
        reason="audit",
        created_at=None,
        expires_at=None,
    )
    made = planned(view(line("web01", "20d", "10d")), holds=Holds(entries=(hold,)))
    assert names(made) == [("web01", "s2")]
    assert [(one.snapshot_name, one.guard) for one in made.refusals] == [("s1", Guard.HELD)]


def test_machine_with_something_unsettled_is_left_alone() -> None:
    unsettled = {("kvm1", "id-web01"): "action p0-1 is not settled"}
    made = planned(view(line("web01", "9d")), unsettled=unsettled)
    assert [(one.guard, one.reason) for one in made.refusals] == [
        (Guard.NOT_BUSY, "action p0-1 is not settled")
    ]


def test_platform_that_cannot_act_offers_nothing() -> None:
    made = planned(view(line("web01", "9d")), abilities={})
    assert [one.guard for one in made.refusals] == [Guard.PROTECTED]


def phantom(doubt: str | None) -> Plan:
    overlay = layer("/vm/web01.x", role=LayerRole.PHANTOM, size_bytes=GIB)
    machine = vm(
        "web01",
        disks=(disk(layer(), overlay),),
        consolidation_needed=True,
        consolidation_doubt=doubt,
    )
    return planned(view(machine))


def test_consolidation_is_planned_with_what_it_removes() -> None:
    (action,) = phantom(None).actions
    assert (action.kind, action.snapshot_id) == (Remedy.CONSOLIDATE, None)
    assert action.expects.removes[0].paths == ("/vm/web01.x",)
    assert action.frees_bytes == Bytes(min=0, max=GIB)
    assert action.decision is Decision.APPLY


def test_consolidation_in_doubt_waits_for_a_person_to_decide() -> None:
    (action,) = phantom("nothing proves that the image is its own").actions
    assert action.decision is Decision.SKIP
    assert action.note == "nothing proves that the image is its own"


def test_snapshots_wait_until_their_machine_is_consolidated() -> None:
    machine = line("web01", "9d", consolidation_needed=True)
    refusals = planned(view(machine)).refusals
    assert ("s1", Guard.LINEAR_CHAIN) in [(one.snapshot_name, one.guard) for one in refusals]


def test_inv_07_consolidation_of_deltas_that_are_not_in_sight_is_refused() -> None:
    made = planned(view(vm("web01", consolidation_needed=True)))
    assert [(one.snapshot_id, one.guard) for one in made.refusals] == [(None, Guard.KNOWN_SIZE)]


def test_worst_takes_what_gives_most_back_and_names_what_it_leaves_out() -> None:
    machines = [line(f"m{n}", "9d") for n in range(4)]
    gains = [gain(n * GIB, n * GIB) for n in range(4)]
    shots = [
        replace(m, snapshots=(replace(m.snapshots[0], reclaimable_bytes=g),))
        for m, g in zip(machines, gains, strict=True)
    ]
    made = planned(view(*shots), worst=2)
    assert [name for name, _ in names(made)] == ["m3", "m2"]
    assert made.excess == ()
    assert {one.vm_name: one.guard for one in made.refusals} == {
        "m1": Guard.WITHIN_LIMITS,
        "m0": Guard.WITHIN_LIMITS,
    }


def test_plan_over_a_limit_is_made_all_the_same_and_says_which() -> None:
    made = planned(view(line("web01", "30d", "20d", "10d")), limits=Limits(max_actions=2))
    assert len(made.actions) == 3
    found = {(one.limit, one.allowed, one.found) for one in made.excess}
    assert ("max_actions", 2, 3) in found


def test_datastore_is_shown_before_at_its_worst_moment_and_after() -> None:
    made = planned(view(line("web01", "20d", "10d")))
    (store,) = made.datastores
    needs = max(action.needs_bytes for action in made.actions)
    assert store.free_bytes == 500 * GIB
    assert store.least_free_bytes == 500 * GIB - needs
    assert store.free_after_bytes == Bytes(min=502 * GIB - 2 * ONE_CLUSTER, max=502 * GIB)
    assert (store.snapshots, made.snapshots) == (2, 2)


def test_manager_that_is_a_lab_or_not_verified_says_so() -> None:
    made = planned(view(line("web01", "9d"), lab=True, connection_verified=False))
    assert made.managers[0].lab
    assert made.managers[0].connection
    assert [one.guard for one in made.refusals] == [Guard.VERIFIED_CONNECTION]


def test_snapshots_inside_an_image_are_planned_without_needing_room() -> None:
    machine = vm("db01", snapshot("old", age="40d"))
    (action,) = planned(view(machine)).actions
    assert (action.merges_bytes, action.needs_bytes) == (0, 0)
    assert action.datastore_ids == ("pool-1",)
