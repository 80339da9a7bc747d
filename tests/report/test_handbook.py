from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from snapaudit.app.rulebook import handbook
from snapaudit.report.escape import markdown_code
from snapaudit.report.handbook import BOUNDS, render
from snapaudit.rules.facts import BoundType, all_facts
from snapaudit.rules.loader import load_policy
from tests.rules.test_loader import GOOD, written
from tests.rules.verdicts import policy


def test_every_rule_and_every_own_fact_has_its_line() -> None:
    page = render(handbook(policy())).decode()
    for rule in policy().rules:
        assert f"\n### {rule.id}\n" in page
    for fact in all_facts():
        assert (f"\n| `{fact.name}` | {fact.bound_type}" in page) is (fact.of is None), fact.name
    assert "{{" not in page


def test_every_type_of_fact_says_how_its_bound_is_written() -> None:
    assert set(BOUNDS) == set(BoundType)


def test_rule_of_a_site_stands_in_the_handbook_of_the_site(tmp_path: Path) -> None:
    own = GOOD.replace("title: A rule", "title: 'A | rule <b>'")
    site = load_policy([written(tmp_path, own)], disable={}, levels={}, environments=())
    page = render(handbook(site)).decode()
    assert "| [my-rule](#my-rule) | snapshot | report | A \\| rule &lt;b&gt; |" in page
    assert "| `default` | warning | `{age: {over: 3d}}` |" in page


def test_rule_without_exception_and_cases_has_no_empty_tables() -> None:
    (rule,) = [rule for rule in policy().rules if rule.id == "stale-snapshot"]
    bare = replace(rule, unless=None, cases=())
    page = render(handbook(replace(policy(), rules=(bare,)))).decode()
    assert "#### Levels" in page
    assert "#### Cases" not in page
    assert "- Unless" not in page


def test_code_in_a_cell_ends_neither_the_code_nor_the_cell() -> None:
    assert markdown_code("a|b") == "`a\\|b`"
    assert markdown_code("a`b``c") == "``` a`b``c ```"
