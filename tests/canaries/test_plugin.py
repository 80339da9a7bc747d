"""Whole runs of pytest that leave credentials all over the place: they have to fail for it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.canaries import MARK
from tests.canaries.sweep import ALLOWED

ROOT = Path(__file__).parents[2]
LEAKING = """\
import base64, gzip, logging, os
from pathlib import Path
from tests.canaries import ACTING, POOL, SMTP, TYPED, WINDOWS

def test_file(tmp_path):
    (tmp_path / "kept.json").write_text(POOL)

def test_packed(tmp_path_factory):
    packed = gzip.compress(base64.b64encode(WINDOWS.encode()))
    (tmp_path_factory.mktemp("state") / "audit.json.gz").write_bytes(packed)

def test_printed():
    print("login with", SMTP)

def test_logged():
    logging.getLogger("sdk").error("no %s", TYPED)

def test_checkout(pytestconfig):
    (pytestconfig.rootpath / "reports").mkdir()
    (pytestconfig.rootpath / "reports/new.csv").write_bytes(ACTING.encode("utf-16"))
"""
FOUND = {
    "test_file0/kept.json: at byte 0: pool, as plain",
    "state0/audit.json.gz (unpacked): at byte 0: windows, as base64",
    "test_it.py::test_printed: Captured stdout call: at byte 11: smtp, as plain",
    "test_it.py::test_logged: Captured log call: at byte",
    "reports/new.csv: at byte 2: acting, as UTF-16",
}
QUIET = """\
from tests.canaries import POOL

def test_given(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given/pool").write_text(POOL)

def test_checkout(pytestconfig):
    assert (pytestconfig.rootpath / "htmlcov/old.html").exists()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not beneath the folder of the run that this test is part of, which would find it too."""
    with tempfile.TemporaryDirectory(prefix="sa-leaks-") as name:
        yield Path(name)


def ran(folder: Path, tests: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(tests)
    plugins = ("-p", "tests.canaries.plugin", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--basetemp", str(folder / "temp"), *words],
        cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8",
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["alone", "with workers"])
def test_tst_13_credentials_that_tests_leave_behind_fail_the_whole_run(
    folder: Path, words: tuple[str, ...]
) -> None:
    done = ran(folder, LEAKING, *words)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    told = [line for line in done.stdout.splitlines() if line.startswith("FAILED: a credential")]
    assert len(told) == len(FOUND)
    assert {one for one in FOUND if one not in "\n".join(told)} == set()
    assert MARK not in done.stdout + done.stderr


def test_tst_13_a_credential_may_stand_where_it_is_read_from(folder: Path) -> None:
    (folder / "htmlcov").mkdir()
    (folder / "htmlcov/old.html").write_text(f"{MARK}, of an earlier run")
    done = ran(folder, QUIET)
    assert done.returncode == 0, done.stdout
    assert "files searched for credentials" in done.stdout


def test_tst_13_each_place_where_one_may_stand_has_its_reason() -> None:
    assert len(ALLOWED) < 10
    assert min(len(reason) for reason in ALLOWED.values()) > 20
