"""What ``check:`` in the configuration may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.codec.yaml import parse_yaml
from snapaudit.config.check import check
from snapaudit.errors import InputError
from snapaudit.model.budget import Allowance, BudgetKind, CheckSettings
from snapaudit.model.check import Status
from snapaudit.model.policy import Severity


def read(text: str) -> CheckSettings:
    return check(parse_yaml(text, "snapaudit.yaml"), Path("/etc/snapaudit"))


def test_limits_are_read_in_their_units_and_with_their_levels() -> None:
    found = read(
        "max_stale: {warning: 10, critical: 50}\nmax_bytes: 1GiB\nmin_days_to_full: 36h\n"
        "min_coverage: 95%\nmax_findings: {critical: 0, info: 9}\n"
    )
    kinds = BudgetKind
    assert set(found.allowances) == {
        Allowance(kind=kinds.STALE, limit=10, beyond=Status.WARNING),
        Allowance(kind=kinds.STALE, limit=50, beyond=Status.CRITICAL),
        Allowance(kind=kinds.BYTES, limit=2**30, beyond=Status.WARNING),
        Allowance(kind=kinds.DAYS_TO_FULL, limit=1.5, beyond=Status.WARNING),
        Allowance(kind=kinds.COVERAGE, limit=0.95, beyond=Status.UNKNOWN),
        Allowance(kind=kinds.FINDINGS, limit=0, beyond=Status.CRITICAL, of=Severity.CRITICAL),
        Allowance(kind=kinds.FINDINGS, limit=9, beyond=Status.WARNING, of=Severity.INFO),
    }


def test_the_baseline_lies_beside_the_configuration() -> None:
    found = read("baseline: known.json\nfail_on_new: true\ntolerance: 25%\nfail_on: critical\n")
    assert found.baseline == Path("/etc/snapaudit/known.json")
    assert (found.fail_on_new, found.tolerance, found.fail_on) == (True, 0.25, Severity.CRITICAL)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_stale: -1", "1:12: expected a whole number"),
        ("max_stale: {info: 1}", "unknown key 'info'"),
        ("max_bytes: 5", "1:12: expected a quantity with its unit"),
        ("min_coverage: 101%", "at most 100%"),
        ("min_days_to_full: 30", "expected a quantity with its unit"),
        ("max_findings: 5", "expected a mapping"),
        ("max_findings: {critcal: 5}", "did you mean 'critical'"),
        ("fail_on: crit", "did you mean 'critical'"),
        ("fail_on_new: maybe", "expected true or false"),
        ("max_stael: 5", "did you mean 'max_stale'"),
    ],
)
def test_a_mistake_names_its_place_and_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)
    assert said in str(caught.value)
    assert str(caught.value).startswith("snapaudit.yaml:1:")
