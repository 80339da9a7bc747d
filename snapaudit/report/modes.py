"""Modes: how far a rule's findings go, in few words and in a sentence."""

from __future__ import annotations

from snapaudit.model.policy import Mode, Remedy, Rule
from snapaudit.report.phrases import duration, words


def brief(rule: Rule) -> str:
    """``report``, ``apply`` or ``mark 7 days``."""
    return f"{rule.mode} {duration(rule.grace)}" if rule.grace is not None else str(rule.mode)


def sentence(rule: Rule) -> str:
    """What becomes of a finding of this rule."""
    match rule.mode:
        case Mode.REPORT:
            return "report: findings are told, and never enter a plan"
        case Mode.MARK:
            span = duration(rule.grace) if rule.grace is not None else "an unknown time"
            notice = "" if rule.notice is None else f", once more {duration(rule.notice)} before"
            return (
                f"mark: findings are announced in reports for {span}{notice}; "
                "a plan offers them only after that, and a person reviews it"
            )
        case Mode.APPLY:
            return "apply: a plan offers its findings at once, and a person reviews it"


def remedy(rule: Rule) -> str:
    """What could be done about a finding, and whether that goes for snapshots with memory."""
    if rule.remedy is None:
        return "none: a person decides"
    if rule.remedy is not Remedy.DELETE_SNAPSHOT:
        return words(rule.remedy)
    reach = "with or without memory" if rule.with_memory else "but none that holds memory"
    return f"{words(rule.remedy)}, {reach}"
