from __future__ import annotations

from pathlib import Path

from snapaudit.model.policy import Policy
from snapaudit.model.rulebook import ResolvedRule
from snapaudit.report.rulebook import render_resolved
from snapaudit.rules.loader import load_policy
from snapaudit.rules.resolved import resolve
from tests.rules.test_loader import GOOD, PROD, levels, rule_of, written


def site(tmp_path: Path) -> Policy:
    own = written(tmp_path / "mine", GOOD)
    wanted = levels("stale-snapshot: {prod: {warning: 12h}}")
    return load_policy([own], disable={}, levels=wanted, environments=(PROD,))


def told(policy: Policy, rule: str) -> dict[str, dict[str, tuple[str, tuple[str, ...]]]]:
    resolved: ResolvedRule = resolve(rule_of(policy, rule), policy)
    return {
        environment.name: {
            str(level.severity): (level.condition.written, level.condition.origins)
            for level in environment.levels
        }
        for environment in resolved.environments
    }


def test_every_level_names_the_file_and_line_its_value_comes_from(tmp_path: Path) -> None:
    stale = told(site(tmp_path), "stale-snapshot")
    assert stale["default"]["warning"] == (
        "{age: {over: 3d}}",
        ("built-in stale-snapshot.yaml:5",),
    )
    assert stale["prod"]["warning"] == ("{age: {over: 12h}}", ("snapaudit.yaml:1",))
    assert stale["prod"]["critical"] == (
        "{age: {over: 3d}}",
        ("built-in stale-snapshot.yaml:10",),
    )


def test_level_of_a_sites_own_rule_names_the_sites_file(tmp_path: Path) -> None:
    mine = told(site(tmp_path), "my-rule")
    assert list(mine) == ["default", "prod"]
    assert mine["prod"]["warning"][1] == (f"{tmp_path / 'mine' / 'my-rule.yaml'}:5",)


def test_environment_that_only_the_rule_knows_is_shown_as_not_configured() -> None:
    policy = load_policy((), disable={}, levels={}, environments=())
    resolved = resolve(rule_of(policy, "stale-snapshot"), policy)
    assert [(one.name, one.is_configured) for one in resolved.environments] == [
        ("default", True),
        ("prod", False),
    ]


def test_page_shows_condition_and_origin_and_the_exception(tmp_path: Path) -> None:
    policy = site(tmp_path)
    rule = rule_of(policy, "stale-snapshot")
    page = render_resolved(resolve(rule, policy), rule, width=100, colour=False).decode()
    lines = [line.strip() for line in page.splitlines()]
    assert "warning   {age: {over: 12h}}" in lines
    assert lines[lines.index("warning   {age: {over: 12h}}") + 1] == "snapaudit.yaml:1"
    assert any(line.startswith("unless    {proven_purpose: {in: [") for line in lines)
