from __future__ import annotations

from datetime import timedelta

import pytest

from snapaudit.model.finding import Evidence, FactValue
from snapaudit.model.inventory import ByteRange
from snapaudit.model.units import (
    UnitError,
    format_iso_duration,
    parse_duration,
    parse_iso_duration,
)
from snapaudit.report import phrases
from tests.builders import GIB, NOW, ago
from tests.report.records import proof


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ("30s", "less than a minute"),
        ("1m", "1 minute"),
        ("1h", "1 hour"),
        ("90m", "90 minutes"),
        ("47h", "47 hours"),
        ("7d5h", "7 days 5 hours"),
        ("9d", "9 days"),
        ("40d5h", "40 days"),
        ("1200d", "1,200 days"),
    ],
)
def test_durations_are_said_as_people_say_them(span: str, said: str) -> None:
    assert phrases.duration(parse_duration(span)) == said


def test_a_time_in_the_future_is_no_age() -> None:
    assert phrases.age(NOW + timedelta(hours=3), NOW) == "3 hours in the future"
    assert phrases.age(None, NOW) == "unknown age"
    assert phrases.age(ago("9d"), NOW) == "9 days"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0, None, "unknown"),
        (3 * GIB, None, "at least 3 GiB"),
        (0, 0, "nothing"),
        (0, 4 * GIB, "up to 4 GiB"),
        (4 * GIB, 4 * GIB, "4 GiB"),
        (int(3.1 * GIB), 4 * GIB, "3.1\u20134 GiB"),
        (GIB // 2, 4 * GIB, "512 MiB\u20134 GiB"),
    ],
)
def test_a_range_never_promises_more_than_is_known(low: int, high: int | None, said: str) -> None:
    assert phrases.byte_range(ByteRange(min=low, max=high, basis="")) == said


def test_an_unknown_size_is_never_nought() -> None:
    assert phrases.size(None) == "unknown"
    assert phrases.size(0) == "0"


@pytest.mark.parametrize(
    ("fact", "value", "operator", "bound", "said"),
    [
        ("age", timedelta(days=9), "over", timedelta(days=7), "age 9 days, over 7 days"),
        ("age", timedelta(days=90, hours=1), "over", timedelta(days=90), "age just over 90 days"),
        ("used_share", 0.968, "over", 0.95, "used share 96.8%, over 95%"),
        ("snapshots_size", 40 * GIB, "over", 20 * GIB, "snapshots size 40 GiB, over 20 GiB"),
        ("snapshots", 5, "at_least", 3, "snapshots 5, at least 3"),
        ("merge_shortage", GIB, "over", 0, "merge shortage 1 GiB"),
        ("has_memory", True, "is", True, "has memory"),
        ("has_description", False, "is", False, "no description"),
        ("role", "phantom", "is", "phantom", "role: phantom"),
        ("name", "tmp1", "matches", "^tmp", 'name "tmp1" matches "^tmp"'),
    ],
)
def test_evidence_names_the_value_and_the_bound_it_crossed(
    fact: str, value: FactValue, operator: str, bound: FactValue, said: str
) -> None:
    assert phrases.evidence(proof(fact, value, operator, bound)) == said


def test_bound_below_a_minute_is_told_to_the_second() -> None:
    found = Evidence(
        fact="age", value=timedelta(minutes=10), operator="over", bound=timedelta(seconds=3)
    )
    assert phrases.evidence(found) == "age 10 minutes, over 3 s"


def test_moment_on_either_side_of_now_is_less_than_a_minute() -> None:
    assert phrases.duration(timedelta(seconds=-2)) == "less than a minute"


@pytest.mark.parametrize("iso", ["PT0S", "PT1S", "PT72H", "P3D", "P3DT12H5M"])
def test_duration_of_a_plan_is_read_as_it_was_written(iso: str) -> None:
    again = parse_iso_duration(format_iso_duration(parse_iso_duration(iso)))
    assert again == parse_iso_duration(iso)


def test_what_is_no_duration_of_a_plan_is_refused() -> None:
    with pytest.raises(UnitError):
        parse_iso_duration("3 days")
