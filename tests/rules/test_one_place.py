"""What a change costs: one line, one file; for a fact, one function (``test_facts.py``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.app.rulebook import handbook
from snapaudit.codec.yaml import parse_yaml
from snapaudit.model.policy import Policy
from snapaudit.report.handbook import render
from snapaudit.rules.digest import digest
from snapaudit.rules.engine import audit
from snapaudit.rules.loader import builtin_folder, load_policy
from snapaudit.rules.patterns import LONGEST_TEXT
from snapaudit.rules.purposes import classifier as classifying
from snapaudit.rules.purposes.lexicon import _FOLDER, read_words
from snapaudit.rules.staging import stage
from snapaudit.rules.trial import try_rules
from tests.builders import NOW, inventory, snapshot, vm
from tests.rules.test_loader import GOOD, PROD, levels, written
from tests.rules.verdicts import policy

FLEET = inventory(vm("web01", snapshot(age="2d")), vm("old", snapshot(age="6d")))


def graded(site: Policy, rule: str) -> dict[str, str]:
    findings = audit([FLEET], site, NOW).findings
    return {str(one.subject.vm_name): str(one.severity) for one in findings if one.rule == rule}


def test_changing_a_threshold_touches_one_line_of_its_rule_file(tmp_path: Path) -> None:
    text = (builtin_folder() / "stale-snapshot.yaml").read_text("utf-8")
    line = "  warning: {age: {over: 3d}}\n"
    assert text.count(line) == 1
    folder = written(tmp_path, text.replace(line, line.replace("3d", "1d")), "stale-snapshot.yaml")
    site = load_policy([folder], disable={}, levels={}, environments=(PROD,))
    assert graded(policy(), "stale-snapshot") == {"old": "warning"}
    assert graded(site, "stale-snapshot") == {"old": "warning", "web01": "warning"}


def test_changing_a_threshold_for_a_site_touches_one_line_of_its_configuration() -> None:
    line = "stale-snapshot: {default: {critical: 5d}}"
    site = load_policy((), disable={}, levels=levels(line), environments=())
    assert graded(site, "stale-snapshot") == {"old": "critical"}


def test_adding_a_rule_adds_one_file_and_all_that_tells_of_rules_knows_it(tmp_path: Path) -> None:
    text = f"{GOOD}cases: [{{given: {{age: 4d}}, expect: warning}}]\n"
    site = load_policy([written(tmp_path, text)], disable={}, levels={}, environments=())
    assert graded(site, "my-rule") == {"old": "warning"}
    assert len(site.rules) == len(policy().rules) + 1
    assert "my-rule" in {result.rule for result in try_rules(site.rules).results}
    assert "### my-rule" in render(handbook(site)).decode()
    assert digest(site) != digest(load_policy((), disable={}, levels={}, environments=()))


def test_adding_a_language_adds_one_file_of_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def purpose() -> str:
        monkeypatch.setattr(classifying, "read_words", lambda: read_words(tmp_path))
        fleet = inventory(vm("a", snapshot("qorvath brunda", age="1d")))
        (scene,) = stage(fleet, NOW, classifying.Classifier()).snapshots
        return str(scene.reading.purpose)

    for file in _FOLDER.glob("*.yaml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert purpose() == "unknown"
    (tmp_path / "tlh.yaml").write_text("language: tlh\nbefore: qorvath\nchange: brunda\n")
    assert purpose() == "change_safety"


@pytest.mark.parametrize("name", ["a" * 2**20, "a" * 60_000 + "!", "\x00\u202e" * 30_000])
@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|aa)+$", "(.*a){12}x", "[^!]*!"])
def test_no_pattern_and_no_name_hangs_the_rules(tmp_path: Path, name: str, pattern: str) -> None:
    text = GOOD.replace("{age: {over: 3d}}", f"{{name: {{matches: '{pattern}'}}}}")
    assert parse_yaml(text, "x")
    site = load_policy([written(tmp_path, text)], disable={}, levels={}, environments=())
    result = audit([inventory(vm(name, snapshot(name, description=name)))], site, NOW)
    said = {found.rule for found in result.findings} | {item.rule for item in result.undetermined}
    matches = pattern == "[^!]*!" and "!" in name
    assert ("my-rule" in said) is (len(name) > LONGEST_TEXT or matches)
