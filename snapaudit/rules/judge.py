"""Judge: one compiled rule, asked about many scenes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress, count
from typing import NamedTuple

from snapaudit.model.finding import Finding, Undetermined, fingerprint
from snapaudit.model.policy import Rule, Severity
from snapaudit.rules.answers import Open, Reply, Test, compile_condition
from snapaudit.rules.columns import Columns
from snapaudit.rules.levels import levels_in

Judgement = Finding | Undetermined


class Verdict(NamedTuple):
    """What a rule says about one row: the worst level that holds, and what could not be decided.

    ``unsettled`` is what left a worse level or the exception open.
    """

    row: int
    test: Test | None
    severity: Severity | None
    unsettled: Open | None


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """A rule as it stands in one environment: its levels, worst first, and its exception."""

    rule: Rule
    levels: tuple[tuple[Severity, Test], ...]
    unless: Test | None

    def verdicts(self, columns: Columns) -> Iterator[Verdict]:
        """A verdict for each row about which there is something to say."""
        replies = [columns.replies(test.ask) for _, test in self.levels]
        # No is False, and an open reply counts as true: what is neither is of no interest.
        rows = {row for column in replies for row in compress(count(), column)}
        exceptions = columns.replies(self.unless.ask) if self.unless and rows else None
        for row in sorted(rows):
            exception = exceptions[row] if exceptions else False
            if exception is not True:
                yield self._verdict(row, [column[row] for column in replies], exception)

    def _verdict(self, row: int, replies: list[Reply], exception: Reply) -> Verdict:
        """An exception left open keeps the finding back: what is unknown is never a match."""
        if isinstance(exception, Open):
            return Verdict(row, None, None, exception)
        unsettled: Open | None = None
        for (severity, test), reply in zip(self.levels, replies, strict=True):
            if reply is True:
                return Verdict(row, test, severity, unsettled)
            if isinstance(reply, Open) and unsettled is None:
                unsettled = reply
        return Verdict(row, None, None, unsettled)

    def judgements(self, columns: Columns) -> Iterator[Judgement]:
        """The findings and undetermined that follow from the verdicts."""
        for verdict in self.verdicts(columns):
            if verdict.severity is not None and verdict.test is not None:
                yield self._finding(columns, verdict.row, verdict.severity, verdict.test)
            if verdict.unsettled is not None:
                yield self._undetermined(columns, verdict.row, verdict.unsettled)

    def _finding(self, columns: Columns, row: int, severity: Severity, test: Test) -> Finding:
        subject = columns.subject(row)
        return Finding(
            rule=self.rule.id,
            severity=severity,
            subject=subject,
            evidence=test.evidence(columns, row),
            remedy=self.rule.remedy,
            fingerprint=fingerprint(self.rule.id, subject),
        )

    def _undetermined(self, columns: Columns, row: int, unsettled: Open) -> Undetermined:
        return Undetermined(
            rule=self.rule.id,
            subject=columns.subject(row),
            fact=unsettled.fact,
            reason=unsettled.reason,
        )


def judge_of(rule: Rule, environment: str | None) -> Judge:
    """The rule, compiled for the machines of an environment."""
    levels = sorted(levels_in(rule, environment).items(), key=lambda item: -item[0].rank)
    return Judge(
        rule=rule,
        levels=tuple((grade, compile_condition(cond, rule.subject)) for grade, cond in levels),
        unless=compile_condition(rule.unless, rule.subject) if rule.unless else None,
    )
