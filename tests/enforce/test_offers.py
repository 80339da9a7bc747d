"""What is offered: one exempt finding keeps its snapshot, whatever the others say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from snapaudit.enforce.offers import offers
from snapaudit.model.finding import Evidence, FactValue
from snapaudit.model.policy import Mode
from snapaudit.rules import engine
from tests.builders import NOW
from tests.enforce.planning import line, pack, view, with_rule

PLACE = ("kvm1", "id-web01", "s1")


def test_inv_08_one_exempt_finding_keeps_its_snapshot_in_any_order() -> None:
    policy = with_rule("ancient-snapshot", mode=Mode.REPORT)
    found = engine.audit([view(line("web01", "40d", gib=30))], policy, NOW)
    assert PLACE in offers(found, policy, NOW).asked
    several = [one for one in found.findings if one.subject.id == "s1"]
    assert len(several) > 2
    for number in range(len(several)):
        exempt = [
            replace(one, exemption="E-1" if at == number else None)
            for at, one in enumerate(several)
        ]
        for order in permutations(exempt):
            made = offers(replace(found, findings=order), policy, NOW)
            assert PLACE not in made.asked
            assert made.silent[PLACE] == "exempt: E-1"


@pytest.mark.parametrize(
    ("value", "bound", "said"),
    [
        (timedelta(days=9), timedelta(days=7), "9d, over 7d"),
        (timedelta(hours=36), timedelta(minutes=90), "36h, over 90m"),
        (timedelta(seconds=5), timedelta(0), "5s, over 0s"),
        (0.25, 0.125, "0.25, over 0.125"),
        (("a", "b"), ("c",), "a, b, over c"),
        (7, 3, "7, over 3"),
    ],
)
def test_reason_is_written_in_whole_units(value: FactValue, bound: FactValue, said: str) -> None:
    found = engine.audit([view(line("web01", "9d"))], pack(), NOW)
    measured = (Evidence(fact="some_fact", value=value, operator="over", bound=bound),)
    stale = next(one for one in found.findings if one.rule == "stale-snapshot")
    made = offers(replace(found, findings=(replace(stale, evidence=measured),)), pack(), NOW)
    assert made.asked[PLACE].because == (f"stale-snapshot (critical): some fact {said}",)


@pytest.mark.parametrize(
    ("mode", "due_in", "said"),
    [
        (Mode.REPORT, None, "stale-snapshot only reports"),
        (Mode.MARK, None, "stale-snapshot has not announced it yet"),
        (Mode.MARK, 5, "stale-snapshot has announced it; it is due on 2026-06-06"),
        (Mode.MARK, 2, "stale-snapshot has announced it; it is due on 2026-06-03, in 2d"),
        (Mode.MARK, 0, None),
        (Mode.APPLY, None, None),
    ],
)
def test_grd_15_mode_decides_whether_a_finding_is_offered_and_the_reason_says_when(
    mode: Mode, due_in: int | None, said: str | None
) -> None:
    policy = with_rule("stale-snapshot", mode=mode, grace=timedelta(days=7))
    found = engine.audit([view(line("web01", "9d"))], policy, NOW)
    due_at = None if due_in is None else NOW + timedelta(days=due_in)
    notice_at = None if due_at is None else due_at - timedelta(days=2)
    (stale,) = [one for one in found.findings if one.rule == "stale-snapshot"]
    marked = replace(stale, due_at=due_at, notice_at=notice_at)
    made = offers(replace(found, findings=(marked,)), policy, NOW)
    assert (PLACE in made.asked) is (said is None)
    assert made.silent.get(PLACE) == said
