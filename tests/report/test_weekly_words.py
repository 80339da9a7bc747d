"""The words of the weekly report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from snapaudit.app.weekly.making import Remembered, weekly
from snapaudit.model.inventory import ByteRange, Coverage, CoverageState
from snapaudit.model.past import DaysToFull
from snapaudit.model.weekly import KeyName, KeyNumber
from snapaudit.report.formats import WEEKLY_FORMATS, render_weekly
from snapaudit.report.phrases import size
from snapaudit.report.weekly import words
from snapaudit.report.weekly.bars import blocks
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import load_policy
from tests.builders import NOW, inventory, snapshot, vm
from tests.examples import example_week


@pytest.mark.parametrize(
    ("early", "late", "said"),
    [
        (12.9, 25.9, "12\u201325 days"),
        (12.0, None, "12 days or later"),
        (0.2, 0.9, "0 days"),
        (1.0, 1.5, "1 day"),
        (-3.0, 2.0, "0\u20132 days"),
    ],
)
def test_days_are_a_range_and_early_rather_than_late(
    early: float, late: float | None, said: str
) -> None:
    assert words.days(DaysToFull(early=early, likely=None, late=late)) == said


@pytest.mark.parametrize(
    ("low", "high", "basis", "said"),
    [
        (5, 5, "exact: image tables", "exact"),
        (4, 5, "allocation", "allocation"),
        (0, 5, "size of the file", "upper bound"),
        (4, 5, "own images", "range"),
        (4, None, "own images", "lower bound"),
        (0, None, "unknown: x", "unknown"),
    ],
)
def test_every_number_of_bytes_says_how_sure_it_is(
    low: int, high: int | None, basis: str, said: str
) -> None:
    assert words.certainty(ByteRange(min=low, max=high, basis=basis)) == said


def test_a_difference_has_its_unit_and_its_direction() -> None:
    number = KeyNumber(name=KeyName.HELD, value=3 * 2**30, previous=2**30, samples=())
    assert (words.difference(number), words.direction(number)) == ("2 GiB more", "up")
    first = KeyNumber(name=KeyName.HELD, value=3, previous=None, samples=())
    assert (words.difference(first), words.direction(first)) == ("no earlier run", "none")


def test_blocks_show_an_unknown_week_as_a_dot() -> None:
    assert blocks((1, None, 8)) == "▁·█"
    assert blocks((None,)) == ""
    assert blocks((4, 4)) == "▁▁"


def test_something_due_now_is_due_now() -> None:
    assert words.waiting(NOW, NOW) == "now"
    assert words.waiting(NOW + timedelta(days=4), NOW) == "in 4 days"
    assert words.waiting(NOW - timedelta(days=3), NOW) == "since 29 May 2026"


@pytest.mark.parametrize("form", [one for one in WEEKLY_FORMATS if one != "xlsx"])
@pytest.mark.parametrize("state", [s for s in CoverageState if s is not CoverageState.COMPLETE])
def test_no_format_hides_an_endpoint_that_was_not_seen(form: str, state: CoverageState) -> None:
    policy = load_policy((), disable={}, levels={}, environments=())
    blind = inventory(endpoint="hv7", coverage=Coverage(state=state, reason="rights are missing"))
    seen = inventory(vm("a", snapshot(age="1h")), endpoint="kvm1")
    report = weekly(audit((blind, seen), policy, NOW), Remembered())
    text = render_weekly(report, form, width=200).decode()
    assert "hv7" in text
    assert "rights are missing" in text
    assert str(state) in text


@pytest.mark.parametrize("form", WEEKLY_FORMATS)
def test_equal_reports_give_equal_bytes(form: str) -> None:
    assert render_weekly(example_week(), form) == render_weekly(example_week(), form)


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_no_line_of_the_table_is_wider_than_the_terminal(width: int) -> None:
    from snapaudit.report.escape import columns

    text = render_weekly(example_week(), "table", width=width).decode()
    assert max(map(columns, text.splitlines())) <= width


def test_what_is_offered_and_held_is_told_so_that_the_numbers_agree() -> None:
    report = example_week()
    (counted,) = (one.value for one in report.numbers if one.name is KeyName.RECLAIMABLE)
    assert counted is not None
    more = size(counted - report.back.min)
    assert any(line.endswith(f" {more} more is offered, and held.") for line in words.lead(report))
    alone = replace(report, back=replace(report.back, min=counted, max=counted))
    assert not any("held." in line for line in words.lead(alone))
