"""The two calls that change something on vSphere: a last look at what each is about, then the call.

Whatever the look finds otherwise than when the call was decided upon raises CallRefused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic

from snapaudit.errors import CallRefused, HypervisorError
from snapaudit.hypervisors.vsphere import calls, identity, reading
from snapaudit.hypervisors.vsphere.calls import about
from snapaudit.hypervisors.vsphere.paths import DATASTORE
from snapaudit.hypervisors.vsphere.reading import Machine
from snapaudit.hypervisors.vsphere.service import ActingService
from snapaudit.model.acting import Call

LONGEST_LOOK = 5.0
"""Seconds. Meanwhile somebody may have put a clone on the disks, or a hold, or asked to stop."""
_FREE, _ACCESSIBLE = "summary.freeSpace", "summary.accessible"


def send(call: Call, service: ActingService, ticks: Callable[[], float] = monotonic) -> str:
    """Look, make the call once, and return the task's id. ``ticks`` counts seconds."""
    since = ticks()
    try:
        _look(call, service)
    except CallRefused:
        raise
    except (HypervisorError, KeyError) as error:
        raise CallRefused(f"the last look failed, and nothing was sent: {error}") from error
    took = ticks() - since
    if took > LONGEST_LOOK:
        raise CallRefused(f"the last look took {took:.0f} s, which is too long: nothing was sent")
    if call.name == calls.REMOVE:
        return service.remove_snapshot(about(call, "snapshot"))
    return service.consolidate(about(call, "vm_id"))


def _look(call: Call, service: ActingService) -> None:
    """The identity comes last: what was true before a slow answer may no longer be."""
    if call.name not in calls.KNOWN:
        raise CallRefused(f"{call.name}: there is no such call on vSphere")
    _must_have_room(about(call, "vm_id"), service)
    _must_be_at_rest(_seen(call, service), service)
    seen = _seen(call, service)
    _must_be_the_machine(call, seen)
    if call.name == calls.REMOVE:
        _must_be_the_snapshot(call, seen)


def _seen(call: Call, service: ActingService) -> Machine:
    seen = reading.machine(service, about(call, "vm_id"))
    if seen is None:
        raise CallRefused("the machine is gone: nothing was sent")
    return seen


def _must_be_the_machine(call: Call, seen: Machine) -> None:
    if seen.manager != about(call, "manager"):
        raise CallRefused(f"another manager answers ({seen.manager}): nothing was sent")
    if seen.instance_uuid != about(call, "machine"):
        raise CallRefused(f"{seen.moid} is another machine by now: nothing was sent")


def _must_be_the_snapshot(call: Call, seen: Machine) -> None:
    found = seen.snapshot(about(call, "snapshot"))
    if found is None:
        raise CallRefused("the snapshot is gone: nothing was sent")
    if identity.of_snapshot(seen.manager, seen.instance_uuid, seen.uuid, found) != about(
        call, "identity"
    ):
        raise CallRefused(f"the snapshot {found.moid} is another one by now: nothing was sent")


def _must_be_at_rest(seen: Machine, service: ActingService) -> None:
    if seen.in_background:
        raise CallRefused("a snapshot is at work on the machine: nothing was sent")
    for task in reading.under_way(service, seen):
        raise CallRefused(f"the machine has a task, {task.description_id}: nothing was sent")


def _must_have_room(vm_id: str, service: ActingService) -> None:
    """By the server's own estimate, which is for all of the machine's snapshots at once."""
    needed = service.estimate(vm_id) or {}
    free = _free(needed.keys(), service) if needed else {}
    for datastore, wanted in needed.items():
        there = free.get(datastore)
        if there is None:
            raise CallRefused(f"how much is free on {datastore} is unknown: nothing was sent")
        if wanted > there:
            raise CallRefused(
                f"{datastore}: the server says that {wanted:,} bytes are needed, and {there:,} are "
                "free: nothing was sent"
            )


def _free(datastores: Iterable[str], service: ActingService) -> dict[str, int]:
    """Bytes free by datastore; of one that is out of reach nobody knows."""
    found = {}
    for store in service.read_of(DATASTORE, datastores, (_FREE, _ACCESSIBLE)):
        free = store.values.get(_FREE)
        if isinstance(free, int) and store.values.get(_ACCESSIBLE) is True:
            found[store.moid] = free
    return found
