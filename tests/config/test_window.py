from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from snapaudit.model.limits import Window
from tests.config.written import fault, settings


def _window(folder: Path, written: str) -> Window:
    found = settings(folder, f"version: 1\nlimits: {{window: '{written}'}}\n").limits.window
    assert found is not None
    return found


def test_window_past_midnight_belongs_to_the_day_it_opens_on(tmp_path: Path) -> None:
    assert _window(tmp_path, "Sat 22:00-06:00 Europe/Berlin") == Window(
        text="Sat 22:00-06:00 Europe/Berlin",
        days=frozenset({5}),
        opens=timedelta(hours=22),
        closes=timedelta(hours=30),
        zone=ZoneInfo("Europe/Berlin"),
    )


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("Mon", {0}),
        ("sat,SUN", {5, 6}),
        ("Mon-Fri", {0, 1, 2, 3, 4}),
        ("Sat-Mon", {5, 6, 0}),
        ("Mon-Wed,Sun", {0, 1, 2, 6}),
        ("Tue-Tue", {1}),
        ("daily", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_days_may_be_lists_and_runs(tmp_path: Path, days: str, expected: set[int]) -> None:
    assert _window(tmp_path, f"{days} 01:00-02:00 UTC").days == expected


@pytest.mark.parametrize(
    ("times", "opens", "closes"),
    [("00:00-24:00", 0, 24 * 60), ("22:30-00:00", 1350, 1440), ("01:15-03:45", 75, 225)],
)
def test_times_count_from_midnight(tmp_path: Path, times: str, opens: int, closes: int) -> None:
    window = _window(tmp_path, f"daily {times} UTC")
    assert (window.opens, window.closes) == (timedelta(minutes=opens), timedelta(minutes=closes))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Sat 22:00-06:00", "expected days, times and a time zone, like 'Sat 22:00-06:00 Europe"),
        ("Sat, Sun 22:00-06:00 UTC", "expected days, times and a time zone"),
        ("Caturday 22:00-06:00 UTC", "unknown day 'Caturday'; expected Mon, Tue"),
        ("Sat- 22:00-06:00 UTC", "unknown day ''"),
        ("Sat, 22:00-06:00 UTC", "unknown day ''"),
        ("Sat-Sun-Mon 22:00-06:00 UTC", "unknown day 'Sun-Mon'"),
        ("Sat 22-06 UTC", "expected times like 22:00-06:00, found '22-06'"),
        ("Sat 22:60-06:00 UTC", "expected times like 22:00-06:00, found '22:60-06:00'"),
        ("Sat 9:00-11:00 UTC", "expected times like 22:00-06:00, found '9:00-11:00'"),
        ("Sat ٢٢:00-06:00 UTC", "expected times like"),
        ("Sat 24:00-06:00 UTC", "'24:00-06:00' leaves the day, which ends at 24:00"),
        ("Sat 22:00-24:01 UTC", "'22:00-24:01' leaves the day"),
        ("Sat 22:00-22:00 UTC", "'22:00-22:00' has no length; a whole day is 00:00-24:00"),
    ],
)
def test_wrong_window_is_told_at_its_place(tmp_path: Path, written: str, said: str) -> None:
    text = f"version: 1\nlimits:\n  window: ▶'{written}'\n"
    assert fault(tmp_path, text).startswith(said)


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berln",
        "europe/berlin",
        "Europe",
        "Europe/",
        "/etc/localtime",
        "../zoneinfo/UTC",
        "localtime",
        "posixrules",
        "right/UTC",
        "GMT+25:00",
        "X" * 5000,
    ],
)
def test_unknown_time_zone_is_refused(tmp_path: Path, zone: str) -> None:
    said = fault(tmp_path, f"version: 1\nlimits:\n  window: ▶Sat 22:00-06:00 {zone}\n")
    assert said.startswith(f"no time zone {zone!r} is known here")


def test_misspelt_time_zone_names_the_nearest(tmp_path: Path) -> None:
    said = fault(tmp_path, "version: 1\nlimits: {window: ▶Sat 22:00-06:00 Europe/Berln}\n")
    assert said.endswith("(did you mean 'Europe/Berlin'?)")


def test_nearest_day_is_named(tmp_path: Path) -> None:
    said = fault(tmp_path, "version: 1\nlimits: {window: ▶Satt 22:00-06:00 UTC}\n")
    assert said.endswith("(did you mean 'Sat'?)")
