"""Judge: one compiled rule, asked about one scene."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from snapaudit.model.finding import Finding, Subject, Undetermined, fingerprint
from snapaudit.model.policy import Rule, Severity
from snapaudit.rules.answers import Open, Test, compile_condition
from snapaudit.rules.levels import levels_in

Judgement = Finding | Undetermined


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """A rule as it stands in one environment: its levels, worst first, and its exception."""

    rule: Rule
    levels: tuple[tuple[Severity, Test], ...]
    unless: Test | None

    def verdict(self, scene: Any) -> tuple[Severity | None, Open | None] | None:
        """The worst level that holds, and what left a worse level or the exception open.

        None: nothing to say. An exception that cannot be decided keeps the finding back, as what is
        unknown is never a match.
        """
        unsettled: Open | None = None
        for severity, test in self.levels:
            reply = test.ask(scene)
            if reply is False:
                continue
            if reply is True:
                return self._with_exception(scene, severity, unsettled)
            if unsettled is None:
                unsettled = reply
        return None if unsettled is None else self._with_exception(scene, None, unsettled)

    def _with_exception(
        self, scene: Any, severity: Severity | None, unsettled: Open | None
    ) -> tuple[Severity | None, Open | None] | None:
        if self.unless is None:
            return severity, unsettled
        reply = self.unless.ask(scene)
        if reply is True:
            return None
        return (severity, unsettled) if reply is False else (None, reply)

    def judgements(
        self, scene: Any, subject: Subject, severity: Severity | None, unsettled: Open | None
    ) -> Iterator[Judgement]:
        """The finding and the undetermined that follow from a verdict."""
        if severity is not None:
            yield Finding(
                rule=self.rule.id,
                severity=severity,
                subject=subject,
                evidence=dict(self.levels)[severity].evidence(scene),
                remedy=self.rule.remedy,
                fingerprint=fingerprint(self.rule.id, subject),
            )
        if unsettled is not None:
            yield Undetermined(
                rule=self.rule.id,
                subject=subject,
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
