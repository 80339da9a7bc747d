from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from snapaudit.errors import Place
from snapaudit.model.policy import (
    All,
    AnyOf,
    Bound,
    Case,
    Comparison,
    Environment,
    Mode,
    Policy,
    Rule,
    Severity,
)
from snapaudit.rules.digest import digest
from snapaudit.rules.loader import builtin_folder, load_policy

PROGRAM = """
from snapaudit.model.policy import Environment
from snapaudit.rules.digest import digest
from snapaudit.rules.loader import load_policy
words = frozenset({"prod", "core", "db", "mail", "web"})
site = Environment(name="prod", tags=words, ids=words, endpoints=words)
print(digest(load_policy((), disable={}, levels={}, environments=(site,))))
"""
PROD = Environment(name="prod", tags=frozenset({"prod"}))
LAB = Environment(name="lab", tags=frozenset({"lab"}))


def policy() -> Policy:
    return load_policy((), disable={}, levels={}, environments=(PROD, LAB))


def with_first(change: Callable[[Rule], Rule]) -> Policy:
    whole = policy()
    return replace(whole, rules=(change(whole.rules[0]), *whole.rules[1:]))


def _digest_in_another_process(seed: str) -> str:
    environ = {**os.environ, "PYTHONHASHSEED": seed}
    called = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=True
    )
    return called.stdout.strip()


def test_tst_15_digest_is_the_same_whatever_the_seed_of_hashes() -> None:
    found = {_digest_in_another_process(seed) for seed in ("0", "1", "2", "4711")}
    assert len(found) == 1
    assert len(found.pop()) == 64


def test_digest_does_not_know_where_a_rule_stands(tmp_path: Path) -> None:
    for file in builtin_folder().iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    copied = load_policy((tmp_path,), disable={}, levels={}, environments=(PROD, LAB))
    assert copied.rules[0].source != policy().rules[0].source
    assert digest(copied) == digest(policy())


def test_digest_does_not_know_in_which_order_rules_were_read() -> None:
    whole = policy()
    assert digest(replace(whole, rules=whole.rules[::-1])) == digest(whole)


def test_digest_knows_the_order_of_environments_since_the_first_match_wins() -> None:
    assert digest(replace(policy(), environments=(LAB, PROD))) != digest(policy())


AGE = Comparison(fact="age", operator="over", bound=timedelta(seconds=1))
CHANGES: dict[str, Callable[[Rule], Rule]] = {
    "mode": lambda rule: replace(rule, mode=Mode.REPORT),
    "grace": lambda rule: replace(rule, grace=timedelta(days=7)),
    "notice": lambda rule: replace(rule, notice=timedelta(days=2)),
    "memory": lambda rule: replace(rule, with_memory=not rule.with_memory),
    "remedy": lambda rule: replace(rule, remedy=None),
    "exception": lambda rule: replace(rule, unless=None),
    "level": lambda rule: replace(rule, levels={Severity.WARNING: AGE}),
    "grade": lambda rule: replace(rule, levels={Severity.INFO: AGE}),
    "place": lambda rule: replace(rule, environment_levels={"lab": {Severity.INFO: AGE}}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_inv_10_digest_changes_with_whatever_decides(change: str) -> None:
    assert digest(with_first(CHANGES[change])) != digest(policy())


def test_inv_10_digest_knows_what_is_switched_off_and_where_machines_belong() -> None:
    whole = policy()
    assert digest(replace(whole, disabled=("long-chain",))) != digest(whole)
    moved = replace(PROD, tags=frozenset({"production"}))
    assert digest(replace(whole, environments=(moved, LAB))) != digest(whole)


def test_digest_tells_all_from_any() -> None:
    def judged(group: type[All] | type[AnyOf]) -> str:
        return digest(with_first(lambda rule: replace(rule, unless=group(parts=(AGE, AGE)))))

    assert judged(All) != judged(AnyOf)


@pytest.mark.parametrize("bounds", [(True, 1), (1, 1.0), (timedelta(microseconds=1), 1)])
def test_digest_tells_bounds_of_different_types_apart(bounds: tuple[Bound, Bound]) -> None:
    def judged(bound: Bound) -> str:
        one = replace(AGE, bound=bound)
        return digest(with_first(lambda rule: replace(rule, levels={Severity.INFO: one})))

    assert judged(bounds[0]) != judged(bounds[1])


def test_cases_and_places_of_bounds_are_left_out_since_they_decide_nothing() -> None:
    case = Case(
        given=(), severity=None, is_undetermined=True, environment=None, source=Place("x", 1)
    )
    assert digest(with_first(lambda rule: replace(rule, cases=(case,)))) == digest(policy())
    moved = replace(AGE, source=Place("x", 1))
    told = digest(with_first(lambda rule: replace(rule, unless=moved)))
    assert told == digest(with_first(lambda rule: replace(rule, unless=AGE)))


def test_place_is_left_out_even_when_it_changes() -> None:
    assert digest(with_first(lambda rule: replace(rule, source=Place("x", 1)))) == digest(policy())
