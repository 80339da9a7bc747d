from __future__ import annotations

import json

import pytest

from snapaudit.errors import UsageError
from snapaudit.model.check import Budget, Status, verdict
from snapaudit.model.finding import Audit, Finding
from snapaudit.model.inventory import Coverage, CoverageState
from snapaudit.model.policy import Severity
from snapaudit.report.check.formats import render_check
from snapaudit.report.formats import render_audit
from tests.builders import inventory, vm
from tests.report.records import aged, audit_of, checked, finding, on_snapshot

WARNING = finding("stale-snapshot", Severity.WARNING, on_snapshot("web01", "a"), aged("5d", "3d"))
CRITICAL = finding("stale-snapshot", Severity.CRITICAL, on_snapshot("web02", "b"), aged("9d", "7d"))
INFO = finding("note", Severity.INFO, on_snapshot("web03", "c"), aged("9d", "7d"))


def seen(*findings: Finding, state: CoverageState = CoverageState.COMPLETE) -> Audit:
    coverage = Coverage(state=state, reason=None if state is CoverageState.COMPLETE else "cut")
    return audit_of(inventory(vm(), coverage=coverage), findings=findings)


@pytest.mark.parametrize(
    ("audit", "status", "code"),
    [
        (seen(), Status.OK, 0),
        (seen(INFO), Status.OK, 0),
        (seen(WARNING), Status.WARNING, 1),
        (seen(WARNING, CRITICAL), Status.CRITICAL, 2),
        (seen(state=CoverageState.PARTIAL), Status.UNKNOWN, 3),
        (seen(WARNING, state=CoverageState.SUSPICIOUS), Status.UNKNOWN, 3),
        (seen(CRITICAL, state=CoverageState.MISSING), Status.CRITICAL, 2),
        (audit_of(), Status.UNKNOWN, 3),
        (audit_of(inventory()), Status.UNKNOWN, 3),
    ],
)
def test_critical_outranks_unknown_outranks_warning_outranks_ok(
    audit: Audit, status: Status, code: int
) -> None:
    check = verdict(audit)
    assert (check.status, check.exit_code) == (status, code)


def test_warnings_pass_when_only_critical_shall_fail() -> None:
    assert verdict(seen(WARNING), fail_on=Severity.CRITICAL).status is Status.OK
    assert verdict(seen(CRITICAL), fail_on=Severity.CRITICAL).status is Status.CRITICAL


def test_an_exempt_finding_counts_for_nothing_and_is_still_told() -> None:
    accepted = finding(
        "stale-snapshot", Severity.CRITICAL, on_snapshot("web02", "b"), exemption="until May"
    )
    result = checked(seen(accepted))
    assert result.check.status is Status.OK
    assert result.check.counts.critical == 0
    assert "1 exempt" in render_check(result, "text").decode()


def test_a_crossed_budget_has_a_say() -> None:
    budget = Budget(name="findings", value=9, limit=5, status=Status.WARNING)
    result = checked(seen(), budgets=(budget,))
    assert result.check.status is Status.WARNING
    assert "budget findings: 9 of at most 5" in render_check(result, "text").decode()


def test_the_text_names_critical_and_unknown_both() -> None:
    text = render_check(checked(seen(CRITICAL, state=CoverageState.MISSING)), "text").decode()
    assert text.startswith("CRITICAL: 1 critical; view incomplete (UNKNOWN): 0 of 1 endpoint")
    assert "not seen: kvm1 is missing: cut" in text


def test_the_json_of_a_check_holds_what_the_contract_names() -> None:
    document = json.loads(render_check(checked(seen(WARNING)), "json"))
    assert set(document) == {
        "schema", "status", "exit_code", "counts", "coverage", "findings", "budgets",
        "undetermined", "unseen", "compared",
    }  # fmt: skip
    assert document["schema"] == "snapaudit/check@1"
    assert document["counts"] == {"info": 0, "warning": 1, "critical": 0}


def test_an_unknown_format_names_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"'markdwon' \(did you mean 'markdown'\?\).*table, json"):
        render_audit(seen(), "markdwon")
    with pytest.raises(UsageError, match="text, nagios"):
        render_check(checked(seen()), "yaml")
