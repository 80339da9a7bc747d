"""What ``check:`` says: the level from which on a finding counts, budgets, and the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from snapaudit.codec import expect
from snapaudit.codec.yaml import Node
from snapaudit.errors import InputError
from snapaudit.model.budget import GROWTH_TOLERANCE, Allowance, BudgetKind, CheckSettings
from snapaudit.model.check import Status
from snapaudit.model.policy import Severity

KEYS = ("fail_on", "baseline", "fail_on_new", "tolerance", *(str(kind) for kind in BudgetKind))
GRADES = ("warning", "critical")
ONE_DAY = 86400


def check(node: Node, folder: Path) -> CheckSettings:
    """The settings that are written, over the defaults for the others."""
    found = expect.mapping(node, KEYS)
    return CheckSettings(
        allowances=tuple(_allowances(found)),
        fail_on=expect.optional(found, "fail_on", lambda at: expect.word(at, Severity), None),
        baseline=expect.optional(found, "baseline", lambda at: expect.path(at, folder), None),
        fail_on_new=expect.optional(found, "fail_on_new", expect.boolean, False),
        tolerance=expect.optional(found, "tolerance", expect.ratio, GROWTH_TOLERANCE),
    )


def beyond(kind: BudgetKind, grade: Severity | None) -> Status:
    """What a check says past a limit.

    A view that is not whole is unknown, not bad, unless a level is named; all else is a warning.
    """
    if grade is Severity.CRITICAL:
        return Status.CRITICAL
    return Status.UNKNOWN if kind is BudgetKind.COVERAGE and grade is None else Status.WARNING


def _allowances(found: Mapping[str, Node]) -> Iterator[Allowance]:
    for kind in BudgetKind:
        node = found.get(kind)
        if node is None:
            continue
        if kind is BudgetKind.FINDINGS:
            for word, limit in expect.mapping(node, tuple(Severity)).items():
                severity = Severity(word)
                yield Allowance(
                    kind=kind, limit=expect.integer(limit), beyond=beyond(kind, severity),
                    of=severity,
                )  # fmt: skip
        else:
            yield from _graded(kind, node)


def _graded(kind: BudgetKind, node: Node) -> Iterator[Allowance]:
    """One limit, or one for each level: ``10``, or ``{warning: 10, critical: 50}``."""
    read = _LIMITS[kind]
    if not isinstance(node.value, dict):
        yield Allowance(kind=kind, limit=read(node), beyond=beyond(kind, None))
        return
    for word, limit in expect.mapping(node, GRADES).items():
        grade = Severity(word)
        yield Allowance(kind=kind, limit=read(limit), beyond=beyond(kind, grade))


def _days(node: Node) -> float:
    return expect.duration(node).total_seconds() / ONE_DAY


def _share(node: Node) -> float:
    ratio = expect.ratio(node)
    if ratio > 1:
        raise InputError(node.place, f"expected a share of at most 100%, found {node.value}")
    return ratio


_LIMITS: Mapping[BudgetKind, Callable[[Node], float]] = {
    BudgetKind.STALE: expect.integer,
    BudgetKind.BYTES: expect.size,
    BudgetKind.NEW: expect.integer,
    BudgetKind.DAYS_TO_FULL: _days,
    BudgetKind.COVERAGE: _share,
}
