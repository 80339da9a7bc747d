"""Coverage: which rules have anything to say about a view, and which never had in the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from snapaudit.model.finding import Audit
from snapaudit.model.history import RunRecord
from snapaudit.model.policy import Policy, Rule, Severity, SubjectKind
from snapaudit.model.rulebook import RuleCoverage, RuleUse
from snapaudit.rules.staging import endpoint_scene, files_of


def coverage(audit: Audit, policy: Policy, runs: Sequence[RunRecord] | None) -> RuleCoverage:
    """The use of each rule in an audit, and in the runs of the history where there is one."""
    findings = Counter((finding.rule, finding.severity) for finding in audit.findings)
    undetermined = Counter(item.rule for item in audit.undetermined)
    asked = _asked(audit, policy)

    def use(rule: Rule) -> RuleUse:
        known = [run.matches[rule.id] for run in runs or () if rule.id in run.matches]
        return RuleUse(
            rule=rule.id,
            subject=rule.subject,
            asked=asked[rule.subject],
            info=findings[rule.id, Severity.INFO],
            warning=findings[rule.id, Severity.WARNING],
            critical=findings[rule.id, Severity.CRITICAL],
            undetermined=undetermined[rule.id],
            runs=len(known),
            matched_runs=sum(count > 0 for count in known),
        )

    return RuleCoverage(
        rules=tuple(map(use, policy.rules)),
        disabled=policy.disabled,
        runs=None if runs is None else len(runs),
    )


def _asked(audit: Audit, policy: Policy) -> Counter[SubjectKind]:
    asked = Counter({SubjectKind.EXEMPTION: len(policy.exemptions)})
    for inventory in audit.inventories:
        machines = inventory.virtual_machines
        asked[SubjectKind.ENDPOINT] += 1
        asked[SubjectKind.DATASTORE] += len(inventory.datastores)
        asked[SubjectKind.VIRTUAL_MACHINE] += len(machines)
        asked[SubjectKind.SNAPSHOT] += sum(len(vm.snapshots) for vm in machines)
        asked[SubjectKind.FILE] += len(files_of(endpoint_scene(inventory, audit.audited_at)))
    return asked
