"""A pool as the model has it. Pure: the same records give the same inventory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from snapaudit.hypervisors.xen import machines, orphans, protections, snapshots, stores
from snapaudit.hypervisors.xen.layers import virtual_disk
from snapaudit.hypervisors.xen.machines import Machine
from snapaudit.hypervisors.xen.places import HostRecord
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import VmKind
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import (
    Coverage,
    CoverageState,
    Gap,
    Host,
    Inventory,
    PowerState,
    Snapshot,
    VirtualMachine,
)

XEN = "xen"
_BLIND_SPOTS = (
    "who took a snapshot, which XAPI does not keep",
    "whether a schedule of Xen Orchestra that left a snapshot still exists, which it alone knows",
)


def inventory(
    pool: Pool,
    *,
    endpoint: Endpoint,
    collected_at: datetime,
    is_verified: bool,
    emptied: Collection[str] = (),
) -> Inventory:
    """The pool, or the one machine that was read of it.

    ``emptied``: checkpoints whose memory we have discarded ourselves, by their UUID.
    """
    put_together = [machines.machine_of(record, pool) for record in pool.machines]
    is_whole = pool.only is None
    described = [each for each in put_together if pool.only in (None, each.record.uuid)]
    gone = list(orphans.orphans(pool)) if is_whole else []
    gaps = (*pool.gaps, *_gaps(pool))
    return Inventory(
        endpoint=endpoint.name,
        hypervisor=XEN,
        manager_id=pool.record.uuid,
        collected_at=collected_at,
        clock_skew_seconds=pool.skew,
        lab=endpoint.lab,
        connection_verified=is_verified,
        coverage=_coverage(pool, gaps),
        hosts=tuple(_host(host, pool) for _, host in sorted(pool.hosts.items())),
        datastores=tuple(
            stores.datastore(ref, sr, pool)
            for ref, sr in sorted(pool.srs.items(), key=lambda each: each[1].uuid)
            if stores.is_shown(sr)
        ),
        virtual_machines=(*(_machine(each, pool, emptied) for each in described), *gone),
        strays=tuple(orphans.strays(put_together, pool)) if is_whole else (),
        gaps=gaps,
        blind_spots=_BLIND_SPOTS,
    )


def _gaps(pool: Pool) -> Iterator[Gap]:
    if pool.record.master is None or pool.record.master not in pool.hosts:
        yield Gap(subject="the pool", reason="its coordinator is not among its hosts")
    if pool.skew is None:
        yield Gap(subject="the coordinator's clock", reason="was not told")


def _coverage(pool: Pool, gaps: tuple[Gap, ...]) -> Coverage:
    if gaps:
        more = f" (and {len(gaps) - 1} more)" if len(gaps) > 1 else ""
        reason = f"{gaps[0].subject}: {gaps[0].reason}{more}"
        return Coverage(state=CoverageState.PARTIAL, reason=reason)
    if pool.only is not None:
        return Coverage(state=CoverageState.COMPLETE)
    domains = [vm for vm in pool.vms.values() if vm.kind is VmKind.CONTROL_DOMAIN]
    if len(domains) < len(pool.hosts):
        reason = f"{len(pool.hosts)} hosts show {len(domains)} control domains: a list was cut"
        return Coverage(state=CoverageState.SUSPICIOUS, reason=reason)
    if not pool.machines:
        reason = "not one virtual machine is there beside the control domains"
        return Coverage(state=CoverageState.SUSPICIOUS, reason=reason)
    return Coverage(state=CoverageState.COMPLETE)


def _host(host: HostRecord, pool: Pool) -> Host:
    return Host(
        id=host.uuid,
        name=host.name,
        version=host.version,
        cluster=pool.record.name or None,
        in_maintenance=not host.enabled,
    )


def _machine(machine: Machine, pool: Pool, emptied: Collection[str]) -> VirtualMachine:
    record = machine.record
    needed = machines.needs_consolidation(machine, pool)
    # Only then, and never while acting: such images go whenever the garbage collector likes.
    shows_waiting = needed is True and pool.only is None
    disks = tuple(virtual_disk(each, pool, shows_waiting=shows_waiting) for each in machine.disks)
    whole = tuple(dict.fromkeys(protections.of_machine(machine, pool)))
    listed = [
        snapshots.snapshot_of(
            each, machine, disks, pool, whole, was_checkpoint=each.uuid in emptied
        )
        for each in machine.snapshots
    ]
    host = pool.hosts.get(record.resident_on or "")
    return VirtualMachine(
        id=record.uuid,
        name=record.name,
        host_id=host.uuid if host is not None else None,
        power_state=snapshots.STATES.get(record.power_state, PowerState.UNKNOWN),
        disks=disks,
        snapshots=tuple(sorted(listed, key=_by_age)),
        current_snapshot_id=snapshots.parent_of(record, machine),
        consolidation_needed=needed,
        busy=any(True for _ in protections.busy_reasons(machine, pool)),
        is_template=record.kind is VmKind.TEMPLATE,
        tags=record.tags,
        notes=record.description,
        traits=tuple(dict.fromkeys(machines.traits(machine, pool))),
        protections=whole,
    )


def _by_age(snapshot: Snapshot) -> tuple[bool, str, str]:
    at = snapshot.created_at
    return (at is None, at.isoformat() if at else "", snapshot.id)
