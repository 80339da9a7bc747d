"""What `deploy/` and docs/weekly.md hand to whoever runs the weekly report."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer.main

from snapaudit.cli.commands import application
from snapaudit.config.mail import owner_key
from tests.beds.required import require_program
from tests.config.written import settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs/weekly.md").read_text(encoding="utf-8")
UNITS = ("snapaudit-audit", "snapaudit-report")


def unit(name: str) -> configparser.ConfigParser:
    """A unit by sections; of a key that stands twice the last counts."""
    found = configparser.ConfigParser(interpolation=None, strict=False)
    found.optionxform = str  # type: ignore[assignment,method-assign] # systemd minds the case
    found.read_string((DEPLOY / "systemd" / name).read_text())
    return found


def commands() -> list[str]:
    """Every command line of the page, the units and the crontab."""
    lines = re.findall(r"^\$ (snapaudit .*?)(?:\s+#.*)?$", PAGE, re.MULTILINE)
    lines += re.findall(r"^\$ \$run (.*)$", PAGE, re.MULTILINE)
    lines += [unit(f"{name}.service")["Service"]["ExecStart"] for name in UNITS]
    lines += re.findall(r"snapaudit (?:audit|report) --[a-z -]*", crontab())
    return lines


def crontab() -> str:
    return (DEPLOY / "cron/snapaudit").read_text()


def test_every_option_in_the_page_and_the_jobs_exists() -> None:
    tree = typer.main.get_command(application())
    seen = set()
    for line in commands():
        words = shlex.split(line)
        name = next(word for word in words if word in ("audit", "report"))
        known = {word for param in tree.commands[name].params for word in param.opts}  # type: ignore[attr-defined]
        assert {word for word in words if word.startswith("-")} <= known, line
        seen.add(name)
    assert seen == {"audit", "report"}


@pytest.mark.bed
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    analyze = require_program("systemd-analyze")
    for part in UNITS:
        for kind in ("service", "timer"):
            text = (DEPLOY / f"systemd/{part}.{kind}").read_text()
            # The program is not installed here, and that is all that would be complained of.
            text = text.replace("/usr/local/bin/snapaudit", require_program("true"))
            (tmp_path / f"{part}.{kind}").write_text(text)
    files = [str(tmp_path / f"{name}.{kind}") for kind in ("service", "timer")]
    done = subprocess.run([analyze, "verify", *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.bed
@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_little_that_the_units_could_reach(name: str) -> None:
    analyze = require_program("systemd-analyze")
    path = str(DEPLOY / f"systemd/{name}.service")
    words = [analyze, "security", "--offline=yes", "--threshold=20", path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]


def test_an_incomplete_view_is_a_success_of_the_audit_and_none_of_the_report() -> None:
    audit, report = (unit(f"{name}.service") for name in UNITS)
    assert audit["Service"]["SuccessExitStatus"] == "3"
    assert "SuccessExitStatus" not in report["Service"]
    assert report["Unit"]["Requires"] == "snapaudit-audit.service"
    assert "snapaudit-audit.service" in report["Unit"]["After"].split()


def test_both_units_share_the_user_and_the_state() -> None:
    audit, report = (unit(f"{name}.service")["Service"] for name in UNITS)
    for key in ("User", "StateDirectory", "StateDirectoryMode", "WorkingDirectory", "UMask"):
        assert audit[key] == report[key]


@pytest.mark.parametrize(
    ("audit_code", "ran"), [(0, ["audit", "report"]), (3, ["audit", "report"]), (1, ["audit"])]
)
def test_the_weekly_line_of_cron_reports_what_was_audited(
    tmp_path: Path, audit_code: int, ran: list[str]
) -> None:
    [line] = [one for one in crontab().splitlines() if one.startswith("0 6 * * 1")]
    command = line.split(None, 6)[6]
    fake = tmp_path / "snapaudit"
    code = f'test "$1" = audit && exit {audit_code}\n'
    fake.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/ran"\necho a table\n{code}exit 0\n')
    fake.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environ, capture_output=True, text=True, check=False
    )
    assert (tmp_path / "ran").read_text().split() == ran
    assert done.returncode == (0 if "report" in ran else 1)


def test_the_crontab_names_a_time_and_a_user_in_every_line() -> None:
    lines = [one for one in crontab().splitlines() if re.match(r"[\d*]", one)]
    assert len(lines) == 2
    for line in lines:
        assert re.match(r"(?:[\d*]+ ){4}[\d*] +snapaudit  \S", line)
        assert "%" not in line, "cron makes a line end of it"


def steps() -> list[tuple[str, str]]:
    text = (DEPLOY / "container/Containerfile").read_text()
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    parts = (one.partition(" ") for one in joined.splitlines())
    return [(word, rest) for word, _, rest in parts if word]


def test_the_container_copies_what_is_there_and_what_the_build_may_see() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for word, rest in steps():
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source.split('/')[0]}" in ignored


def test_the_container_runs_as_nobody_of_weight_and_by_the_program_itself() -> None:
    by_word: dict[str, list[str]] = {}
    for word, rest in steps():
        by_word.setdefault(word, []).append(rest)
    known = ("FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "CMD", "ENTRYPOINT")
    assert set(by_word) <= set(known)
    assert by_word["USER"] == ["snapaudit"]
    assert by_word["ENTRYPOINT"] == ['["snapaudit"]']
    assert "--uid 990" in " ".join(by_word["RUN"])
    assert "uid=990" in PAGE


def test_the_steps_of_the_container_are_valid_shell() -> None:
    for word, rest in steps():
        if word == "RUN":
            subprocess.run(["/bin/sh", "-n", "-c", rest], check=True)


def test_the_configuration_of_the_page_is_read_as_it_says(tmp_path: Path) -> None:
    mail, reports = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    found = settings(tmp_path, f"version: 1\n{mail}{reports}")
    assert found.mail is not None
    assert (found.mail.username, found.mail.per_owner) == ("snapaudit", True)
    assert found.mail.owners[owner_key("database  TEAM")] == "dba@example.org"
    assert found.keep_reports == 53
