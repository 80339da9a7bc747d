from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.model.rulebook import CaseResult
from snapaudit.report.rulebook import render_tests
from snapaudit.rules.rulefile import read_rule
from snapaudit.rules.trial import try_rules
from tests.rules.test_loader import GOOD
from tests.rules.verdicts import policy


def tried(folder: Path, cases: str, rule: str = GOOD) -> tuple[CaseResult, ...]:
    path = folder / "my-rule.yaml"
    path.write_text(f"{rule}cases:\n{cases}", encoding="utf-8")
    return try_rules((read_rule(path),)).results


def test_every_rule_of_the_pack_answers_as_its_cases_say() -> None:
    tests = try_rules(policy().rules)
    assert tests.without_cases == ()
    assert [result for result in tests.results if not result.holds] == []


def test_every_level_of_every_rule_of_the_pack_has_a_case() -> None:
    for rule in policy().rules:
        proven = {(case.environment, case.severity) for case in rule.cases}
        assert {(None, grade) for grade in rule.levels} <= proven, rule.id
        assert (None, None) in proven, rule.id
        for environment, levels in rule.environment_levels.items():
            assert {(environment, grade) for grade in levels} <= proven, rule.id


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("{given: {age: 4d}, expect: none}", ("warning",)),
        ("{given: {age: 3d}, expect: warning}", ("none",)),
        ("{given: {}, expect: none}", ("undetermined",)),
        ("{given: {age: {at_least: 4d}}, expect: none}", ("warning",)),
        ("{given: {age: {at_least: 2d}}, expect: none}", ("undetermined",)),
    ],
)
def test_case_that_does_not_hold_says_what_was_found(
    tmp_path: Path, case: str, found: tuple[str, ...]
) -> None:
    (result,) = tried(tmp_path, f"  - {case}\n")
    assert not result.holds
    assert result.found == found
    assert result.origin == f"{tmp_path / 'my-rule.yaml'}:9"


def test_fact_that_is_not_given_is_unknown_and_named(tmp_path: Path) -> None:
    (result,) = tried(tmp_path, "  - {given: {}, expect: undetermined}\n")
    assert result.holds
    assert result.undetermined == "age: the case does not give it"


def test_warning_beside_an_open_worse_level_is_expected_as_both(tmp_path: Path) -> None:
    rule = GOOD.replace("{age: {over: 3d}}", "{size: {over: 1GB}}\n  critical: {size: {over: 9GB}}")
    case = "{given: {size: {at_least: 2GB}}, expect: %s}"
    lines = "".join(f"  - {case % word}\n" for word in ("[warning, undetermined]", "warning"))
    assert [result.holds for result in tried(tmp_path, lines, rule)] == [True, False]


def test_environment_of_a_case_chooses_its_levels(tmp_path: Path) -> None:
    rule = f"{GOOD}environments: {{prod: {{warning: {{age: {{over: 1d}}}}}}}}\n"
    case = "  - {given: {age: 2d}, environment: prod, expect: warning}\n"
    (result,) = tried(tmp_path, case, rule)
    assert result.holds


def test_attribute_is_given_under_its_own_name(tmp_path: Path) -> None:
    rule = GOOD.replace("{age: {over: 3d}}", "{vm_attribute: {name: owner, is: ops}}")
    cases = "".join(
        f"  - {{given: {{vm_attribute(owner): {owner}}}, expect: {word}}}\n"
        for owner, word in (("ops", "warning"), ("dev", "none"))
    )
    assert all(result.holds for result in tried(tmp_path, cases, rule))


def test_page_shows_what_failed_and_names_rules_without_cases(tmp_path: Path) -> None:
    tried(tmp_path, "  - {given: {age: 4d}, expect: none}\n")
    failing = read_rule(tmp_path / "my-rule.yaml")
    (tmp_path / "my-rule.yaml").write_text(GOOD, encoding="utf-8")
    tests = try_rules((failing, read_rule(tmp_path / "my-rule.yaml")))
    page = render_tests(tests, width=100, colour=False).decode()
    lines = [" ".join(line.split()) for line in page.splitlines()]
    assert {"given {age: 4d}", "expected none", "found warning"} <= set(lines)
    assert lines[-2:] == ["no cases: my-rule", "0 of 1 case hold"]
