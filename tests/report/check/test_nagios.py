"""The output of a plugin, read back by the words of its guidelines and by nagiosplugin."""

from __future__ import annotations

import re
from urllib.parse import unquote

import nagiosplugin
import pytest

from snapaudit.model.check import Budget, BudgetBound, Checked, Status
from snapaudit.report.check.formats import render_check
from snapaudit.report.check.nagios import MOST_BYTES
from snapaudit.report.check.perfdata import MOST_DATASTORES, number
from snapaudit.report.escape import perfdata_label, plain
from tests.builders import datastore, inventory, vm
from tests.report.check.audits import NAMES, against, complete, example, hostile, large, rules
from tests.report.records import audit_of, checked

_SERIES = re.compile(
    r"'(?P<label>[^'=]+)'=(?P<value>-?\d+(?:\.\d+)?|U)(?P<unit>B|%|)"
    r"(?:;(?P<warn>[^; ]*))?(?:;(?P<crit>[^; ]*))?(?:;(?P<min>-?\d*))?(?:;(?P<max>-?\d*))?"
)


def parsed(text: str) -> list[re.Match[str]]:
    """Every series of the first line; each character of the line's numbers belongs to one."""
    head = text.split("\n", 1)[0]
    said, numbers = head.split("|")  # exactly one pipe
    assert said.startswith("SNAPAUDIT ")
    found, at = [], 1
    while at < len(numbers):
        match = _SERIES.match(numbers, at)
        assert match is not None, numbers[at : at + 60]
        found.append(match)
        at = match.end() + 1
        assert numbers[match.end() : at] in (" ", "")
    return found


def output(result: Checked) -> str:
    return render_check(result, "nagios").decode()


def series(result: Checked) -> dict[str, re.Match[str]]:
    return {match["label"]: match for match in parsed(output(result))}


@pytest.mark.parametrize("result", [example(), complete(), large()], ids=["ex", "ok", "large"])
def test_every_series_is_one_that_nagiosplugin_writes_too(result: Checked) -> None:
    for one in parsed(output(result)):
        theirs = nagiosplugin.Performance(
            one["label"], one["value"], one["unit"], one["warn"] or "", one["crit"] or "",
            one["min"] or "", one["max"] or "",
        )  # fmt: skip
        assert str(theirs).split("=")[1] == one[0].split("=")[1]


def test_hostile_names_survive_as_labels_of_nagiosplugin() -> None:
    labels = {perfdata_label(name) for name in NAMES}
    assert {unquote(label) for label in labels} >= {plain(name) for name in NAMES if "%" in name}
    for label in labels:
        assert "|" not in str(nagiosplugin.Performance(label, 1))


@pytest.mark.parametrize("name", ["a'b", "a=b", "a|b", "a b", "Speicher für Ämter", "100% full"])
def test_names_with_separators_come_back_as_they_were(name: str) -> None:
    seen = inventory(vm(), datastores=(datastore(name),))
    result = checked(audit_of(seen), rules=rules())
    labels = [unquote(one["label"]) for one in parsed(output(result))]
    assert f"used kvm1/{name}" in labels
    assert nagiosplugin.Performance(f"used kvm1/{perfdata_label(name)}", 1)


def test_two_datastores_of_one_name_keep_a_series_each() -> None:
    stores = (datastore("x", id="1"), datastore("x", id="2"))
    result = checked(audit_of(inventory(vm(), datastores=stores)), rules=rules())
    assert {"used kvm1/x (1)", "used kvm1/x (2)"} <= set(series(result))


def test_thresholds_are_ranges_that_nagiosplugin_judges_alike() -> None:
    budgets = (
        Budget(name="stale snapshots", value=11, limit=10, status=Status.WARNING, unit="snapshots"),
        Budget(
            name="stale snapshots", value=11, limit=50, status=Status.OK, beyond=Status.CRITICAL,
            unit="snapshots",
        ),
        Budget(
            name="days to full", value=12.5, limit=7, status=Status.OK, beyond=Status.CRITICAL,
            bound=BudgetBound.AT_LEAST, unit="days",
        ),
    )  # fmt: skip
    found = series(complete(budgets=budgets))
    stale, days = found["stale_snapshots"], found["days_to_full"]
    assert not nagiosplugin.Range(stale["warn"]).match(11)
    assert nagiosplugin.Range(stale["crit"]).match(11)
    assert days["value"] == "12.5"
    assert nagiosplugin.Range(days["crit"]).match(12.5)
    assert not nagiosplugin.Range(days["crit"]).match(6.9)


def test_fill_of_a_datastore_has_the_thresholds_of_the_rule() -> None:
    one = series(complete())["used kvm1/pool-1"]
    size = int(one["max"])
    assert nagiosplugin.Range(one["warn"]).match(size * 0.84)
    assert not nagiosplugin.Range(one["warn"]).match(size * 0.86)
    assert not nagiosplugin.Range(one["crit"]).match(size * 0.96)


def test_a_datastore_that_does_not_tell_is_unknown_and_never_empty() -> None:
    lost = datastore(capacity_bytes=None, free_bytes=None)
    result = checked(audit_of(inventory(vm(), datastores=(lost,))), rules=rules())
    assert series(result)["used kvm1/pool-1"]["value"] == "U"


def test_too_many_datastores_for_a_line_are_all_left_out_and_that_is_said() -> None:
    stores = tuple(datastore(f"p{number}") for number in range(MOST_DATASTORES + 1))
    result = checked(audit_of(inventory(vm(), datastores=stores)), rules=rules())
    assert not [label for label in series(result) if label.startswith("used")]
    assert "numbers of 41 datastores are left out" in output(result)


@pytest.mark.parametrize("result", [hostile(), large(), example()], ids=["hostile", "large", "ex"])
def test_nagios_reads_all_of_it(result: Checked) -> None:
    text = output(result)
    assert len(text.encode()) <= MOST_BYTES
    lines = text.rstrip("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    assert "|" not in "".join(lines[1:])
    shown = len(lines) - 2
    if "more lines" in lines[-1]:
        left = int(lines[-1].split()[1].replace(",", ""))
        assert shown + left >= len(result.check.findings)


def test_the_first_line_names_status_view_and_endpoint() -> None:
    head = output(example()).split("|")[0]
    assert head.startswith("SNAPAUDIT CRITICAL - ")
    assert "UNKNOWN" in head
    assert "not seen: hv1, kvm-lab" in head


def test_news_are_numbers_too() -> None:
    found = series(complete(compared=against(new=("a",), worse=("b", "c"))))
    assert (found["new"]["value"], found["worse"]["value"]) == ("1", "2")


def test_a_number_has_no_exponent() -> None:
    assert number(10**21 + 0.0) == "1000000000000000000000"
    assert number(0.0001) == "0"
    assert number(66.6666) == "66.667"
