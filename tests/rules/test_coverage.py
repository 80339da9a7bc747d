from __future__ import annotations

from dataclasses import replace

from snapaudit.model.history import RunRecord
from snapaudit.model.rulebook import RuleUse
from snapaudit.report.rulebook import render_coverage
from snapaudit.rules.coverage import coverage
from snapaudit.rules.engine import audit
from tests.builders import NOW, inventory, snapshot, stray, vm
from tests.rules.test_pack import holding, phantom
from tests.rules.verdicts import policy

FLEET = inventory(
    vm("a", snapshot("s", age="4d", description="x", has_memory=None), snapshot("t", age="9d")),
    strays=(stray(),),
)
AUDIT = audit([FLEET], policy(), NOW)


def used(rule: str, *runs: RunRecord) -> RuleUse:
    told = coverage(AUDIT, policy(), runs or None)
    return next(use for use in told.rules if use.rule == rule)


def run(**matches: int) -> RunRecord:
    return RunRecord(
        id=1,
        audited_at=NOW,
        tool_version="1",
        rules_digest="",
        coverage=(),
        summary=AUDIT.summary,
        matches={name.replace("_", "-"): number for name, number in matches.items()},
    )


def test_use_counts_what_was_asked_found_and_left_open() -> None:
    stale = used("stale-snapshot")
    assert (stale.asked, stale.warning, stale.critical, stale.matched) == (2, 1, 1, 2)
    assert used("memory-snapshot").undetermined == 1
    assert (used("orphan-disk").asked, used("exemption-unused").asked) == (1, 0)


def test_phantom_in_a_chain_is_a_file_that_was_asked() -> None:
    fleet = holding(phantom())
    told = coverage(audit([fleet], policy(), NOW), policy(), None)
    assert next(use.asked for use in told.rules if use.rule == "phantom-delta") == 1


def test_rule_that_found_nothing_here_and_in_no_run_never_matched() -> None:
    assert used("long-chain").never_matched
    assert used("long-chain", run(long_chain=0)).never_matched
    remembered = used("long-chain", run(long_chain=0), run(long_chain=2), run(other=1))
    assert (remembered.runs, remembered.matched_runs) == (2, 1)
    assert not remembered.never_matched


def test_page_names_rules_that_never_matched_first_and_disabled_ones_last() -> None:
    told = coverage(AUDIT, replace(policy(), disabled=("my-rule",)), (run(long_chain=1),))
    lines = render_coverage(told, width=120, colour=False).decode().splitlines()
    assert lines[0].endswith("never matched in this view or in the 1 run of the history")
    rules = [line.split()[0] for line in lines[3:-1]]
    idle = [use.rule for use in told.rules if use.never_matched]
    assert rules[: len(idle)] == idle
    assert "long-chain" not in idle
    assert lines[-1] == "disabled: my-rule"
