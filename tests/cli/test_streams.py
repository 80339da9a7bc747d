"""Standard streams that are closed, full, or read by somebody who goes away early."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snapaudit.codec.documents import inventories_document
from tests.builders import inventory, snapshot, vm
from tests.cli.running import environment, snapaudit

FULL = Path("/dev/full")
CHECK = ("check", "--inventory", "seen.json")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    seen = inventory(vm("web01", snapshot("before-upgrade", age="9d")))
    (tmp_path / "seen.json").write_bytes(inventories_document([seen], compress=False))
    return tmp_path


def in_a_shell(cwd: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line.replace("snapaudit", f"{sys.executable} -m snapaudit")],
        cwd=cwd,
        env=environment(cwd, {}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("command", ["--help", "rules list", "audit --inventory seen.json"])
def test_result_that_cannot_be_written_is_one_line_and_no_success(
    saved: Path, command: str
) -> None:
    ran = in_a_shell(saved, f"snapaudit {command} > {FULL}")
    assert ran.returncode == 1
    assert ran.stderr == "snapaudit: the result cannot be written: No space left on device\n"


def test_check_whose_result_cannot_be_written_is_unknown_and_never_a_warning(saved: Path) -> None:
    ran = in_a_shell(saved, f"snapaudit {' '.join(CHECK)} > {FULL}")
    assert ran.returncode == 3
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(("command", "code"), [("check", 3), ("audit", 1)])
def test_reader_who_has_gone_gets_no_traceback_and_makes_no_check_a_warning(
    saved: Path, command: str, code: int
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "snapaudit", command, "--inventory", "seen.json"],
            cwd=saved,
            env=environment(saved, {}),
            stdout=writes,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
    finally:
        os.close(writes)
    assert (ran.returncode, ran.stderr) == (code, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_stream_changes_no_exit_code(saved: Path, closed: str) -> None:
    expected = snapaudit(*CHECK, cwd=saved).code
    ran = in_a_shell(saved, f"snapaudit {' '.join(CHECK)} {closed}")
    assert ran.returncode == expected
    assert "Traceback" not in ran.stderr


def test_file_written_while_stdout_is_closed_holds_the_file_alone(saved: Path) -> None:
    ran = in_a_shell(saved, "snapaudit audit --inventory seen.json -f csv -o a.csv >&-")
    assert ran.returncode == 0
    assert (saved / "a.csv").read_text(encoding="utf-8-sig").startswith('"severity","rule"')
    assert (saved / ".snapaudit/history.db").read_bytes().startswith(b"SQLite format 3")


def test_program_alone_shows_its_help_as_it_is(tmp_path: Path) -> None:
    ran = snapaudit(cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: snapaudit [OPTIONS] COMMAND")
    assert "\n  audit " in ran.err
    assert snapaudit("rules", cwd=tmp_path).err.startswith("Usage: snapaudit rules")
