from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from snapaudit.app.explaining import explain_rule
from snapaudit.errors import Place
from snapaudit.model.policy import Comparison, Mode, Policy, Remedy, Rule, Severity, SubjectKind
from snapaudit.report.modes import brief, remedy, sentence
from snapaudit.report.ruling import render_rule
from tests.builders import NOW

RULE = Rule(
    id="my-rule",
    title="A rule",
    subject=SubjectKind.SNAPSHOT,
    levels={Severity.WARNING: Comparison(fact="age", operator="over", bound=timedelta(days=3))},
    why="Because.",
    fix="Do it.",
    source=Place("my-rule.yaml"),
    environment_levels={},
)
MARK = replace(RULE, remedy=Remedy.DELETE_SNAPSHOT, mode=Mode.MARK, grace=timedelta(days=7))


def test_mode_and_grace_stand_in_few_words() -> None:
    assert (brief(RULE), brief(MARK)) == ("report", "mark 7 days")


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_is_explained_with_its_own_word(mode: Mode) -> None:
    assert sentence(replace(MARK, mode=mode)).startswith(f"{mode}: ")


def test_grd_15_page_of_a_marking_rule_says_for_how_long_it_is_announced() -> None:
    told = explain_rule(MARK, Policy(rules=(MARK,)), NOW)
    page = render_rule(told, MARK, NOW, width=200, colour=False).decode()
    assert "announced in reports for 7 days" in page
    assert "a person reviews it" in page


def test_grd_14_page_of_a_rule_says_whether_memory_is_meant() -> None:
    assert remedy(RULE) == "none: a person decides"
    assert remedy(MARK) == "delete snapshot, but none that holds memory"
    assert remedy(replace(MARK, with_memory=True)) == "delete snapshot, with or without memory"
    assert remedy(replace(MARK, remedy=Remedy.CONSOLIDATE)) == "consolidate"


def test_grd_15_page_of_a_marking_rule_says_when_it_is_announced_once_more() -> None:
    said = sentence(replace(MARK, notice=timedelta(days=2)))
    assert "announced in reports for 7 days, once more 2 days before" in said
