"""Metrics, read by Prometheus' own checker and by the parsers of its client library."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from snapaudit.model.check import Budget, Checked, Status
from snapaudit.report.check.formats import render_check
from snapaudit.report.check.metrics import families
from snapaudit.report.escape import plain
from tests.beds.checkers import promtool_said_of_metrics
from tests.builders import datastore, inventory, snapshot, vm
from tests.report.check.audits import NAMES, against, complete, example, hostile, large, rules
from tests.report.records import audit_of, checked

BUDGET = Budget(name="stale snapshots", value=11, limit=10, status=Status.WARNING)
ALL: dict[str, Callable[[], Checked]] = {
    "example": lambda: example(budgets=(BUDGET,), compared=against(new=("a",)), per_snapshot=True),
    "complete": complete,
    "hostile": lambda: hostile(per_snapshot=True),
    "large": lambda: large(per_snapshot=True),
}


def values(made: Iterable[Metric]) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(f"{name}={value}" for name, value in sample.labels.items())): sample.value
        for one in made
        for sample in one.samples
    }


def read(result: Checked) -> dict[tuple[str, ...], float]:
    return values(prometheus(render_check(result, "prometheus").decode()))


@pytest.mark.bed
@pytest.mark.parametrize("name", ALL)
def test_promtool_has_nothing_to_say(name: str) -> None:
    assert promtool_said_of_metrics(render_check(ALL[name](), "prometheus")) == (0, "")


@pytest.mark.bed
def test_promtool_would_say_what_is_wrong() -> None:
    body = render_check(complete(), "prometheus").replace(b"_size_bytes", b"_size_megabytes")
    assert promtool_said_of_metrics(body)[0] == 3


@pytest.mark.parametrize("name", ALL)
def test_both_formats_say_the_same(name: str) -> None:
    result = ALL[name]()
    text = render_check(result, "openmetrics").decode()
    theirs = values(openmetrics(text))  # type: ignore[no-untyped-call]
    assert theirs == read(result)
    assert theirs


def test_openmetrics_ends_with_its_mark_and_names_units() -> None:
    text = render_check(complete(), "openmetrics").decode()
    assert text.endswith("\n# EOF\n")
    assert "# UNIT snapaudit_datastore_free_bytes bytes" in text


def test_every_hostile_name_comes_back_as_a_label() -> None:
    found = {label for key in read(hostile()) for label in key}
    assert {f"endpoint={plain(name)}" for name in NAMES} <= found
    assert {f"datastore={plain(name)}" for name in NAMES} <= found


def test_names_that_look_alike_keep_a_series_each() -> None:
    seen = inventory(vm(), datastores=(datastore("a\ufe0e", id="i"), datastore("a", id="i\ufe0f")))
    found = read(checked(audit_of(seen), rules=rules()))
    assert sum(key[0] == "snapaudit_datastore_size_bytes" for key in found) == 2


def test_series_do_not_grow_with_machines_and_snapshots() -> None:
    few, many = read(large(60)), read(large(5000))
    assert few.keys() == many.keys()
    assert "vm=vm00001" not in str(many.keys())


def test_single_snapshots_are_told_on_request_alone() -> None:
    seen = inventory(vm("web01", snapshot("a"), snapshot("b", size_bytes=None, created_at=None)))
    made = checked(audit_of(seen), rules=rules(), per_snapshot=True)
    sizes = [key for key in read(made) if key[0] == "snapaudit_single_snapshot_size_bytes"]
    assert len(sizes) == 1  # the size of the other is unknown, so it has none
    assert "snapshot=a" in sizes[0]


def test_what_was_not_seen_has_no_zero() -> None:
    found = read(example())
    about = [key for key in found if "endpoint=hv1" in key]
    assert {key[0] for key in about} <= {
        "snapaudit_endpoint_up", "snapaudit_endpoint_coverage", "snapaudit_findings",
    }  # fmt: skip
    assert found["snapaudit_endpoint_up", "endpoint=hv1"] == 0
    assert found["snapaudit_endpoint_coverage", "endpoint=hv1", "state=missing"] == 1
    assert [key for key in about if key[0] == "snapaudit_findings"] == [
        ("snapaudit_findings", "endpoint=hv1", "rule=endpoint-incomplete", "severity=warning")
    ]


def test_a_rule_that_finds_nothing_where_all_was_seen_is_a_zero() -> None:
    key = ("snapaudit_findings", "endpoint=kvm1", "rule=stale-snapshot", "severity=critical")
    assert read(complete())[key] == 0


def test_a_datastore_nobody_can_reach_has_no_sizes() -> None:
    lost = datastore(accessible=False)
    found = read(checked(audit_of(inventory(vm(), datastores=(lost,))), rules=rules()))
    names = {key[0] for key in found if "datastore=pool-1" in key}
    assert names == {"snapaudit_datastore_accessible"}


def test_every_family_has_a_name_of_its_own_and_a_sentence() -> None:
    made = families(ALL["example"]())
    assert len({one.name for one in made}) == len(made)
    assert all(one.help.endswith(".") for one in made)
    assert all(one.name.endswith(one.unit) for one in made)
