"""The next call towards a snapshot's end, read off what is seen and what was made so far.

A checkpoint's memory is discarded; the snapshot's records are destroyed; then each of its images.
Between the last two nothing on the server says whose those images were: that stands in the first
call, and with it in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from snapaudit.hypervisors.xen import calls
from snapaudit.hypervisors.xen.calls import made_for
from snapaudit.hypervisors.xen.identity import identity
from snapaudit.hypervisors.xen.machines import LARGE, disks_of, memory_of
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.records import VmKind, VmRecord
from snapaudit.hypervisors.xen.snapshots import SUSPENDED
from snapaudit.model.acting import Call
from snapaudit.model.plan import Action
from snapaudit.model.policy import Remedy

_ATTEMPTS = 2

Exists = Callable[[str], bool]
"""Whether there is an image of that UUID."""

Tried = Callable[[str], int]
"""How often this process has tried to destroy an image; the next run may try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One action on one machine, with all that decides how it goes on."""

    action: Action
    pool: Pool
    made: Sequence[Call]
    exists: Exists
    tried: Tried

    def next_call(self) -> Call | None:
        """The next mutating call; None: nothing is left to do, or nothing more can be done."""
        is_there = any(vm.uuid == self.action.vm_id for vm in self.pool.machines)
        if not is_there or self.action.kind is not Remedy.DELETE_SNAPSHOT:
            return None
        found = (vm for vm in self.pool.vms.values() if vm.uuid == self.action.snapshot_id)
        snapshot = next(found, None)
        if snapshot is None:
            return self._images()
        return self._records(snapshot) if snapshot.kind is VmKind.SNAPSHOT else None

    def _records(self, snapshot: VmRecord) -> Call | None:
        """The snapshot as long as its records are there."""
        expected = self.action.expects.snapshot
        disks = [disk.uuid for disk in disks_of(snapshot, self.pool)]
        what = identity(snapshot, self.action.vm_id, disks)
        if expected is None or expected.identity != what:
            return None
        discarded = made_for(self.made, calls.DISCARD_MEMORY)
        if snapshot.power_state == SUSPENDED:
            call = self._of_snapshot(calls.DISCARD_MEMORY, snapshot, what, disks)
            return None if discarded else call
        if made_for(self.made, calls.DESTROY_SNAPSHOT):
            return None
        call = self._of_snapshot(calls.DESTROY_SNAPSHOT, snapshot, what, disks)
        return replace(call, about=discarded[0].about, follows=True) if discarded else call

    def _of_snapshot(self, name: str, snapshot: VmRecord, what: str, disks: Sequence[str]) -> Call:
        memory = memory_of(snapshot, self.pool)
        held = memory.uuid if memory is not None else None
        return calls.of_snapshot(name, self.action.vm_id, snapshot.uuid, what, disks, held)

    def _images(self) -> Call | None:
        """What a snapshot that we destroyed has left. Without such a call nothing is touched."""
        destroyed = made_for(self.made, calls.DESTROY_SNAPSHOT)
        if not destroyed:
            return None
        first = destroyed[0]
        waits = self.action.merges_bytes >= LARGE
        left = [each for each in calls.images(first) if self.tried(each[1]) < _ATTEMPTS]
        for kind, image in sorted(left, key=lambda each: self.tried(each[1])):
            attempt = len(made_for(self.made, calls.DESTROY_IMAGE, image=image)) + 1
            if self.exists(image):
                return calls.of_image(first, kind, image, attempt, waits=waits)
        return None
