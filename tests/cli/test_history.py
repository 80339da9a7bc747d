"""Runs recorded by audit, and what diff, forecast and history make of them, as a user types it."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from snapaudit.codec.documents import inventories_document
from snapaudit.model.inventory import Inventory
from tests.builders import GIB, NOW, datastore, inventory, snapshot, vm
from tests.cli.running import Ran, snapaudit

WEEK = timedelta(days=7)
OLD = snapshot("old", age="9d")
LATER = "2027-06-01T00:00:00Z"


def saved(folder: Path, week: int, *, free: int | None = None, endpoint: str = "kvm1") -> Path:
    """A view of a week: one snapshot that stays, and one of the week."""
    own = snapshot(f"s{week}", created_at=NOW + week * WEEK)
    store = datastore(free_bytes=(500 - 50 * week if free is None else free) * GIB)
    view = inventory(
        vm("web01", OLD, own),
        datastores=(store,),
        collected_at=NOW + week * WEEK,
        endpoint=endpoint,
    )
    return written(folder / f"{endpoint}-{week}.json", view)


def written(path: Path, view: Inventory) -> Path:
    path.write_bytes(inventories_document([view], compress=False))
    return path


def audited(folder: Path, week: int, *options: str) -> Ran:
    return snapaudit("audit", "--inventory", str(saved(folder, week)), *options, cwd=folder)


def document(ran: Ran) -> dict[str, Any]:
    assert ran.has_no_traceback(), ran.err
    return dict(json.loads(ran.out))


def runs(folder: Path) -> list[str]:
    """When the recorded runs were, the newest first."""
    ran = snapaudit("history", "list", "-f", "json", "--now", LATER, cwd=folder)
    if ran.code:
        return []
    return [run["audited_at"] for run in document(ran)["runs"]]


def test_audit_of_a_saved_inventory_is_recorded_under_its_own_date(tmp_path: Path) -> None:
    assert audited(tmp_path, 0, "-q").code == 0
    assert audited(tmp_path, 1, "-q", "--now", "2026-07-01T00:00:00Z").code == 0
    assert runs(tmp_path) == ["2026-07-01T00:00:00Z", "2026-06-01T12:00:00Z"]


@pytest.mark.parametrize("words", [["audit", "--no-record"], ["check"], ["explain", "old"]])
def test_what_does_not_record_leaves_no_history(tmp_path: Path, words: list[str]) -> None:
    ran = snapaudit(*words, "--inventory", str(saved(tmp_path, 0)), cwd=tmp_path)
    assert ran.has_no_traceback()
    assert not (tmp_path / ".snapaudit").exists()


def test_demo_is_neither_recorded_nor_told_of_the_past(tmp_path: Path) -> None:
    assert snapaudit("audit", "--demo", "-q", cwd=tmp_path).code in (0, 3)
    assert not (tmp_path / ".snapaudit").exists()


def test_diff_tells_what_changed_between_the_last_two_runs(tmp_path: Path) -> None:
    for week in range(3):
        audited(tmp_path, week, "-q")
    told = document(snapaudit("diff", "-f", "json", "--now", LATER, cwd=tmp_path))
    assert told["schema"] == "snapaudit/diff@1"
    assert (told["since"], told["until"]) == ("2026-06-08T12:00:00Z", "2026-06-15T12:00:00Z")
    assert [
        one["subject"]["id"] for one in told["new"] if one["subject"]["kind"] == "snapshot"
    ] == ["s2"]
    assert [one["subject"]["id"] for one in told["resolved"]] == ["s1"]
    assert told["unseen"] == []


@pytest.mark.parametrize("since", ["2026-06-01", "2026-06-02T00:00:00+02:00", "362d"])
def test_diff_since_a_day_a_time_or_a_span(tmp_path: Path, since: str) -> None:
    for week in range(3):
        audited(tmp_path, week, "-q")
    ran = snapaudit("diff", "--since", since, "-f", "json", "--now", LATER, cwd=tmp_path)
    assert document(ran)["since"] == "2026-06-01T12:00:00Z"


@pytest.mark.parametrize("since", ["yesterday", "2026-06-01T12:00:00", "7"])
def test_diff_since_something_else_is_refused_with_an_example(tmp_path: Path, since: str) -> None:
    ran = snapaudit("diff", "--since", since, cwd=tmp_path)
    assert ran.code == 2
    assert "--since" in ran.err
    assert "2026-06-01" in ran.err


def test_diff_names_an_endpoint_that_was_not_read_and_ends_with_3(tmp_path: Path) -> None:
    both = [str(saved(tmp_path, 0, endpoint=name)) for name in ("kvm1", "kvm2")]
    snapaudit("audit", "-q", *(w for one in both for w in ("--inventory", one)), cwd=tmp_path)
    audited(tmp_path, 1, "-q")
    ran = snapaudit("diff", "--now", LATER, cwd=tmp_path)
    assert ran.code == 3
    assert "not compared: kvm2: not looked at since 2026-06-01T12:00:00Z" in ran.out
    chosen = snapaudit("diff", "--now", LATER, "--endpoint", "kvm1", cwd=tmp_path)
    assert (chosen.code, "kvm2" in chosen.out) == (0, False)


@pytest.mark.parametrize("command", ["diff", "forecast"])
def test_endpoint_that_no_run_was_about_is_refused_and_not_told_to_be_at_rest(
    tmp_path: Path, command: str
) -> None:
    for week in range(2):
        audited(tmp_path, week, "-q")
    until = ("--now", "2026-07-01T00:00:00Z")
    ran = snapaudit(command, *until, "--endpoint", "kvm2", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "there is no endpoint 'kvm2'; did you mean 'kvm1'?" in ran.err
    both = [snapaudit(command, *until, *one, cwd=tmp_path) for one in ((), ("--endpoint", "kv*"))]
    assert both[0].out == both[1].out != ""


def test_forecast_tells_a_range_and_the_rule_goes_by_its_early_end(tmp_path: Path) -> None:
    for week in range(5):
        audited(tmp_path, week, "-q")
    told = document(snapaudit("forecast", "-f", "json", "--now", LATER[:4] + "-01-01T00:00:00Z",
                              cwd=tmp_path))  # fmt: skip
    assert told["schema"] == "snapaudit/forecast@1"
    assert told["datastores"] == []  # nothing was seen for half a year
    told = document(snapaudit("forecast", "-f", "json", "--now", "2026-07-01T00:00:00Z",
                              cwd=tmp_path))  # fmt: skip
    [one] = told["datastores"]
    assert (one["trend"], one["samples"]) == ("growing", 5)
    assert one["days_to_full"]["early"] == 42.0
    assert one["gain"]["bytes"]["max"] == 2 * GIB
    ran = audited(tmp_path, 8, "-f", "json")
    [finding] = [f for f in document(ran)["findings"] if f["rule"] == "datastore-filling"]
    assert (finding["severity"], finding["evidence"][1]["fact"]) == ("warning", "days_to_full")
    check = snapaudit("check", "--inventory", str(saved(tmp_path, 9)), cwd=tmp_path)
    assert "datastore-filling" in check.out


def test_forecast_says_when_a_datastore_was_seen_that_the_last_run_did_not_see(
    tmp_path: Path,
) -> None:
    for week in range(4):
        audited(tmp_path, week, "-q")
    now = ("--now", "2026-07-01T12:00:00Z")
    fresh = snapaudit("forecast", *now, cwd=tmp_path)
    assert "By the runs up to 2026-06-22 12:00 UTC, 9 days ago" in fresh.out
    assert "last seen" not in fresh.out
    other = saved(tmp_path, 4, endpoint="kvm2")
    assert snapaudit("audit", "--inventory", str(other), "-q", cwd=tmp_path).code == 0
    stale = " ".join(snapaudit("forecast", *now, cwd=tmp_path).out.split())
    assert "By the runs up to 2026-06-29 12:00 UTC, 2 days ago" in stale
    assert stale.count("last seen") == 1
    told = document(snapaudit("forecast", "-f", "json", *now, cwd=tmp_path))
    assert told["last_run_at"] == "2026-06-29T12:00:00Z"
    counted = {one["endpoint"]: one["counted_from"] for one in told["datastores"]}
    assert counted == {"kvm1": "2026-06-22T12:00:00Z", "kvm2": "2026-06-29T12:00:00Z"}


def test_table_of_the_forecast_says_what_deleting_buys(tmp_path: Path) -> None:
    for week in range(5):
        audited(tmp_path, week, "-q")
    ran = snapaudit("forecast", "--now", "2026-07-01T00:00:00Z", cwd=tmp_path)
    assert "42 days" in ran.out
    assert "(2 GiB)" in ran.out


@pytest.mark.parametrize("words", [["diff"], ["forecast"], ["history", "list"]])
def test_without_any_run_it_says_how_to_record_one(tmp_path: Path, words: list[str]) -> None:
    ran = snapaudit(*words, cwd=tmp_path)
    assert (ran.code, ran.out) == (1, "")
    assert "`snapaudit audit` records its runs" in ran.err


@pytest.mark.parametrize("words", [["diff"], ["forecast"], ["history", "list"]])
def test_what_reads_recorded_runs_refuses_another_source(tmp_path: Path, words: list[str]) -> None:
    ran = snapaudit(*words, "--demo", cwd=tmp_path)
    assert ran.code == 2
    assert "cannot go with --demo" in ran.err


def test_history_is_checked_and_copied(tmp_path: Path) -> None:
    audited(tmp_path, 0, "-q")
    checked = snapaudit("history", "check", cwd=tmp_path)
    assert (checked.code, "sound" in checked.out) == (0, True)
    copied = snapaudit("history", "backup", "copy.db", cwd=tmp_path)
    assert copied.code == 0
    (tmp_path / ".snapaudit/history.db").write_bytes((tmp_path / "copy.db").read_bytes())
    assert len(runs(tmp_path)) == 1


# What goes wrong ------------------------------------------------------------------------------


def spoiled(folder: Path, how: str) -> None:
    file = folder / ".snapaudit/history.db"
    match how:
        case "damaged":
            file.write_bytes(b"no database at all, whatever it is called " * 100)
        case "newer":
            with sqlite3.connect(file) as other:
                other.execute("INSERT INTO history_version VALUES (99)")
            other.close()
        case "open to others":
            file.parent.chmod(0o777)
        case "no folder":
            file.unlink()
            for left in sorted(file.parent.rglob("*"), reverse=True):
                left.rmdir() if left.is_dir() else left.unlink()
            file.parent.rmdir()
            file.parent.write_text("a file where a folder should be")


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("damaged", "is damaged"),
        ("newer", "was written by a newer snapaudit"),
        ("open to others", "others may write to it"),
        ("no folder", "cannot be used"),
    ],
)
def test_audit_is_delivered_whatever_is_wrong_with_its_history(
    tmp_path: Path, how: str, word: str
) -> None:
    audited(tmp_path, 0, "-q")
    spoiled(tmp_path, how)
    ran = audited(tmp_path, 1, "-f", "json")
    assert ran.code == 1
    assert document(ran)["summary"]["snapshots"] == 2
    assert "this run is not recorded, its result is complete" in ran.err
    assert word in ran.err


def test_unreadable_history_makes_what_rests_on_it_undetermined(tmp_path: Path) -> None:
    audited(tmp_path, 0, "-q")
    spoiled(tmp_path, "newer")
    told = document(audited(tmp_path, 1, "-f", "json"))
    unknown = {(one["rule"], one["fact"]) for one in told["undetermined"]}
    assert ("datastore-filling", "has_forecast") in unknown


def test_locked_history_costs_the_audit_nothing_but_the_wait(tmp_path: Path) -> None:
    audited(tmp_path, 0, "-q")
    other = sqlite3.connect(tmp_path / ".snapaudit/history.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ran = audited(tmp_path, 1, "-f", "json")
    other.close()
    assert (ran.code, document(ran)["summary"]["snapshots"]) == (1, 2)
    assert "another run is writing to it" in ran.err
    assert len(runs(tmp_path)) == 1


def test_incomplete_view_and_a_verdict_say_more_than_a_lost_record(tmp_path: Path) -> None:
    audited(tmp_path, 0, "-q")
    spoiled(tmp_path, "newer")
    assert audited(tmp_path, 1, "--fail-on", "critical", "-q").code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_history_in_a_folder_that_may_only_be_read_can_be_read(tmp_path: Path) -> None:
    audited(tmp_path, 0, "-q")
    folder = tmp_path / ".snapaudit"
    folder.chmod(0o500)
    try:
        assert len(runs(tmp_path)) == 1
        assert audited(tmp_path, 1, "-q").code == 1
    finally:
        folder.chmod(0o700)
