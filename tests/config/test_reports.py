from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.written import fault, settings


def test_a_path_alone_keeps_every_report(tmp_path: Path) -> None:
    found = settings(tmp_path, "version: 1\nreports: weekly\n")
    assert (found.reports, found.keep_reports) == (tmp_path / "weekly", None)


def test_how_many_reports_stay_can_be_written(tmp_path: Path) -> None:
    found = settings(tmp_path, "version: 1\nreports: {path: weekly, keep: 53}\n")
    assert (found.reports, found.keep_reports) == (tmp_path / "weekly", 53)


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("▶{keep: 3}", "the key 'path' is missing"),
        ("{path: x, keep: ▶0}", "expected how many reports stay"),
        ("{path: x, keep: ▶-1}", "expected a whole number"),
        ("{path: x, ▶keeps: 1}", "unknown key 'keeps'"),
        ("▶[x]", "expected text, found a list"),
    ],
)
def test_a_wrong_reports_folder_is_told_at_its_place(
    tmp_path: Path, marked: str, said: str
) -> None:
    assert fault(tmp_path, f"version: 1\nreports: {marked}\n").startswith(said)
