"""Standing: how each rule stands where it found nothing, for formats that list what passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from snapaudit.model.check import Checked
from snapaudit.model.inventory import CoverageState
from snapaudit.model.policy import Rule, SubjectKind

NOT_WHOLE = "the view is not whole"


def quiet_rules(checked: Checked, endpoint: str | None = None) -> Iterator[tuple[str, str]]:
    """Each rule without a finding, and why it is not known to pass; empty: it passes.

    With an endpoint only what concerns that one, ``""`` what concerns none: the exemptions. What
    was not seen whole passes nothing.
    """
    found = {one.rule for one in checked.check.findings if endpoint in (None, one.subject.endpoint)}
    open_questions = Counter(
        one.rule for one in checked.audit.undetermined if endpoint in (None, one.subject.endpoint)
    )
    states = [one.state for one in checked.check.coverage if endpoint in (None, "", one.endpoint)]
    is_whole = bool(states) and all(state is CoverageState.COMPLETE for state in states)
    for rule in checked.rules:
        if rule.id not in found and _concerns(rule, endpoint):
            unsure = f"{open_questions[rule.id]} undecided" if open_questions[rule.id] else ""
            yield rule.id, unsure if is_whole else NOT_WHOLE


def _concerns(rule: Rule, endpoint: str | None) -> bool:
    """Exemptions lie in a file of their own, at no endpoint."""
    return endpoint is None or (rule.subject is SubjectKind.EXEMPTION) == (endpoint == "")
