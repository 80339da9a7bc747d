"""Offers: which snapshots and machines the findings ask to clean up, and why the others stay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from snapaudit.model.finding import Audit, Evidence, FactValue, Finding
from snapaudit.model.plan import Kept
from snapaudit.model.policy import Mode, Policy, Remedy, Rule, SubjectKind

Place = tuple[str, str, str | None]
"""Endpoint, machine, and the snapshot; None: the machine's chains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is asked for of one subject, with the findings that ask."""

    kind: Remedy
    findings: tuple[Finding, ...]
    may_hold_memory: bool

    @property
    def because(self) -> tuple[str, ...]:
        """Each finding in a line: rule, severity, and what was measured."""
        return tuple(_line(finding) for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """The offers by their place, and for other places the reason why nothing is offered."""

    asked: Mapping[Place, Offer]
    silent: Mapping[Place, str]


def offers(audit: Audit, policy: Policy, now: datetime) -> Offers:
    """Everything that a plan may hold (GRD-15): findings of mode apply, or mark once it is due."""
    rules = {rule.id: rule for rule in policy.rules}
    asked: dict[Place, list[Finding]] = {}
    silent: dict[Place, str] = {}
    for finding in audit.findings:
        rule = rules.get(finding.rule)
        place = _place(finding)
        if rule is None or place is None:
            continue
        reason = _silence(finding, rule, now)
        if reason is None:
            asked.setdefault(place, []).append(finding)
        else:
            silent.setdefault(place, reason)
    exempt = exempt_places(audit.findings)
    return Offers(
        asked={
            place: _offer(found, rules) for place, found in asked.items() if place not in exempt
        },
        silent={**silent, **exempt},
    )


def exempt_places(findings: Iterable[Finding]) -> dict[Place, str]:
    """What somebody wants to keep: one exempt finding is enough, whatever its rule would do."""
    return dict(_exempt(findings))


def _exempt(findings: Iterable[Finding]) -> Iterator[tuple[Place, str]]:
    for finding in findings:
        subject = finding.subject
        place = _place(finding)
        if subject.kind is SubjectKind.SNAPSHOT and subject.vm_id is not None:
            place = (subject.endpoint, subject.vm_id, subject.id)
        if finding.exemption is not None and place is not None:
            yield place, f"exempt: {finding.exemption}"


def _place(finding: Finding) -> Place | None:
    subject = finding.subject
    match finding.remedy:
        case Remedy.DELETE_SNAPSHOT if subject.vm_id is not None:
            return (subject.endpoint, subject.vm_id, subject.id)
        case Remedy.CONSOLIDATE if subject.vm_id is not None:
            return (subject.endpoint, subject.vm_id, None)
        case _:
            return None


def _silence(finding: Finding, rule: Rule, now: datetime) -> str | None:
    """Why a finding offers nothing; None: it does."""
    if finding.exemption is not None:
        return "exempt"
    if rule.mode is Mode.REPORT:
        return f"{rule.id} only reports"
    if rule.mode is Mode.MARK and finding.due_at is None:
        return f"{rule.id} has not announced it yet"
    if rule.mode is Mode.MARK and finding.due_at is not None and finding.due_at > now:
        left = ""
        if finding.notice_at is not None and finding.notice_at <= now:
            left = f", in {_days(finding.due_at - now)}"
        return f"{rule.id} has announced it; it is due on {finding.due_at:%Y-%m-%d}{left}"
    return None


def _offer(found: list[Finding], rules: Mapping[str, Rule]) -> Offer:
    is_deletion = found[0].remedy is Remedy.DELETE_SNAPSHOT
    return Offer(
        kind=Remedy.DELETE_SNAPSHOT if is_deletion else Remedy.CONSOLIDATE,
        findings=tuple(found),
        may_hold_memory=any(rules[finding.rule].with_memory for finding in found),
    )


def _line(finding: Finding) -> str:
    measured = "; ".join(_measured(one) for one in finding.evidence)
    return f"{finding.rule} ({finding.severity}): {measured}"


def _measured(one: Evidence) -> str:
    operator = one.operator.replace("_", " ")
    return f"{one.fact.replace('_', ' ')} {_text(one.value)}, {operator} {_text(one.bound)}"


def _text(value: FactValue) -> str:
    match value:
        case timedelta():
            return _days(value)
        case float():
            return f"{value:.4g}"
        case tuple():
            return ", ".join(value)
        case _:
            return str(value)


def _days(span: timedelta) -> str:
    """``9d``, ``36h``, ``5s``: whole units, since the exact value is in the audit."""
    seconds = span // timedelta(seconds=1)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if abs(seconds) >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def kept(audit: Audit, found: Offers) -> Iterator[Kept]:
    """Every snapshot that nothing asks to delete, with the reason."""
    for inventory in audit.inventories:
        for vm in inventory.virtual_machines:
            for snapshot in vm.snapshots:
                place = (inventory.endpoint, vm.id, snapshot.id)
                if place not in found.asked:
                    yield Kept(
                        endpoint=inventory.endpoint,
                        vm_id=vm.id,
                        vm_name=vm.name,
                        snapshot_id=snapshot.id,
                        snapshot_name=snapshot.name,
                        reason=found.silent.get(place, "no rule asks to delete it"),
                    )
