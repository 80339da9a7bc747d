"""The hand that changes a pool, one call at a time. Nothing that audits builds it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from snapaudit.errors import CallRefused, Gone, HypervisorError, Unreachable, UsageError
from snapaudit.hypervisors.xen import machines, sending, watching
from snapaudit.hypervisors.xen.acting import ActingClient
from snapaudit.hypervisors.xen.calls import about
from snapaudit.hypervisors.xen.failures import UNTOLD, Said
from snapaudit.hypervisors.xen.pool import Pool
from snapaudit.hypervisors.xen.reading import read_machine
from snapaudit.hypervisors.xen.stores import collects_nothing
from snapaudit.hypervisors.xen.translate import inventory
from snapaudit.hypervisors.xen.ways import Way
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.model.plan import Action, VmId

Answer = TypeVar("Answer")
COLLECTING = timedelta(minutes=30)
"""How long the garbage collector gets after a large deletion, before the next is begun."""

_FIRST_PAUSE, _LONGEST_PAUSE, _LONGER = 0.5, 5.0, 1.5
_COLLECTING_PAUSE = 30.0
_MOST_LOST = 6
"""Looks in a row that showed nothing, five seconds apart, after which nothing is known any more."""


@dataclass(slots=True)
class _Look:
    """When a call under way is looked at next; ``over_at``: when its task was seen to be over.

    ``lost`` counts the looks in a row that showed nothing, and ``why`` the last one did not.
    """

    due: float
    pause: float = _FIRST_PAUSE
    over_at: float | None = None
    lost: int = 0
    why: str = ""

    def lose(self, why: str, now: float) -> None:
        """A look showed nothing; the next one comes soon, even while garbage is collected."""
        self.lost, self.why, self.due = self.lost + 1, why, now + _LONGEST_PAUSE

    def told(self) -> Watched:
        """What is known between two looks. Raises HypervisorError when that is nothing by now.

        "It runs" for as long as nobody can look would have a run wait a day for a pool that left.
        """
        if self.lost >= _MOST_LOST:
            raise HypervisorError(self.why)
        return watching.RUNNING


class XenActuator:
    """One endpoint, by a session that may delete; see the port for what it promises.

    A session that ended is begun again to look, and never to send. No call is ever made twice, and
    no task is ever cancelled.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        password: str | None,
        *,
        collecting: timedelta = COLLECTING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint, self._collecting, self._clock = endpoint, collecting.total_seconds(), clock
        self._client = ActingClient(endpoint, endpoint.enforce_as or endpoint.account, password)
        if not self._client.is_verified:
            raise UsageError(
                f"endpoint {endpoint.name}: {endpoint.url}: over this connection nobody proves who "
                "answers, so nothing is changed; use tls: ca_file or fingerprint"
            )
        self._pools: dict[str, tuple[Inventory, Pool]] = {}
        self._under_way: dict[str, Call] = {}
        self._looks: dict[str, _Look] = {}
        self._emptied: set[str] = set()
        self._tried: Counter[str] = Counter()
        self._client.log_in()
        try:
            self._client.refuse_without_rights()
        except HypervisorError:
            self._client.close()
            raise

    # Looking ------------------------------------------------------------------------------------

    def observe(self, vm_id: VmId) -> Inventory:
        """Read the machine, and every image of the storage that its disks lie in."""
        pool = self._looking(lambda: read_machine(self._client, vm_id))
        seen = inventory(
            pool,
            endpoint=self._endpoint,
            collected_at=datetime.now(UTC),
            is_verified=self._client.is_verified,
            emptied=self._emptied,
        )
        self._pools[vm_id] = seen, pool
        return seen

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        """See `Way`. What is not this actuator's latest look at the machine is looked up anew."""
        known = self._pools.get(action.vm_id)
        if known is None or known[0] is not seen:
            self.observe(action.vm_id)
        _, pool = self._pools[action.vm_id]
        way = Way(
            action=action,
            pool=pool,
            made=tuple(made),
            exists=self._exists,
            tried=lambda image: self._tried[image],
        )
        return way.next_call()

    def _exists(self, image: str) -> bool:
        try:
            self._client.ask("VDI.get_by_uuid", image)
        except Gone:
            return False
        return True

    def _looking(self, work: Callable[[], Answer]) -> Answer:
        """What a look returns; a session that ended, or a line that broke, is begun anew once."""
        try:
            return work()
        except Unreachable:
            self._client.log_in()
            return work()

    # Acting -------------------------------------------------------------------------------------

    def send(self, call: Call) -> str | None:
        """Look once more, make the call, and return the UUID of its task without waiting for it."""
        vm_id = str(call.about.get("vm_id"))
        if vm_id in self._under_way:
            raise CallRefused("a call for this machine is still under way: nothing was sent")
        self._tried[str(call.about.get("image"))] += 1
        try:
            make = sending.ready(call, self._client)
        except (HypervisorError, KeyError, ValueError) as error:
            raise CallRefused(str(error)) from error
        self._note_memory(call)
        self._under_way[vm_id] = call
        try:
            task = make()
        except Said as error:
            if error.code == UNTOLD:
                raise  # the call may have taken effect all the same
            del self._under_way[vm_id]
            raise CallRefused(str(error)) from error
        return self._task_id(task)

    def _task_id(self, ref: str) -> str | None:
        """The task's UUID. Where that cannot be had any more, the object's own operations tell."""
        try:
            return str(self._client.ask("task.get_uuid", ref))
        except HypervisorError:
            return None

    def _note_memory(self, call: Call) -> bool:
        """That the snapshot was a checkpoint until a call of ours; whether that is news."""
        uuid = call.about.get("snapshot")
        is_news = call.about.get("memory") is not None and uuid not in self._emptied
        if is_news:
            self._emptied.add(str(uuid))
        return is_news

    def watch(self, call: Call, task_id: str | None) -> Watched:
        """By its task, at growing intervals; a large deletion is over when its merges are."""
        if self._note_memory(call):
            # Another process made it; what was read before this was known shows a plain snapshot.
            return watching.RUNNING
        look = self._looks.setdefault(_key(call), _Look(due=self._clock()))
        now = self._clock()
        if now < look.due:
            return look.told()
        longest = _LONGEST_PAUSE if look.over_at is None else _COLLECTING_PAUSE
        look.due, look.pause = now + look.pause, min(longest, look.pause * _LONGER)
        try:
            seen = self._looking(lambda: self._watched(call, task_id, look, now))
        except HypervisorError as error:
            look.lose(str(error), now)
            raise
        look.lost = 0
        if seen.phase is not Phase.RUNNING:
            self._looks.pop(_key(call), None)
            self._under_way.pop(str(call.about.get("vm_id")), None)
        return seen

    def _watched(self, call: Call, task_id: str | None, look: _Look, now: float) -> Watched:
        if look.over_at is None:
            seen = watching.watched(call, task_id, self._client)
            is_ours = self._under_way.get(str(call.about.get("vm_id"))) == call
            if seen.phase is not Phase.OVER or not (call.about.get("waits") and is_ours):
                return seen
            look.over_at = now
        is_late = now - look.over_at > self._collecting
        return watching.OVER if is_late or not self._collects(call) else watching.RUNNING

    def _collects(self, call: Call) -> bool:
        """Whether the garbage collector has work on the machine's lines, and is at it."""
        pool = read_machine(self._client, about(call, "vm_id"))
        for record in pool.machines:
            late = machines.waiting(machines.machine_of(record, pool), pool)
            stores = (pool.sr_of(image) for image in late)
            if any(sr is not None and not collects_nothing(sr) for sr in stores):
                return True
        return False

    def close(self) -> None:
        """Log out. What was sent goes on."""
        self._client.close()


def _key(call: Call) -> str:
    return f"{call.name} {sorted(call.about.items(), key=str)}"
