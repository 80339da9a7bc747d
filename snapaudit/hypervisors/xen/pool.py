"""A pool as it was read: records by their references, and what refers to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from snapaudit.hypervisors.xen.places import HostRecord, PbdRecord, PoolRecord, SrRecord
from snapaudit.hypervisors.xen.records import (
    DISKS,
    ScheduleRecord,
    VbdRecord,
    VdiRecord,
    VmKind,
    VmRecord,
)
from snapaudit.model.inventory import Gap

LIVE = frozenset({VmKind.MACHINE, VmKind.TEMPLATE})


@dataclass(frozen=True)
class Pool:
    """All records that were read. ``schedules`` None: they could not be read.

    ``skew`` is the coordinator's clock minus ours, in seconds. ``only``: the UUID of the one
    machine that was asked for; of others nothing is here then but their disks on the same storage.
    """

    record: PoolRecord
    hosts: Mapping[str, HostRecord]
    srs: Mapping[str, SrRecord]
    pbds: Mapping[str, PbdRecord]
    vms: Mapping[str, VmRecord]
    vbds: Mapping[str, VbdRecord]
    vdis: Mapping[str, VdiRecord]
    schedules: Mapping[str, ScheduleRecord] | None
    skew: float | None
    gaps: tuple[Gap, ...] = ()
    only: str | None = None

    @cached_property
    def vdi_by_uuid(self) -> Mapping[str, VdiRecord]:
        """Images by their UUID."""
        return {vdi.uuid: vdi for vdi in self.vdis.values()}

    @cached_property
    def children(self) -> Mapping[str, tuple[VdiRecord, ...]]:
        """The images that stand on an image, by its UUID."""
        found: dict[str, list[VdiRecord]] = {}
        for vdi in self.vdis.values():
            if vdi.parent is not None:
                found.setdefault(vdi.parent, []).append(vdi)
        return {uuid: tuple(sorted(each, key=_by_uuid)) for uuid, each in found.items()}

    @cached_property
    def snapshots(self) -> Mapping[str | None, tuple[VmRecord, ...]]:
        """The snapshots of a machine by its reference; those of a machine that is gone by None."""
        found: dict[str | None, list[VmRecord]] = {}
        for vm in self.vms.values():
            if vm.kind is VmKind.SNAPSHOT:
                found.setdefault(self._base_of(vm), []).append(vm)
        return {ref: tuple(sorted(each, key=_by_uuid)) for ref, each in found.items()}

    def _base_of(self, snapshot: VmRecord) -> str | None:
        base = self.vms.get(snapshot.snapshot_of or "")
        return base.ref if base is not None and base.kind is not VmKind.SNAPSHOT else None

    @cached_property
    def leftovers(self) -> Mapping[str | None, tuple[VdiRecord, ...]]:
        """Disk snapshots that no machine and no snapshot uses, by the disk they are of."""
        found: dict[str | None, list[VdiRecord]] = {}
        for vdi in self.vdis.values():
            if vdi.is_a_snapshot and vdi.managed and vdi.type in DISKS and not vdi.vbds:
                base = vdi.snapshot_of if vdi.snapshot_of in self.vdis else None
                found.setdefault(base, []).append(vdi)
        return {ref: tuple(sorted(each, key=_by_uuid)) for ref, each in found.items()}

    def disks(self, vm: VmRecord) -> tuple[tuple[VbdRecord, VdiRecord | None], ...]:
        """The disks of a machine or snapshot, in their order; None: an image that is not there."""
        return self._disks.get(vm.ref, ())

    @cached_property
    def _disks(self) -> Mapping[str, tuple[tuple[VbdRecord, VdiRecord | None], ...]]:
        return {ref: self._disks_of(vm) for ref, vm in self.vms.items()}

    def _disks_of(self, vm: VmRecord) -> tuple[tuple[VbdRecord, VdiRecord | None], ...]:
        uses = [self.vbds[ref] for ref in vm.vbds if ref in self.vbds]
        if len(uses) > 1:
            uses.sort(key=_by_position)
        return tuple(
            (use, self.vdis.get(use.vdi)) for use in uses if use.is_disk and use.vdi is not None
        )

    def users(self, vdi: VdiRecord) -> Iterator[VmRecord | None]:
        """Who uses an image, control domains left out; None: somebody that was not read."""
        for ref in vdi.vbds:
            use = self.vbds.get(ref)
            user = self.vms.get(use.vm or "") if use is not None else None
            if user is None or user.kind is not VmKind.CONTROL_DOMAIN:
                yield user

    def sr_of(self, vdi: VdiRecord) -> SrRecord | None:
        """The storage repository that an image lies in."""
        return self.srs.get(vdi.sr or "")

    @cached_property
    def attached(self) -> Mapping[str, tuple[str, ...]]:
        """The hosts, by UUID, that have a storage repository attached now, by its reference."""
        found: dict[str, list[str]] = {}
        for pbd in self.pbds.values():
            host = self.hosts.get(pbd.host or "")
            if pbd.attached and pbd.sr is not None and host is not None:
                found.setdefault(pbd.sr, []).append(host.uuid)
        return {ref: tuple(sorted(each)) for ref, each in found.items()}

    @cached_property
    def machines(self) -> tuple[VmRecord, ...]:
        """Machines and templates that people made, by their UUID."""
        return tuple(sorted((vm for vm in self.vms.values() if vm.kind in LIVE), key=_by_uuid))


def _by_uuid(record: VmRecord | VdiRecord) -> str:
    return record.uuid


def _by_position(use: VbdRecord) -> tuple[bool, int, str]:
    is_number = use.position.isdecimal()
    return (not is_number, int(use.position) if is_number else 0, use.position)
