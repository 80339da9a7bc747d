"""Lines: what several formats of a check say in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snapaudit.model.check import Budget, BudgetBound, Check, Checked, Status
from snapaudit.model.finding import Finding
from snapaudit.model.inventory import CoverageState
from snapaudit.report.headline import cautions, not_seen, sentence
from snapaudit.report.phrases import count, evidences, share, size
from snapaudit.report.rows import placed_name

_NAMED = 5


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by severity; within one, in their order."""
    return sorted(findings, key=lambda one: -one.severity.rank)


def place(finding: Finding) -> str:
    """``kvm1: web01 / before-upgrade``, or ``exemption EX-1``."""
    return placed_name(finding.subject)


def message(finding: Finding) -> str:
    """``stale-snapshot: kvm1: web01 / before-upgrade: age 9 days, over 7 days``."""
    return f"{finding.rule}: {place(finding)}: {evidences(finding.evidence)}"


def unseen(check: Check) -> tuple[str, ...]:
    """Everything that was to be seen and was not, with the reason."""
    return (*not_seen(check.coverage), *check.unseen)


def summary(check: Check) -> str:
    """One line behind the status: counts, view, and each budget that is not kept.

    It names every status that applies, not only the one that outranks the others.
    """
    spots = [f"view incomplete (UNKNOWN): {spot}" for spot in check.unseen[:_NAMED]]
    budgets = [
        f"budget {one.name} {one.status.upper()}"
        for one in check.budgets
        if one.status is not Status.OK
    ]
    return "; ".join((sentence(check), *spots, *budgets))


def names_unseen(check: Check) -> str:
    """The endpoints that were not seen whole, by name: ``not seen: hv1, kvm2``; else nothing."""
    names = [one.endpoint for one in check.coverage if one.state is not CoverageState.COMPLETE]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"not seen: {', '.join(names[:_NAMED])}{more}" if names else ""


def beside(checked: Checked) -> Iterator[str]:
    """What a reader has to know besides the findings: not seen, cautions, limits, news."""
    check = checked.check
    yield from (f"not seen: {spot}" for spot in unseen(check))
    yield from (one.line for one in cautions(check.coverage))
    yield from map(budget, check.budgets)
    if check.compared is not None:
        yield compared(check)
    if check.undetermined:
        yield f"undecided: {count(check.undetermined, 'question')}, since a fact is unknown"


def budget(one: Budget) -> str:
    """``budget stale snapshots: 12 of at most 10: warning``, with the reason where there is one."""
    side = "at most" if one.bound is BudgetBound.AT_MOST else "at least"
    value = "none" if one.value is None else amount(one.value, one.unit)
    why = f" ({one.reason})" if one.reason else ""
    return f"budget {one.name}: {value} of {side} {amount(one.limit, one.unit)}: {one.status}{why}"


def amount(number: float, unit: str) -> str:
    """A number of a budget as people write it."""
    if unit == "bytes":
        return size(int(number))
    if unit == "share":
        return share(number)
    return f"{number:,.1f}".removesuffix(".0")


def compared(check: Check) -> str:
    """``since the baseline of ...: 2 new, 1 worse, 3 resolved, 14 known``."""
    found = check.compared
    if found is None:
        return "not compared"
    numbers = (("new", found.new), ("worse", found.worse), ("resolved", found.resolved))
    words = ", ".join(f"{len(prints):,} {word}" for word, prints in numbers)
    return f"since {found.since}: {words}, {found.known:,} known"


def change(check: Check, finding: Finding) -> str:
    """``new``, ``worse``, ``known``, or nothing where there is nothing to compare with."""
    if check.compared is None or finding.exemption is not None:
        return ""
    if finding.fingerprint in check.compared.new:
        return "new"
    return "worse" if finding.fingerprint in check.compared.worse else "known"
