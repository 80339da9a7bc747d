"""SARIF, JUnit, GitLab's list, GitHub's commands and TAP, each read by somebody else's rules."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from snapaudit.model.check import Budget, Checked, Status
from snapaudit.model.finding import Subject
from snapaudit.model.policy import Severity, SubjectKind
from snapaudit.report.check import sarif
from snapaudit.report.check.formats import render_check
from snapaudit.report.check.listing import listing
from snapaudit.report.escape import plain
from tests.beds.checkers import prove_said, xmllint_said
from tests.report.check.audits import NAMES, against, complete, example, hostile, large
from tests.report.records import aged, audit_of, checked, finding, on_snapshot

SCHEMAS = Path(__file__).parent / "schemas"
BUDGET = Budget(name="coverage", value=0.5, limit=0.9, status=Status.UNKNOWN, unit="share")
MADE: dict[str, Callable[[], Checked]] = {
    "example": lambda: example(budgets=(BUDGET,), compared=against(new=("a",), known=3)),
    "complete": complete,
    "empty": lambda: checked(audit_of()),
    "hostile": hostile,
    "large": large,
}


def valid(document: Any, schema: str) -> None:
    rules = json.loads((SCHEMAS / schema).read_text())
    jsonschema.Draft202012Validator(rules).validate(document)


def sarif_of(result: Checked) -> Any:
    return json.loads(render_check(result, "sarif"))


# SARIF ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_sarif_keeps_to_its_schema(name: str) -> None:
    valid(sarif_of(MADE[name]()), "sarif-as-written.json")


def test_sarif_carries_each_rule_with_why_and_what_to_do() -> None:
    driver = sarif_of(example())["runs"][0]["tool"]["driver"]
    stale = next(rule for rule in driver["rules"] if rule["id"] == "stale-snapshot")
    assert stale["defaultConfiguration"] == {"level": "error"}
    assert "no backup" in stale["fullDescription"]["text"]
    assert "Delete it once" in stale["help"]["text"]


def test_sarif_results_point_to_their_rule_and_to_the_line_of_their_object() -> None:
    result = example()
    run = sarif_of(result)["runs"][0]
    lines = listing(result.audit).lines
    for one in run["results"]:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
        place = one["locations"][0]
        about = place["logicalLocations"][0]
        line = lines[place["physicalLocation"]["region"]["startLine"] - 1]
        is_a_machines_file = about["kind"] == "file" and line.startswith("virtual-machine")
        assert about["name"] in line or is_a_machines_file


def test_sarif_says_that_the_view_was_not_whole_and_names_the_endpoint() -> None:
    call = sarif_of(example())["runs"][0]["invocations"][0]
    assert call["executionSuccessful"] is False
    told = [one["message"]["text"] for one in call["toolExecutionNotifications"]]
    assert any("hv1 is missing" in text for text in told)


def test_sarif_marks_what_an_exemption_accepts_and_what_is_new() -> None:
    one = finding("r", Severity.WARNING, on_snapshot("a", "b"), aged("9d", "7d"), exemption="May")
    two = finding("r", Severity.WARNING, on_snapshot("a", "c"), aged("9d", "7d"))
    results = sarif_of(complete(one, two, compared=against(new=(two.fingerprint,))))["runs"][0]
    by_print = {r["partialFingerprints"]["snapauditFinding/v1"]: r for r in results["results"]}
    assert by_print[one.fingerprint]["suppressions"][0]["justification"] == "May"
    assert by_print[two.fingerprint]["baselineState"] == "new"


def test_sarif_stays_within_what_github_takes() -> None:
    chance = random.Random(1)  # noqa: S311 - names that no compressor shortens
    letters = [chr(code) for code in range(0x4E00, 0x9F00)]
    names = ["".join(chance.choices(letters, k=300)) for _ in range(26_000)]
    found = tuple(
        finding("stale-snapshot", Severity.WARNING, on_snapshot(name, name), aged("9d", "7d"))
        for name in names
    )
    worst = finding("stale-snapshot", Severity.CRITICAL, on_snapshot("z", "z"), aged("9d", "7d"))
    body = render_check(complete(*found, worst), "sarif")
    run = json.loads(body)["runs"][0]
    assert len(run["results"]) == sarif.MOST_RESULTS == 25_000
    assert run["results"][0]["level"] == "error"  # GitHub keeps the worst; they come first
    assert all(len(rule["properties"]["tags"]) <= 20 for rule in run["tool"]["driver"]["rules"])
    told = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert "26,001 findings; only the 25,000 worst are in this file" in told
    assert len(gzip.compress(body)) < 10 * 10**6


def test_sarif_says_how_many_github_keeps() -> None:
    run = sarif_of(large(5200))["runs"][0]
    told = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert "5,200 findings; GitHub keeps the 5,000 worst of a file" in told


# JUnit ----------------------------------------------------------------------------------------


@pytest.mark.bed
@pytest.mark.parametrize("name", MADE)
def test_junit_keeps_to_the_schema_of_jenkins(name: str) -> None:
    body = render_check(MADE[name](), "junit")
    code, said = xmllint_said(body, SCHEMAS / "jenkins-junit.xsd")
    assert code == 0, said[:2000]


def _tree(result: Checked) -> ET.Element:
    return ET.fromstring(render_check(result, "junit").decode())


@pytest.mark.parametrize("name", MADE)
def test_junit_counts_what_it_holds(name: str) -> None:
    root = _tree(MADE[name]())
    for suite in root:
        held = Counter(child.tag for case in suite for child in case)
        assert int(suite.get("tests", "")) == len(suite)
        assert int(suite.get("failures", "")) == held["failure"]
        assert int(suite.get("errors", "")) == held["error"]
        assert int(suite.get("skipped", "")) == held["skipped"]
    assert int(root.get("tests", "")) == sum(len(suite) for suite in root)


def test_junit_names_no_test_twice() -> None:
    for name in ("hostile", "large", "example"):
        for suite in _tree(MADE[name]()):
            names = [(case.get("classname"), case.get("name")) for case in suite]
            assert len(set(names)) == len(names)


def test_junit_gives_every_hostile_name_back() -> None:
    names = {case.get("name", "") for case in _tree(hostile()).iter("testcase")}
    assert {f"{plain(name)} / {plain(name)}" for name in NAMES} <= names


def test_junit_passes_no_rule_where_the_view_was_not_whole() -> None:
    suites = {suite.get("name"): suite for suite in _tree(example())}
    view = suites["hv1"][0]
    assert view[0].tag == "error"
    assert "nothing answered" in view[0].get("message", "")
    assert not [case for case in suites["hv1"] if not len(case)]


# GitLab ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_gitlab_gets_its_list_with_fingerprints_of_their_own(name: str) -> None:
    issues = json.loads(render_check(MADE[name](), "gitlab"))
    valid(issues, "gitlab-codequality.json")
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints)


def test_gitlab_gets_what_was_not_seen_as_blocker() -> None:
    issues = json.loads(render_check(example(), "gitlab"))
    blockers = [one["description"] for one in issues if one["severity"] == "blocker"]
    assert any("hv1 is missing" in text for text in blockers)


# GitHub ---------------------------------------------------------------------------------------

_COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]+)")


@pytest.mark.parametrize("name", MADE)
def test_github_gets_no_more_annotations_than_it_shows(name: str) -> None:
    lines = render_check(MADE[name](), "github").decode().splitlines()
    assert not lines[0].startswith("::")
    commands = [_COMMAND.fullmatch(line) for line in lines[1:]]
    assert all(commands)
    kinds = Counter(command[1] for command in commands if command)
    assert max(kinds.values(), default=0) <= 10
    assert all(line.isprintable() for line in lines)
    for command in commands:
        assert command is not None
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", command[2] + command[3])


def test_github_is_told_how_many_more_there_are() -> None:
    text = render_check(large(), "github").decode()
    assert re.search(r"::error title=snapaudit::and 1,\d\d\d more", text)


def test_github_shows_the_missing_endpoint_in_its_first_annotation() -> None:
    first = render_check(example(), "github").decode().splitlines()[1]
    assert first.startswith("::error title=snapaudit CRITICAL::")
    assert "hv1 is missing" in first


# TAP ------------------------------------------------------------------------------------------

_POINT = re.compile(r"(not )?ok (\d+) - ((?:[^#\\]|\\\\|\\#)*?)(?: # (SKIP|TODO) (.*))?")


@pytest.mark.parametrize("name", MADE)
def test_tap_follows_its_grammar(name: str) -> None:
    lines = render_check(MADE[name](), "tap").decode().splitlines()
    assert lines[0] == "TAP version 13"
    count = int(lines[1].removeprefix("1.."))
    points = [_POINT.fullmatch(line) for line in lines[2 : 2 + count]]
    assert [int(point[2]) for point in points if point] == list(range(1, count + 1))
    assert all(line.startswith("# ") for line in lines[2 + count :])


@pytest.mark.bed
@pytest.mark.parametrize("name", MADE)
def test_perls_harness_reads_the_same_verdict(name: str, tmp_path: Path) -> None:
    result = MADE[name]()
    code, said = prove_said(render_check(result, "tap"), tmp_path)
    assert "Parse errors" not in said
    assert (code == 0) == (result.check.status is Status.OK), said[-600:]


def test_tap_passes_no_rule_where_the_view_was_not_whole() -> None:
    for line in render_check(example(), "tap").decode().splitlines():
        if line.startswith("ok"):
            assert "# SKIP the view is not whole" in line


def test_what_is_said_of_exemptions_is_told_by_every_list_of_tests() -> None:
    about = Subject(kind=SubjectKind.EXEMPTION, endpoint="", id="EX-1", name="EX-1")
    result = complete(finding("exemption-expired", Severity.WARNING, about))
    suites = {suite.get("name"): suite for suite in _tree(result)}
    failed = [case.get("name") for case in suites["exemptions"] if case.find("failure") is not None]
    assert failed == ["EX-1"]
    assert not [c for c in suites["kvm1"] if "exemption" in c.get("classname", "")]
    assert b"not ok" in render_check(result, "tap")
