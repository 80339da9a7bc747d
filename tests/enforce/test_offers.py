"""What is offered: one exempt finding keeps its snapshot, whatever the others say."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from snapaudit.enforce.offers import offers
from snapaudit.model.policy import Mode
from snapaudit.rules import engine
from tests.builders import NOW
from tests.enforce.planning import line, view, with_rule

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
