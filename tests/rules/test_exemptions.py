"""What exemptions accept, and what is told of the exemptions themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapaudit.model.exemption import ExemptionState
from snapaudit.model.finding import Finding
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.model.policy import Environment
from tests.builders import NOW, datastore, inventory, snapshot, stray, vm
from tests.exempting import accepted, exemption, told, under

DAY = timedelta(days=1)
FAR = datetime(2026, 9, 1, tzinfo=UTC)


def fleet() -> Inventory:
    return inventory(
        vm("web01", snapshot("before", age="9d"), tags=("prod",)),
        vm("web02", snapshot("before", age="9d", id="web02-before")),
        vm("db01", snapshot("golden", age="9d")),
        strays=(stray("/vm/old.qcow2"),),
        datastores=(datastore("pool-1", free_bytes=0), datastore("pool-2", free_bytes=0)),
    )


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ({"vm": "web01"}, {"before"}),
        ({"vm": "id-db01"}, {"golden"}),
        ({"snapshot": "gold*"}, {"golden"}),
        ({"vm": "web*", "snapshot": "web02-before"}, {"before"}),
        ({"vm": "web*", "snapshot": "golden"}, set()),
        ({"vm": "WEB01"}, set()),
        ({"vm": "web0"}, set()),
        ({"vm": "id-web*"}, set()),
        ({"endpoint": "kvm2", "vm": "db01"}, set()),
        ({"endpoint": "kvm?", "vm": "db01"}, {"golden"}),
        ({"tags": ("prod", "other")}, {"before"}),
        ({"tags": ("Prod",)}, set()),
        ({"environment": "test"}, {"golden"}),
        ({"environment": "default", "vm": "web02"}, {"before"}),
        ({"environment": "default", "vm": "db01"}, set()),
    ],
)
def test_exemption_accepts_what_its_selector_names_and_nothing_else(
    selector: dict[str, Any], names: set[str]
) -> None:
    places = (Environment(name="test", names=("db*",)),)
    found = under(exemption(**selector), seen=[fleet()], environments=places)
    assert accepted(found) == {("stale-snapshot", name) for name in names}


@pytest.mark.parametrize(
    ("rule", "selector", "name"),
    [
        ("orphan-disk", {"file": "old.qcow2"}, "old.qcow2"),
        ("orphan-disk", {"file": "/vm/*"}, "old.qcow2"),
        ("datastore-near-full", {"datastore": "pool-1"}, "pool-1"),
    ],
)
def test_files_and_datastores_are_selected_by_id_path_and_name(
    rule: str, selector: dict[str, str], name: str
) -> None:
    found = under(exemption(rules=[rule], **selector), seen=[fleet()])
    assert accepted(found) == {(rule, name)}


def test_name_with_the_signs_of_a_pattern_is_itself_too() -> None:
    seen = inventory(vm("web[01]", snapshot("s", age="9d")), vm("web0", snapshot("t", age="9d")))
    found = under(exemption(vm="web[01]"), seen=[seen])
    assert accepted(found) == {("stale-snapshot", "s"), ("stale-snapshot", "t")}
    assert accepted(under(exemption(vm="web[[]01]"), seen=[seen])) == {("stale-snapshot", "s")}


def test_accepted_finding_says_who_until_when_and_why_and_is_counted_apart() -> None:
    seen = inventory(vm("web01", snapshot("s", age="9d", description="CHG-1")))
    bare, found = under(seen=[seen]), under(exemption(vm="web01"), seen=[seen])
    (one,) = [finding for finding in found.findings if finding.exemption]
    assert one.exemption == "EX-1 of dba until 2026-07-01: the vendor asked for it (CHG-1)"
    assert (found.summary.exempt, found.summary.critical) == (1, bare.summary.critical - 1)
    assert len(found.findings) == len(bare.findings)
    (standing,) = found.exemptions
    assert (standing.findings, standing.state) == (1, ExemptionState.ACTIVE)
    assert bare.summary.reclaimable_bytes.min > 0
    assert found.summary.reclaimable_bytes.min == 0


def test_of_several_exemptions_the_one_that_lasts_longest_is_named_and_all_are_used() -> None:
    both = (exemption("short", vm="web01"), exemption("long", expires="2026-08-01", vm="w*"))
    found = under(*both, seen=[inventory(vm("web01", snapshot("s", age="9d")))])
    (said,) = {one.exemption for one in found.findings if one.exemption}
    assert said.startswith("long of dba until 2026-08-01")
    assert [one.findings for one in found.exemptions] == [1, 1]


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        (datetime(2026, 7, 1, 23, 59, tzinfo=timezone(timedelta(hours=-12))), True),
        (datetime(2026, 7, 2, 0, 0, tzinfo=timezone(timedelta(hours=-12))), False),
        (datetime(2026, 7, 2, 11, 59, tzinfo=UTC), True),
        (datetime(2026, 7, 2, 12, 0, tzinfo=UTC), False),
    ],
)
def test_last_day_counts_to_its_end_in_every_time_zone(now: datetime, counts: bool) -> None:
    seen = inventory(vm("web01", snapshot("s", age="9d")))
    found = under(exemption(vm="web01"), seen=[seen], now=now.astimezone(UTC))
    assert bool(accepted(found)) is counts
    expected = ("exemption-expired", "info" if counts else "warning")
    assert expected in told(found)


def test_end_written_as_a_moment_is_that_moment() -> None:
    seen = inventory(vm("web01", snapshot("s", age="9d")))
    until = exemption(vm="web01", expires="2026-06-01T14:00:00+02:00")
    assert not accepted(under(until, seen=[seen], now=NOW))
    assert accepted(under(until, seen=[seen], now=NOW - timedelta(seconds=1)))


def test_end_is_announced_two_weeks_before() -> None:
    seen = inventory(vm("web01", snapshot("s", age="9d")))
    one = exemption(vm="web01", expires="2026-07-01T00:00:00Z")
    assert told(under(one, seen=[seen], now=one.expires_at - 14 * DAY)) == set()
    late = one.expires_at - 14 * DAY + timedelta(seconds=1)
    assert told(under(one, seen=[seen], now=late)) == {("exemption-expired", "info")}


def test_exemption_that_is_meant_to_last_too_long_counts_only_as_long_as_allowed() -> None:
    seen = inventory(vm("web01", snapshot("s", age="9d")))
    long = exemption(vm="web01", created="2026-05-01", expires="2030-01-01")
    found = under(long, seen=[seen], longest_exemption=40 * DAY)
    assert ("exemption-too-long", "warning") in told(found)
    (said,) = {one.exemption for one in found.findings if one.exemption}
    assert "until 2026-06-10, the longest allowed" in said
    after = datetime(2026, 6, 11, 12, tzinfo=UTC)
    assert accepted(under(long, seen=[seen], longest_exemption=40 * DAY, now=after - DAY))
    assert not accepted(under(long, seen=[seen], longest_exemption=40 * DAY, now=after))


def test_beginning_in_the_future_buys_no_longer_life() -> None:
    later = exemption(vm="web01", created="2029-12-01", expires="2030-01-01")
    assert ("exemption-too-long", "warning") in told(under(later, seen=[fleet()]))


@pytest.mark.parametrize("owner", ["", " ", "-", "n/a", "Nobody", "TBD"])
def test_exemption_without_an_owner_is_told_and_still_accepts(owner: str) -> None:
    found = under(exemption(vm="web01", owner=owner), seen=[fleet()])
    assert told(found) == {("exemption-ownerless", "warning")}
    (said,) = {one.exemption for one in found.findings if one.exemption}
    assert said.startswith("EX-1 of nobody until")


def test_exemption_that_accepts_nothing_is_told_after_a_week() -> None:
    gone = exemption(vm="gone", created="2026-05-01")
    assert told(under(gone, seen=[fleet()])) == {("exemption-unused", "warning")}
    new = exemption(vm="gone", created="2026-05-28")
    assert told(under(new, seen=[fleet()])) == set()


def _open(found: Any) -> set[str]:
    return {one.reason for one in found.undetermined if one.rule == "exemption-unused"}


def test_what_was_not_seen_leaves_open_whether_an_exemption_is_used() -> None:
    partial = replace(fleet(), coverage=Coverage(state=CoverageState.PARTIAL, reason="no rights"))
    gone = exemption(vm="gone")
    assert _open(under(gone, seen=[partial])) == {"kvm1 is partial"}
    assert _open(under(gone, seen=[fleet()], endpoints=("kvm1", "kvm2"))) == {
        "kvm2 was not looked at"
    }
    elsewhere = exemption(vm="gone", endpoint="kvm9")
    assert _open(under(elsewhere, seen=[fleet()])) == {
        "no endpoint that was looked at is called kvm9"
    }
    here = exemption(vm="gone", endpoint="kvm1")
    assert told(under(here, seen=[fleet()], endpoints=("kvm1", "kvm2"))) == {
        ("exemption-unused", "warning")
    }
    used = exemption(vm="web01")
    assert _open(under(used, seen=[partial])) == set()


def test_rule_that_could_not_be_decided_leaves_open_whether_an_exemption_is_used() -> None:
    seen = inventory(vm("web01", snapshot("s", created_at=None)))
    assert _open(under(exemption(vm="web01"), seen=[seen])) == {
        "stale-snapshot is open on s: the hypervisor does not tell when it was taken"
    }


def test_ended_exemption_is_told_as_ended_and_not_as_unused() -> None:
    ended = exemption(vm="gone", created="2026-01-01", expires="2026-02-01")
    assert told(under(ended, seen=[fleet()])) == {("exemption-expired", "warning")}


NAMES = st.sampled_from(["web01", "web02", "db01", "w*", "*", "before", "golden", "?b01", "x[y]"])
SELECTORS = st.fixed_dictionaries(
    {},
    optional={"endpoint": st.sampled_from(["kvm1", "kvm2", "*"]), "vm": NAMES, "snapshot": NAMES},
).filter(bool)
RULES = st.sampled_from(["stale-snapshot", "anonymous-snapshot", "ancient-snapshot"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(RULES, SELECTORS), min_size=1, max_size=4), st.booleans())
def test_exemption_never_hides_or_changes_a_finding_that_it_does_not_select(
    wanted: list[tuple[str, dict[str, str]]], is_over: bool
) -> None:
    """The oracle knows nothing of indexes: it compares names one by one."""
    seen, now = [fleet()], FAR if is_over else NOW
    some = [
        exemption(f"EX-{number}", rules=[rule], **selector)
        for number, (rule, selector) in enumerate(wanted)
    ]
    found, bare = under(*some, seen=seen, now=now), under(seen=seen, now=now)
    known = [one for one in found.findings if one.subject.kind != "exemption"]
    assert [replace(one, exemption=None) for one in known] == list(bare.findings)
    for one in known:
        fits = any(_fits(one, rule, selector) for rule, selector in wanted)
        assert (one.exemption is not None) is (fits and not is_over), one


def _fits(finding: Finding, rule: str, selector: dict[str, str]) -> bool:
    from fnmatch import fnmatchcase

    subject = finding.subject
    values = {
        "endpoint": (subject.endpoint,),
        "vm": (subject.vm_name or "",),
        "snapshot": (subject.name,),
    }
    return finding.rule == rule and all(
        any(fnmatchcase(value, text) for value in values[key]) for key, text in selector.items()
    )


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "\u202eevil", "*", "[", "=1+1", "\ud800", "é"])
def test_hostile_names_are_selected_as_they_are(name: str) -> None:
    seen = inventory(
        vm(name, snapshot("s", age="9d"), id="v"), vm("other", snapshot("t", age="9d"))
    )
    found = under(exemption(vm=name), seen=[seen])
    assert ("stale-snapshot", "s") in accepted(found)
    assert (("stale-snapshot", "t") in accepted(found)) is (name == "*")
