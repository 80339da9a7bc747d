"""The hand that changes a vCenter or an ESXi host, one call at a time. No audit builds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from snapaudit.errors import CallRefused, HypervisorError, UsageError
from snapaudit.hypervisors.vsphere import reading, sending, watching
from snapaudit.hypervisors.vsphere.calls import about
from snapaudit.hypervisors.vsphere.collect import collect_one
from snapaudit.hypervisors.vsphere.service import ActingService
from snapaudit.hypervisors.vsphere.ways import Way
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.model.plan import Action, VmId

Look = Callable[[ActingService, Endpoint, VmId, datetime], Inventory]
"""Reads one machine and all that must be known to judge it."""


class VsphereActuator:
    """One endpoint, by a session that may change things; see the port for what it promises.

    A session that ended is opened again by the service, to read. No call is ever made twice, and
    no task is ever cancelled: on vSphere that leaves disks that need consolidation.
    """

    def __init__(
        self,
        service: ActingService,
        endpoint: Endpoint,
        *,
        look: Look = collect_one,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        _refuse_unverified(service, endpoint)
        self._service, self._endpoint = service, endpoint
        self._look, self._now, self._ticks = look, now, ticks
        self._under_way: set[str] = set()
        self._seen: dict[str, Inventory] = {}

    def observe(self, vm_id: VmId) -> Inventory:
        """One machine, its datastores, and all machines that lie on them."""
        seen = self._look(self._service, self._endpoint, vm_id, self._now())
        self._seen[vm_id] = seen
        return seen

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        """See `Way`."""
        way = Way(
            action=action,
            seen=seen,
            made=made,
            machine=lambda: reading.machine(self._service, action.vm_id),
        )
        return way.next_call()

    def send(self, call: Call) -> str | None:
        """Look once more, make the call and return the task's id, without waiting for its end."""
        vm_id = about(call, "vm_id")
        if vm_id in self._under_way:
            raise CallRefused("a call for this machine is still under way: nothing was sent")
        self._under_way.add(vm_id)
        try:
            return sending.send(call, self._service, self._ticks)
        except CallRefused:
            self._under_way.discard(vm_id)
            raise

    def watch(self, call: Call, task_id: str | None) -> Watched:
        """By its task where that is known, else by what the machine shows."""
        found = watching.watched(call, task_id, self._service, self._merges(call))
        if found.phase is not Phase.RUNNING:
            self._under_way.discard(about(call, "vm_id"))
        return found

    def _merges(self, call: Call) -> int | None:
        """Bytes of the deltas that a removal merges, as the machine was last seen before it."""
        seen, snapshot = self._seen.get(about(call, "vm_id")), call.about.get("snapshot")
        machines = seen.virtual_machines if seen is not None and snapshot is not None else ()
        layers = [
            layer.size_bytes
            for vm in machines
            if vm.id == call.about["vm_id"]
            for disk in vm.disks
            for layer in disk.layers
            if layer.snapshot_id == snapshot
        ]
        sizes = [size for size in layers if size is not None]
        return sum(sizes) or None if len(sizes) == len(layers) else None

    def close(self) -> None:
        """Log out. What was sent goes on."""
        with suppress(HypervisorError):
            self._service.close()


def _refuse_unverified(service: ActingService, endpoint: Endpoint) -> None:
    if not service.is_verified:
        raise UsageError(
            f"endpoint {endpoint.name}: {endpoint.url}: over this connection nobody proves who "
            "answers, so nothing is changed; use https:// and do not switch `tls: verify` off"
        )
