"""Summary: the numbers an administrator asks for first."""

from __future__ import annotations

from collections.abc import Sequence

from snapaudit.model.finding import Finding, Summary, Undetermined
from snapaudit.model.inventory import ByteRange, Inventory, Snapshot, VirtualMachine
from snapaudit.model.policy import Policy, Remedy, Severity, SubjectKind

_Identity = tuple[str, str | None, str]


def summarize(
    inventories: Sequence[Inventory],
    policy: Policy,
    findings: Sequence[Finding],
    undetermined: Sequence[Undetermined],
) -> Summary:
    """The numbers of one audit."""
    standing = [finding for finding in findings if finding.exemption is None]
    severities = [finding.severity for finding in standing]
    machines = [vm for inventory in inventories for vm in inventory.virtual_machines]
    sizes = [shot.size_bytes for vm in machines for shot in vm.snapshots]
    return Summary(
        info=severities.count(Severity.INFO),
        warning=severities.count(Severity.WARNING),
        critical=severities.count(Severity.CRITICAL),
        undetermined=len(undetermined),
        virtual_machines=len(machines),
        snapshots=len(sizes),
        datastores=sum(len(inventory.datastores) for inventory in inventories),
        snapshot_bytes=sum(size for size in sizes if size is not None),
        unknown_sizes=sizes.count(None),
        reclaimable_bytes=_reclaimable(inventories, findings),
        rules=len(policy.rules),
        disabled_rules=policy.disabled,
        exempt=len(findings) - len(standing),
    )


def _reclaimable(inventories: Sequence[Inventory], findings: Sequence[Finding]) -> ByteRange:
    """What deleting every offered snapshot gives back, each counted once and taken alone."""
    offered = _offered(findings)
    gains = [
        snapshot.reclaimable_bytes
        for inventory in inventories
        for vm in inventory.virtual_machines
        for snapshot in vm.snapshots
        if (inventory.endpoint, vm.id, snapshot.id) in offered and _is_free(vm, snapshot)
    ]
    highest = [gain.max for gain in gains if gain.max is not None]
    return ByteRange(
        min=sum(gain.min for gain in gains),
        max=sum(highest) if len(highest) == len(gains) else None,
        basis=_basis(len(gains), len(gains) - len(highest)),
    )


def _offered(findings: Sequence[Finding]) -> frozenset[_Identity]:
    """The snapshots that may go by a finding; one that is accepted keeps its snapshot from all."""
    about = [one for one in findings if one.subject.kind is SubjectKind.SNAPSHOT]
    asked = {_identity(one) for one in about if one.remedy is Remedy.DELETE_SNAPSHOT}
    return frozenset(asked - {_identity(one) for one in about if one.exemption is not None})


def _identity(finding: Finding) -> _Identity:
    return (finding.subject.endpoint, finding.subject.vm_id, finding.subject.id)


def _is_free(vm: VirtualMachine, snapshot: Snapshot) -> bool:
    return not vm.protections and not snapshot.protections


def _basis(count: int, without_maximum: int) -> str:
    basis = f"sum over {count} unprotected snapshots that a finding offers, each deleted alone"
    if without_maximum:
        return f"{basis}; for {without_maximum} of them no upper bound is known"
    return basis
