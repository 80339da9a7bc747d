"""JUnit: XML as Jenkins' xUnit schema (junit-10.xsd) has it, one suite an endpoint.

A finding that has a say is a failure, what was not seen an error, what has no say is skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from snapaudit.model.check import Checked, Status
from snapaudit.model.finding import EndpointCoverage, Finding
from snapaudit.model.inventory import CoverageState
from snapaudit.report.check.lines import budget, worst_first
from snapaudit.report.check.standing import quiet_rules
from snapaudit.report.escape import xml_text
from snapaudit.report.headline import blind_line, not_seen
from snapaudit.report.phrases import evidences
from snapaudit.report.rows import subject_name


@dataclass(frozen=True, slots=True)
class _Case:
    """One test: ``outcome`` is the element inside it, with its message; none: it passed."""

    group: str
    name: str
    outcome: str = ""
    message: str = ""
    kind: str = ""


def render(checked: Checked) -> bytes:
    """All suites; times are 0, since nothing here was timed."""
    suites = [(one.endpoint, list(_endpoint(checked, one))) for one in checked.check.coverage]
    others = {"exemptions": list(_about(checked, "")), "limits": list(_rest(checked))}
    suites += [(name, cases) for name, cases in others.items() if cases]
    all_cases = [case for _, cases in suites for case in cases]
    body = "".join(_suite(checked, name, cases) for name, cases in suites)
    numbers = _numbers(all_cases, with_skipped=False)
    head = f'<testsuites name="snapaudit" {numbers} time="0">\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{body}</testsuites>\n'.encode()


def _numbers(cases: list[_Case], *, with_skipped: bool) -> str:
    count = Counter(case.outcome for case in cases)
    text = f'tests="{len(cases)}" failures="{count["failure"]}" errors="{count["error"]}"'
    # The schema knows this number on a single suite only.
    return f'{text} skipped="{count["skipped"]}"' if with_skipped else text


def _suite(checked: Checked, name: str, cases: list[_Case]) -> str:
    numbers = _numbers(cases, with_skipped=True)
    at = f"{checked.audit.audited_at:%Y-%m-%dT%H:%M:%S}"
    head = f'  <testsuite name="{xml_text(name)}" {numbers} time="0" timestamp="{at}">\n'
    return head + "".join(_case(name, case) for case in _told_apart(cases)) + "  </testsuite>\n"


def _told_apart(cases: list[_Case]) -> Iterator[_Case]:
    """Reporting tools take tests of equal names for one: the later ones get a number."""
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases:
        seen[case.group, case.name] += 1
        number = seen[case.group, case.name]
        name = case.name if number == 1 else f"{case.name} ({number})"
        yield _Case(case.group, name, case.outcome, case.message, case.kind)


def _case(suite: str, case: _Case) -> str:
    group = f"snapaudit.{suite}.{case.group}"
    head = f'    <testcase classname="{xml_text(group)}" name="{xml_text(case.name)}" time="0"'
    if not case.outcome:
        return f"{head}/>\n"
    kind, message = xml_text(case.kind), xml_text(case.message)
    return f'{head}>\n      <{case.outcome} type="{kind}" message="{message}"/>\n    </testcase>\n'


def _endpoint(checked: Checked, one: EndpointCoverage) -> Iterator[_Case]:
    if one.state is CoverageState.COMPLETE:
        yield _Case("view", "seen whole")
    else:
        yield _Case("view", "seen whole", "error", blind_line(one), f"endpoint-{one.state}")
    for caution in one.cautions:
        yield _Case("view", caution.split(":")[0], "skipped", caution, "caution")
    yield from _about(checked, one.endpoint)


def _about(checked: Checked, endpoint: str) -> Iterator[_Case]:
    """What rules say of an endpoint; of ``""``, what they say of the exemptions."""
    for rule, unsure in quiet_rules(checked, endpoint):
        yield _Case(rule, "no finding", "skipped" if unsure else "", unsure, "undecided")
    for found in worst_first(checked.check.findings):
        if found.subject.endpoint == endpoint:
            yield _finding(checked, found)


def _finding(checked: Checked, one: Finding) -> _Case:
    words = f"{one.severity}: {evidences(one.evidence)}"
    name = subject_name(one.subject)
    if one.exemption is not None:
        return _Case(one.rule, name, "skipped", f"{words}; exempt: {one.exemption}", "exempt")
    if one.fingerprint not in checked.counting:
        return _Case(one.rule, name, "skipped", f"{words}; it has no say here", one.severity)
    return _Case(one.rule, name, "failure", words, one.severity)


def _rest(checked: Checked) -> Iterator[_Case]:
    check = checked.check
    if not any(one.state is not CoverageState.COMPLETE for one in check.coverage):
        for spot in not_seen(check.coverage):
            yield _Case("view", "something is visible", "error", spot, "nothing-seen")
    for spot in check.unseen:
        yield _Case("view", "what was chosen is visible", "error", spot, "not-seen")
    for one in check.budgets:
        outcome = {Status.OK: "", Status.UNKNOWN: "error"}.get(one.status, "failure")
        yield _Case("budget", one.name, outcome, budget(one), one.status)
