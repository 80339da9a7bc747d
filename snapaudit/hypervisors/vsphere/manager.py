"""Who answered, and what its clock says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from snapaudit.hypervisors.vsphere import paths
from snapaudit.hypervisors.vsphere.service import Service

HARDWARE_ID = "hardware.systemInfo.uuid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """A vCenter, or a single host; ``id`` None when it does not tell one. ``now`` is its time."""

    id: str | None
    is_vcenter: bool
    now: datetime
    skew_seconds: float


def manager(service: Service, now: datetime) -> Manager:
    """Ask once. The clock is read as soon as possible after ``now``; whole seconds are compared."""
    clock = service.clock()
    return Manager(
        id=service.about.uuid or _hardware_id(service),
        is_vcenter=service.about.is_vcenter,
        now=clock,
        skew_seconds=float(round((clock - now).total_seconds())),
    )


def _hardware_id(service: Service) -> str | None:
    """A single host is its hardware; of several hosts none stands for the manager."""
    if service.about.is_vcenter:
        return None
    found = [host.values.get(HARDWARE_ID) for host in service.read({paths.HOST: (HARDWARE_ID,)})]
    return found[0] if len(found) == 1 and isinstance(found[0], str) else None
