"""What `deploy/` hands to monitoring and CI, tried as far as it goes without their servers."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from snapaudit.cli.commands import application
from snapaudit.codec.documents import inventories_document
from snapaudit.model.check import Budget, Status
from snapaudit.model.past import DaysToFull, Forecast, Trend
from snapaudit.report.check.metrics import families
from tests.beds.checkers import promtool, said_by
from tests.builders import datastore, inventory, snapshot, vm
from tests.cli.running import write_config
from tests.report.check.audits import example

DEPLOY = Path(__file__).parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
_METRIC = re.compile(r"\bsnapaudit_[a-z_]+\b")


def made_metrics() -> set[str]:
    """Every name that is ever told, the exporter's own among them."""
    days = DaysToFull(early=9, likely=12, late=40)
    forecast = Forecast(
        endpoint="kvm1", id="ssd-a", name="ssd-a", trend=Trend.GROWING, days_to_full=days, samples=9
    )
    budget = Budget(name="stale snapshots", value=1, limit=1, status=Status.OK)
    result = example(budgets=(budget,), forecasts={("kvm1", "ssd-a"): forecast})
    own = {"snapaudit_stale", "snapaudit_up"}
    return own | {one.name for one in families(result)}


# Prometheus and Grafana -----------------------------------------------------------------------


@pytest.mark.bed
@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", "snapaudit.rules.yml"),
        ("test", "rules", "snapaudit.tests.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
    ],
)
def test_promtool_takes_the_rules_their_tests_and_the_configuration(words: tuple[str, ...]) -> None:
    code, said = said_by(promtool(), *words, cwd=PROMETHEUS)
    assert code == 0, said
    assert "SUCCESS" in said


def test_every_alert_is_tested_to_fire() -> None:
    rules = yaml.safe_load((PROMETHEUS / "snapaudit.rules.yml").read_text())["groups"][0]["rules"]
    tests = yaml.safe_load((PROMETHEUS / "snapaudit.tests.yml").read_text())["tests"]
    fired = {
        one["alertname"] for test in tests for one in test["alert_rule_test"] if "exp_alerts" in one
    }
    assert {rule["alert"] for rule in rules} == fired


def expressions() -> dict[str, str]:
    """Every expression of the alert rules and of the dashboard, by where it stands."""
    rules = yaml.safe_load((PROMETHEUS / "snapaudit.rules.yml").read_text())["groups"][0]["rules"]
    found = {rule["alert"]: rule["expr"] for rule in rules}
    for panel in dashboard()["panels"]:
        for number, target in enumerate(panel["targets"]):
            found[f"{panel['title']} {number}"] = target["expr"]
    return found


def dashboard() -> Any:
    return json.loads((DEPLOY / "grafana/snapaudit.json").read_text())


def test_alerts_and_panels_ask_only_for_what_is_told() -> None:
    asked = {name for text in expressions().values() for name in _METRIC.findall(text)}
    assert asked
    assert asked <= made_metrics()


@pytest.mark.bed
def test_prometheus_understands_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": text.replace("$endpoint", ".*")}
        for number, text in enumerate(expressions().values())
    ]
    body = yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]})
    (tmp_path / "panels.yml").write_text(body)
    code, said = said_by(promtool(), "check", "rules", "panels.yml", cwd=tmp_path)
    assert code == 0, said


def test_the_dashboard_has_panels_that_do_not_overlap_and_a_choice_of_source() -> None:
    page = dashboard()
    assert {one["name"] for one in page["templating"]["list"]} == {"datasource", "endpoint"}
    taken: set[tuple[int, int]] = set()
    for panel in page["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells
    assert len({panel["id"] for panel in page["panels"]}) == len(page["panels"])


# Commands in jobs and units -------------------------------------------------------------------


def jobs() -> Iterator[tuple[str, str]]:
    """Every command line that a job, a unit or a script of ours would run."""
    workflow = yaml.safe_load((DEPLOY / "github/snapaudit.yml").read_text())
    for step in workflow["jobs"]["check"]["steps"]:
        if "run" in step:
            yield "github", step["run"]
    job = yaml.safe_load((DEPLOY / "gitlab/snapaudit.gitlab-ci.yml").read_text())["snapaudit"]
    yield from (("gitlab", line) for line in job["script"])
    for unit in sorted((DEPLOY / "systemd").glob("snapaudit-[st]e*.service")):
        yield unit.name, _unit(unit)["Service"]["ExecStart"]


def _unit(path: Path) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # systemd minds the case
    unit.read_string(path.read_text())
    return unit


def options_of(name: str) -> set[str]:
    import typer.main

    tree: Any = typer.main.get_command(application())
    return {word for param in tree.commands[name].params for word in param.opts}


COMMANDS = [(where, line) for where, line in jobs() if "snapaudit " in line and "pip" not in line]


def test_there_are_commands_to_try() -> None:
    assert {"github", "gitlab", "snapaudit-serve.service"} <= {where for where, _ in COMMANDS}


@pytest.mark.parametrize(("where", "line"), COMMANDS, ids=[where for where, _ in COMMANDS])
def test_every_option_in_a_job_exists(where: str, line: str) -> None:
    words = shlex.split(line)
    known = options_of(words[1])
    assert {word.split("=")[0] for word in words if word.startswith("-")} <= known, where


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a configuration whose endpoint needs no daemon, and `snapaudit` to run."""
    write_config(tmp_path, "{name: lab, kind: libvirt, url: 'test:///default'}")
    program = tmp_path / "bin/snapaudit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m snapaudit "$@"\n')
    program.chmod(0o755)
    return tmp_path


def ran(site: Path, line: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "LANG") if name in os.environ}
    environ = {
        **kept, "PATH": f"{site / 'bin'}:{os.environ['PATH']}", "HOME": str(site),
        "SNAPAUDIT_CONFIG": "snapaudit.yaml", "SNAPAUDIT": str(site / "bin/snapaudit"),
    }  # fmt: skip
    return subprocess.run(
        ["/bin/sh", "-ec", line], cwd=site, env=environ, capture_output=True, encoding="utf-8",
        timeout=120, check=False,
    )  # fmt: skip


def test_the_github_job_writes_what_it_uploads(site: Path) -> None:
    workflow = yaml.safe_load((DEPLOY / "github/snapaudit.yml").read_text())
    steps = workflow["jobs"]["check"]["steps"]
    upload = next(step for step in steps if "upload-sarif" in step.get("uses", ""))
    line = next(line for where, line in COMMANDS if where == "github")
    done = ran(site, line)
    assert done.returncode == 3  # libvirt's test driver has a disk that nobody can see
    assert "::error title=snapaudit UNKNOWN::" in done.stdout
    assert json.loads((site / upload["with"]["sarif_file"]).read_text())["version"] == "2.1.0"
    assert (site / "snapaudit-inventory.txt").exists()
    assert "always()" in upload["if"]  # the step before ends with the verdict


def test_the_gitlab_job_writes_the_reports_that_it_names(site: Path) -> None:
    job = yaml.safe_load((DEPLOY / "gitlab/snapaudit.gitlab-ci.yml").read_text())["snapaudit"]
    done = ran(site, next(line for where, line in COMMANDS if where == "gitlab"))
    assert done.returncode == 3
    assert done.stdout.startswith("UNKNOWN: ")
    reports = job["artifacts"]["reports"]
    assert json.loads((site / reports["codequality"]).read_text())
    assert (site / reports["junit"]).read_text().startswith("<?xml")
    assert job["allow_failure"] == {"exit_codes": [1]}


def test_the_local_check_prints_its_services_and_ends_with_0(site: Path) -> None:
    done = ran(site, str(DEPLOY / "checkmk/snapaudit"))
    assert done.returncode == 0
    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["3", "3"]
    assert '"snapaudit endpoint lab"' in done.stdout


def test_the_local_check_says_so_where_it_cannot_be_made(site: Path) -> None:
    (site / "snapaudit.yaml").write_text("version: 2\n")
    done = ran(site, str(DEPLOY / "checkmk/snapaudit"))
    assert done.returncode == 0
    assert done.stdout.startswith('3 "snapaudit" - ')


def test_the_textfile_unit_writes_its_file_and_takes_a_verdict_for_no_failure(site: Path) -> None:
    unit = _unit(DEPLOY / "systemd/snapaudit-textfile.service")["Service"]
    line = unit["ExecStart"].replace("/usr/local/bin/", "").replace("/var/lib/", f"{site}/lib/")
    done = ran(site, line)
    assert str(done.returncode) in unit["SuccessExitStatus"].split()
    assert list(site.glob("lib/prometheus/node-exporter/*")) == [
        site / "lib/prometheus/node-exporter/snapaudit.prom"
    ]


# Icinga ---------------------------------------------------------------------------------------

ICINGA = (DEPLOY / "icinga2/snapaudit.conf").read_text()


def test_the_check_command_of_icinga_has_only_options_that_exist() -> None:
    code = re.sub(r"/\*.*?\*/", "", ICINGA, flags=re.DOTALL)
    named = set(re.findall(r'"(--[a-z-]+)" = \{', code))
    assert len(named) >= 9
    assert named <= options_of("check")
    for opened, closed in ("{}", "[]", "()"):
        assert code.count(opened) == code.count(closed)
    assert code.count('"') % 2 == 0


def test_what_icinga_would_run_for_one_datastore_is_a_plugin_for_it(site: Path) -> None:
    command = re.search(r"command = \[ (.*?) \]", ICINGA)
    assert command is not None
    words = [word.strip('" ') for word in command[1].split(",")]
    seen = inventory(vm("web01", snapshot("a", age="9d")), datastores=(datastore("ssd a'b"),))
    (site / "i.json").write_bytes(inventories_document([seen], compress=False))
    chosen = shlex.join(
        [Path(words[0]).name, *words[1:], "--inventory", "i.json",
         "--endpoint", "kvm1", "--datastore", "kvm1/ssd a'b", "--max-stale", "critical=0"]
    )  # fmt: skip
    done = ran(site, chosen)
    assert done.returncode == 0, done.stdout  # nothing lies on it
    assert "'used kvm1/ssd a%27b'=" in done.stdout.splitlines()[0]
