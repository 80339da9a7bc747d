from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.codec.documents import to_json
from snapaudit.model.inventory import Coverage, CoverageState, Inventory, LayerRole, VirtualMachine
from snapaudit.model.policy import Environment, SubjectKind
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import GIB, NOW, ago, datastore, disk, gain, inventory, layer, snapshot, vm
from tests.rules.verdicts import audited, policy

UNKNOWN_PARTS = st.fixed_dictionaries(
    {},
    optional={
        "created_at": st.none(),
        "size_bytes": st.none(),
        "has_memory": st.none(),
        "creator": st.none(),
    },
)


@st.composite
def machines(draw: st.DrawFn) -> tuple[VirtualMachine, ...]:
    names = draw(st.lists(st.text(max_size=12), max_size=4))
    return tuple(
        vm(
            f"vm{number}",
            *(
                snapshot(name, id=f"{number}-{place}", **draw(_fields()))
                for place in range(draw(st.integers(0, 6)))
            ),
            busy=draw(st.sampled_from([True, False, None])),
            tags=draw(st.sampled_from([(), ("prod",)])),
        )
        for number, name in enumerate(names)
    )


def _fields() -> st.SearchStrategy[dict[str, Any]]:
    hours = st.sampled_from(["1h", "25h", "80h", "8d", "40d", "400d"])
    return st.fixed_dictionaries(
        {
            "created_at": st.one_of(st.none(), hours.map(ago)),
            "size_bytes": st.one_of(st.none(), st.integers(0, 50 * GIB)),
            "has_memory": st.sampled_from([True, False, None]),
        }
    )


@settings(max_examples=60, deadline=None)
@given(machines())
def test_removing_a_machine_never_adds_a_finding_elsewhere(
    fleet: tuple[VirtualMachine, ...],
) -> None:
    whole = {finding.fingerprint for finding in audited(inventory(*fleet)).findings}
    for gone in fleet:
        rest = tuple(machine for machine in fleet if machine is not gone)
        assert {finding.fingerprint for finding in audited(inventory(*rest)).findings} <= whole


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["1h", "80h", "8d", "400d"]), UNKNOWN_PARTS)
def test_making_a_value_unknown_never_adds_a_finding(age: str, unknown: dict[str, Any]) -> None:
    known = snapshot("s", age=age, has_memory=True, size_bytes=30 * GIB, creator="ops")
    before = audited(inventory(vm("a", known)))
    after = audited(inventory(vm("a", replace(known, **unknown))))
    rules = {(found.rule, found.severity) for found in after.findings} - {
        (found.rule, found.severity) for found in before.findings
    }
    assert rules <= {("anonymous-snapshot", "warning")}


def test_nothing_known_of_a_snapshot_is_undetermined_and_never_stale() -> None:
    blank = snapshot(
        "s", created_at=None, size_bytes=None, has_memory=None, description="x", creator=None
    )
    result = audited(inventory(vm("a", blank, busy=None)))
    assert not [found for found in result.findings if found.subject.kind is SubjectKind.SNAPSHOT]
    assert {item.rule for item in result.undetermined if item.subject.id == "s"} == {
        "stale-snapshot",
        "ancient-snapshot",
        "memory-snapshot",
    }


def test_order_of_the_input_changes_nothing_down_to_the_byte() -> None:
    first = inventory(vm("a", snapshot(age="9d")), vm("b", snapshot(age="4d")), endpoint="kvm1")
    second = inventory(vm("c", snapshot(age="40d")), endpoint="kvm2")
    assert to_json(audited(first, second)) == to_json(audited(second, first))


def test_findings_come_worst_first_and_then_by_rule_and_place() -> None:
    result = audited(
        inventory(vm("b", snapshot(age="4d")), vm("a", snapshot(age="4d"), snapshot("x", age="9d")))
    )
    keys = [(found.severity.rank, found.rule, found.subject.vm_name) for found in result.findings]
    assert keys == sorted(keys, key=lambda key: (-key[0], key[1], key[2]))
    assert keys[0] == (2, "stale-snapshot", "a")


def test_evidence_holds_the_comparisons_that_made_the_rule_hold_and_no_other() -> None:
    large = snapshot("s", size_bytes=30 * 10**9)
    result = audited(inventory(vm("a", large, disks=())))
    (finding,) = [found for found in result.findings if found.rule == "oversized-snapshot"]
    (evidence,) = finding.evidence
    assert (evidence.fact, evidence.value) == ("snapshots_size", 30 * 10**9)
    assert (evidence.operator, evidence.bound) == ("over", 20 * 10**9)


def test_space_that_comes_back_counts_each_unprotected_snapshot_once() -> None:
    shots = (
        snapshot("keep until 2026-01-01", age="400d", reclaimable_bytes=gain(1, 2)),
        snapshot("b", age="9d", reclaimable_bytes=gain(10, 20)),
        snapshot("c", age="9d", reclaimable_bytes=gain(100, 200), protections=("held: x",)),
        snapshot("d", age="1h", reclaimable_bytes=gain(1000, 2000)),
    )
    guarded = vm("g", snapshot("e", age="9d"), protections=("linked: x",))
    space = audited(inventory(vm("a", *shots), guarded)).summary.reclaimable_bytes
    assert (space.min, space.max) == (11, 22)
    assert "2 unprotected snapshots" in space.basis


def test_one_gain_without_an_upper_bound_leaves_the_sum_without_one() -> None:
    shots = (
        snapshot("a", age="9d", reclaimable_bytes=gain(1, None)),
        snapshot("b", age="9d", reclaimable_bytes=gain(2, 3)),
    )
    space = audited(inventory(vm("a", *shots))).summary.reclaimable_bytes
    assert (space.min, space.max) == (3, None)
    assert "for 1 of them no upper bound is known" in space.basis


def test_summary_counts_what_was_seen_and_what_is_unknown() -> None:
    first = inventory(vm("a", snapshot("s", size_bytes=5), snapshot("t", size_bytes=None)))
    summary = audited(first, inventory(endpoint="kvm2", datastores=())).summary
    assert (summary.virtual_machines, summary.snapshots, summary.datastores) == (1, 2, 1)
    assert (summary.snapshot_bytes, summary.unknown_sizes) == (5, 1)
    assert summary.rules == len(policy().rules)


def test_coverage_of_an_unreachable_endpoint_is_carried_with_its_reason() -> None:
    lost = inventory(
        coverage=Coverage(state=CoverageState.MISSING, reason="no answer"), datastores=()
    )
    (coverage,) = audited(lost).coverage
    assert (coverage.state, coverage.reason) == (CoverageState.MISSING, "no answer")


def test_first_environment_that_fits_decides() -> None:
    names = Environment(name="prod", names=("db*",))
    lab = Environment(name="lab", endpoints=frozenset({"kvm1"}))
    fleet = inventory(vm("db1", snapshot(age="25h")), vm("web", snapshot(age="25h")))
    stale = [_stale_machines(fleet, order) for order in ((names, lab), (lab, names))]
    assert stale == [["db1"], []]


def _stale_machines(fleet: Inventory, environments: tuple[Environment, ...]) -> list[str | None]:
    rules = load_policy((), disable={}, levels={}, environments=environments)
    findings = audit([fleet], rules, NOW).findings
    return [found.subject.vm_name for found in findings if found.rule == "stale-snapshot"]


def test_delta_of_unknown_place_leaves_every_datastore_undecided() -> None:
    nowhere = layer("/x", role=LayerRole.DELTA, snapshot_id="s", datastore_id=None)
    machine = vm("a", snapshot("s"), disks=(disk(layer(), nowhere),))
    fleet = inventory(machine, datastores=(datastore("pool-1"), datastore("pool-2")))
    undecided = [item for item in audited(fleet).undetermined if "held" in item.fact]
    assert [item.subject.id for item in undecided] == ["pool-1", "pool-2"]


def test_view_that_was_read_long_ago_says_so() -> None:
    said = {
        age: audited(inventory(vm(), collected_at=ago(age))).coverage[0].cautions
        for age in ("1h", "47h", "48h", "400d")
    }
    assert (said["1h"], said["47h"]) == ((), ())
    assert said["48h"] == ("old: it was read 2 days ago; what has come since is not known",)
    assert said["400d"][0].startswith("old: it was read 400 days ago")
