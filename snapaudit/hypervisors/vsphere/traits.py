"""Traits: the platform's own words about a machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from snapaudit.hypervisors.vsphere.chains import is_independent
from snapaudit.hypervisors.vsphere.machine import Machine
from snapaudit.hypervisors.vsphere.protections import (
    is_fault_tolerant,
    is_instant_clone,
    is_replicated,
    manager_of,
)


def traits(machine: Machine) -> Iterator[str]:
    """Words such as ``encrypted``; those about disks only where the disks were read."""
    yield from (word for word, holds in _WORDS if holds(machine))
    manager = manager_of(machine)
    if manager is not None:
        yield f"managed-by: {manager}"
    for disk in machine.devices or ():
        if disk.rdm:
            yield f"raw-device: {disk.label}"
        elif is_independent(disk):
            yield f"independent-disk: {disk.label}"


def _tracks_changes(machine: Machine) -> bool:
    return machine.flag("config.changeTrackingEnabled") is True


def _is_encrypted(machine: Machine) -> bool:
    return machine.raw.values.get("config.keyId") is not None


_WORDS: tuple[tuple[str, Callable[[Machine], bool]], ...] = (
    ("change-tracking", _tracks_changes),
    ("encrypted", _is_encrypted),
    ("fault-tolerant", is_fault_tolerant),
    ("instant-clone", is_instant_clone),
    ("replicated", is_replicated),
)
