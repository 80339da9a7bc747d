"""The documentation says what is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from snapaudit import registry
from snapaudit.cli.commands import application
from snapaudit.cli.exits import Exit
from snapaudit.codec.yaml import parse_yaml
from snapaudit.enforce.state import State
from snapaudit.model.baseline import Baseline, KnownEndpoint, KnownFinding
from snapaudit.model.check import Budget, Check, Compared
from snapaudit.model.journal import Event
from snapaudit.model.limits import GIB, Limits
from snapaudit.model.outcome import Outcome, RunReport
from snapaudit.model.plan import Action, Guard, Plan, Refusal
from snapaudit.model.policy import SubjectKind
from snapaudit.report.check.formats import CHECK_FORMATS
from snapaudit.report.formats import AUDIT_FORMATS
from snapaudit.rules.conditions import read_condition
from snapaudit.rules.loader import load_policy
from snapaudit.rules.rulefile import read_rule
from snapaudit.rules.trial import try_rules
from tests import handbook

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAFETY = (ROOT / "docs/safety.md").read_text(encoding="utf-8")
COMMANDS = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
DOCUMENTS = COMMANDS.split("### Plan")[1]


def page_of(kind: str) -> str:
    return (ROOT / f"docs/hypervisors/{kind}.md").read_text(encoding="utf-8")


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_command_in_the_readme_exists() -> None:
    tree = application()
    known = {command.name for command in tree.registered_commands} | {
        group.name for group in tree.registered_groups
    }
    named = set(re.findall(r"snapaudit ([a-z]+)\b", README))
    assert named
    assert named <= known | {"is", "shows", "asks", "as"}


def test_readme_names_every_format() -> None:
    listed = re.search(r"-f ([a-z|]+)`", README)
    assert listed is not None
    assert set(listed[1].split("|")) == set(AUDIT_FORMATS)


def test_every_format_and_option_of_a_check_is_in_its_page() -> None:
    import typer.main

    page = (ROOT / "docs/checks.md").read_text(encoding="utf-8")
    assert [name for name in CHECK_FORMATS if f"`{name}`" not in page] == []
    tree: Any = typer.main.get_command(application())
    shared = {word for param in tree.commands["audit"].params for word in param.opts}
    for command in ("check", "serve"):
        own = {word for param in tree.commands[command].params for word in param.opts} - shared
        assert [word for word in own if word not in page] == [], command


@pytest.mark.parametrize("kind", registry.kinds())
def test_every_protection_has_its_line_in_the_page_of_its_platform(kind: str) -> None:
    folder = ROOT / "snapaudit/hypervisors" / kind
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    words = set(re.findall(r'(?:yield |_PROTECTION = |yield from \()f?"([a-z-]+): ', source))
    documented = set(re.findall(r"`([a-z-]+)`", page_of(kind).split("## What protects")[1]))
    assert "busy" in words
    assert words <= documented


def test_every_number_of_a_promise_is_explained_in_the_page_on_safety() -> None:
    explained = set(re.findall(r"^- ((?:INV|GRD|TST)-\d\d): ", SAFETY, re.MULTILINE))
    sources = [*(ROOT / "snapaudit").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = re.findall(r"\b(INV|GRD|TST)-(\d\d)\b", text)
    named += re.findall(r"_(inv|grd|tst)_(\d\d)(?=_)", text)
    numbers = {f"{kind.upper()}-{number}" for kind, number in named}
    assert len(numbers) > 50
    assert sorted(numbers - explained) == []
    counts = {
        kind: sum(one.startswith(kind) for one in explained) for kind in ("INV", "GRD", "TST")
    }
    assert counts == {"INV": 25, "GRD": 37, "TST": 17}


def test_every_guard_is_explained_with_its_way_out() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (.+) \|$", SAFETY, re.MULTILINE)
    explained = {name for name, forbids, way_out in rows if min(len(forbids), len(way_out)) > 20}
    assert {str(guard) for guard in Guard} <= explained


def test_every_event_of_the_journal_is_explained() -> None:
    explained = set(re.findall(r"^\| `([a-z_]+)` \| ", SAFETY, re.MULTILINE))
    assert {str(event) for event in Event} <= explained


def test_every_fault_is_told() -> None:
    told = re.findall(r"\b([IURPBSC]\d{1,2})\b", SAFETY.split("## What can go wrong")[1])
    matrix = (ROOT / "tests/faults/matrix.yaml").read_text(encoding="utf-8")
    rows = re.findall(r"^([IURPBSC]\d+):$", matrix, re.MULTILINE)
    assert set(rows) <= set(told)


def test_limits_are_told_as_they_are() -> None:
    limits = Limits()
    assert limits.min_free.bytes == 10 * GIB
    for line in (
        f"| least age | {limits.min_age.total_seconds() / 3600:.0f} h;",
        f"| actions in one run | {limits.max_actions} |",
        f"| share of all snapshots | {limits.max_share:.0%}".replace("%", " %"),
        f"| bytes to merge in one run | {limits.max_bytes // GIB} GiB |",
        f"the larger of 10 GiB and {limits.min_free.ratio:.0%}".replace("%", " %"),
    ):
        assert line in SAFETY, line


def test_every_exit_code_and_field_of_plans_and_runs_is_in_the_page_on_commands() -> None:
    for code in Exit:
        assert f"\n| {int(code)} |" in COMMANDS, code
    for record in (Plan, Action, Refusal, RunReport, Outcome):
        for field in fields(record):
            assert re.search(rf"\b{field.name}\b", DOCUMENTS), field.name


def test_every_field_of_checks_and_baselines_is_in_the_page_on_commands() -> None:
    about = COMMANDS.split("### Check and baseline")[1].split("### Plan")[0]
    for record in (Check, Budget, Compared, Baseline, KnownFinding, KnownEndpoint):
        for field in fields(record):
            assert field.name == "schema" or re.search(rf"\b{field.name}\b", about), field.name


def test_every_file_of_the_state_folder_is_told() -> None:
    state = State(Path())
    for path in (
        state.journal,
        state.head,
        state.lock,
        state.holds,
        state.marks,
        state.sightings,
        state.last_audit,
    ):
        assert f"`{path.name}`" in COMMANDS, path.name
    for folder in (state.plans, state.sealed):
        assert f"`{folder.name}/" in COMMANDS, folder.name


@pytest.mark.parametrize("kind", registry.kinds())
def test_every_option_of_an_endpoint_is_documented(kind: str) -> None:
    for option in registry.hypervisor(kind).options:
        assert f"`{option}" in page_of(kind), option


def test_page_about_rules_is_made_of_the_rules_and_facts_as_they_are() -> None:
    assert (ROOT / "docs/rules.md").read_bytes() == handbook.page(), "run python -m tests.handbook"


def test_every_example_in_the_page_about_rules_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (rule,) = [block for block in blocks if block.startswith("id:")]
    (conditions,) = [block for block in blocks if block.startswith("{")]
    (tmp_path / "forgotten-test.yaml").write_text(rule, encoding="utf-8")
    read = read_rule(tmp_path / "forgotten-test.yaml")
    assert try_rules((read,)).hold
    for line in conditions.splitlines():
        about = SubjectKind.VIRTUAL_MACHINE if "snapshots_" in line or "{attr" in line else None
        read_condition(parse_yaml(line, "docs/rules.md"), about or SubjectKind.SNAPSHOT)


def test_every_rule_says_why_and_what_to_do() -> None:
    policy = load_policy((), disable={}, levels={}, environments=())
    for rule in policy.rules:
        assert len(rule.why) > 20, rule.id
        assert rule.fix.endswith("."), rule.id
