"""`report` as a user runs it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snapaudit.codec.documents import inventories_document
from tests.builders import NOW, inventory, snapshot, vm
from tests.cli.running import snapaudit

AT = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"


def saved(folder: Path, name: str = "seen.json", **told: object) -> Path:
    machine = vm("web01", snapshot(age="9d"), notes="Owner: Web")
    path = folder / name
    path.write_bytes(inventories_document((inventory(machine, **told),), compress=False))
    return path


def test_an_audit_and_then_its_report(tmp_path: Path) -> None:
    path = saved(tmp_path, collected_at=datetime.now(UTC))
    audited = snapaudit("audit", "--inventory", str(path), "-f", "json", cwd=tmp_path)
    assert audited.code == 0, audited.err
    ran = snapaudit("report", "-f", "json", "-o", "html=week/a.html", "-q", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    report = json.loads(ran.out)
    assert report["schema"] == "snapaudit/weekly@1"
    assert [part["owner"] for part in report["owners"]] == ["Web"]
    assert (tmp_path / "week/a.html").read_text().startswith("<!doctype html>")


def test_saved_inventories_can_be_reported_without_being_recorded(tmp_path: Path) -> None:
    path = saved(tmp_path)
    ran = snapaudit("report", "--inventory", str(path), "--now", AT, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert "No earlier run is remembered" in ran.out
    assert snapaudit("report", cwd=tmp_path).code == 2


def test_the_demo_says_that_its_view_is_not_whole(tmp_path: Path) -> None:
    ran = snapaudit("report", "--demo", "--now", "2026-11-30T06:00:00Z", cwd=tmp_path)
    assert ran.code == 3
    assert "xcp-lab is missing" in ran.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no run is recorded yet; `snapaudit audit` records one"),
        (("--now", AT), "--now needs --inventory or --demo"),
        (("--endpoint", "kvm1"), "--endpoint needs --inventory or --demo"),
        (("-f", "htlm"), "did you mean 'html'?"),
        (("--demo", "--inventory", "x.json"), "cannot be combined"),
    ],
)
def test_what_cannot_be_reported_is_one_line_and_wrong_usage(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = snapaudit("report", *arguments, cwd=tmp_path)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""
    assert ran.has_no_traceback()


def test_the_report_survives_a_history_that_is_gone(tmp_path: Path) -> None:
    path = saved(tmp_path, collected_at=datetime.now(UTC))
    snapaudit("audit", "--inventory", str(path), cwd=tmp_path)
    (tmp_path / ".snapaudit/history.db").unlink()
    ran = snapaudit("report", cwd=tmp_path)
    assert ran.code == 0
    assert "web01" in ran.out


def test_a_report_of_an_old_run_says_so_and_is_no_whole_view(tmp_path: Path) -> None:
    path = saved(tmp_path)
    snapaudit("audit", "--inventory", str(path), "--now", AT, cwd=tmp_path)
    ran = snapaudit("report", cwd=tmp_path)
    assert ran.code == 3
    assert "Does `snapaudit audit` still run?" in ran.out


def test_a_run_of_a_day_to_come_is_told_as_such_and_gives_way_to_the_next(tmp_path: Path) -> None:
    path = saved(tmp_path, collected_at=datetime.now(UTC))
    later = f"{datetime.now(UTC) + timedelta(days=400):%Y-%m-%dT%H:%M:%SZ}"
    snapaudit("audit", "--inventory", str(path), "--now", later, cwd=tmp_path)
    early = snapaudit("report", cwd=tmp_path)
    assert early.code == 3
    assert "days after this report was made" in " ".join(early.out.split())
    snapaudit("audit", "--inventory", str(path), cwd=tmp_path)
    ran = snapaudit("report", "-f", "json", cwd=tmp_path)
    assert ran.code == 0
    assert json.loads(ran.out)["reported_at"] < later
