"""`snapaudit hold` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Ran, snapaudit

WHO = ("--owner", "ada", "--reason", "legal case")


def hold(folder: Path, *arguments: str) -> Ran:
    return snapaudit("hold", *arguments, cwd=folder)


def test_hold_is_added_shown_and_removed(tmp_path: Path) -> None:
    added = hold(tmp_path, "add", "web01", "--snapshot", "golden", *WHO, "--until", "2999-12-31")
    assert (added.code, added.err) == (0, "")
    hold_id = added.out.split()[0]
    assert added.out == f"{hold_id} holds snapshot golden of web01\n"
    listed = hold(tmp_path, "list")
    for word in (hold_id, "golden", "web01", "ada", "legal case", "3000-01-01 12:00 UTC", "1 hold"):
        assert word in listed.out
    assert (tmp_path / ".snapaudit").stat().st_mode & 0o777 == 0o700
    removed = hold(tmp_path, "remove", hold_id)
    assert removed.out == f"{hold_id} no longer holds snapshot golden of web01\n"
    assert hold(tmp_path, "list").out == "no holds\n"


def test_hold_list_as_json_is_the_file_itself(tmp_path: Path) -> None:
    hold(tmp_path, "add", "--endpoint", "kvm1", *WHO)
    listed = json.loads(hold(tmp_path, "list", "-f", "json").out)
    assert listed["schema"] == "snapaudit/holds@1"
    (entry,) = listed["holds"]
    assert (entry["endpoint"], entry["vm"], entry["expires_at"]) == ("kvm1", None, None)


def test_hold_that_has_ended_is_said_to_have_ended(tmp_path: Path) -> None:
    hold(tmp_path, "add", "web01", *WHO, "--until", "2998-01-01T00:00:00Z")
    assert "(ended)" not in hold(tmp_path, "list").out
    assert "(ended)" in hold(tmp_path, "list", "--now", "2999-01-01T00:00:00Z").out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("add", "web01", "--reason", "x"), "--owner is missing"),
        (("add", "web01", "--owner", "ada"), "--reason is missing"),
        (("add", "web01", "--owner", "ada", "--reason", " "), "--reason is missing"),
        (("add", *WHO), "name what to hold"),
        (("add", "--endpoint", "a", "--endpoint", "b", *WHO), "one endpoint"),
        (("add", "web01", *WHO, "--until", "soon"), "is no date"),
        (("add", "web01", *WHO, "--until", "2020-01-01"), "ended already"),
        (("remove", "h1"), "no hold 'h1'"),
        (("list", "-f", "jsn"), "did you mean 'json'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    ran = hold(tmp_path, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert reason in ran.err
    assert ran.err.count("\n") == 1


def test_unreadable_holds_are_refused_and_left_as_they_are(tmp_path: Path) -> None:
    hold(tmp_path, "add", "web01", *WHO)
    holds = tmp_path / ".snapaudit/holds.json"
    holds.write_text("{")
    listed, added = hold(tmp_path, "list"), hold(tmp_path, "add", "db01", *WHO)
    assert (listed.code, added.code) == (4, 4)
    assert "everything is held" in listed.err
    assert str(holds) in added.err
    assert holds.read_text() == "{"


def test_inv_24_hostile_names_show_as_they_are_and_command_nothing(tmp_path: Path) -> None:
    hold(tmp_path, "add", "web\x1b[2J\u202e01", "--owner", "a\nb", "--reason", "=1+1\x07")
    ran = hold(tmp_path, "list")
    assert ran.code == 0
    assert all(char.isprintable() or char == "\n" for char in ran.out)
    assert "\\u202e" in ran.out


def test_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".snapaudit").mkdir()
    (tmp_path / ".snapaudit").chmod(0o777)
    ran = hold(tmp_path, "add", "web01", *WHO)
    assert ran.code == 4
    assert "chmod go-w" in ran.err
