"""The hand that changes a Hyper-V host or cluster, one call at a time. No audit builds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from snapaudit.errors import CallRefused, HypervisorError, UsageError
from snapaudit.hypervisors.hyperv import calls, cluster, sending, watching
from snapaudit.hypervisors.hyperv.address import parse_address
from snapaudit.hypervisors.hyperv.calls import about
from snapaudit.hypervisors.hyperv.cluster import Reading
from snapaudit.hypervisors.hyperv.collect import Runners, read
from snapaudit.hypervisors.hyperv.runner import Runner
from snapaudit.hypervisors.hyperv.translate import observed
from snapaudit.hypervisors.hyperv.vigil import Vigil
from snapaudit.hypervisors.hyperv.ways import Way
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.model.plan import Action, VmId


@dataclass(frozen=True, slots=True)
class _Look:
    """A reading, and the machine that was looked for in it."""

    seen: Inventory
    reading: Reading


class HypervActuator:
    """One endpoint by an account that may delete; see the port for what it promises.

    Every script runs over a connection of its own, once. ``ticks`` counts seconds.
    """

    def __init__(
        self,
        runners: Runners,
        endpoint: Endpoint,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = monotonic,
    ) -> None:
        _refuse_unverified(runners, endpoint)
        self._runners, self._endpoint = runners, endpoint
        self._now, self._ticks = now, ticks
        self._looks: dict[str, _Look] = {}
        self._reading: Reading | None = None
        self._vigils: dict[tuple[str, str], Vigil] = {}
        self._under_way: set[str] = set()

    def observe(self, vm_id: VmId) -> Inventory:
        """One machine, judged by a reading of all nodes: whatever stands on its files is seen."""
        now = self._now()
        reading = self._read(now)
        seen = observed(reading, vm_id, endpoint=self._endpoint, collected_at=now)
        self._looks[vm_id] = _Look(seen, reading)
        return seen

    def _read(self, now: datetime) -> Reading:
        self._reading = read(self._runners, self._endpoint, now, lambda _: None)
        return self._reading

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        """See `Way`."""
        look = self._looks.get(action.vm_id)
        if look is None or look.seen is not seen:
            raise HypervisorError(f"{self._endpoint.name}: that is not what was last read")
        way = Way(action=action, seen=seen, reading=look.reading, made=made)
        return way.next_call()

    # Sending ------------------------------------------------------------------------------------

    def send(self, call: Call) -> None:
        """Have the host look once more and remove. Merging comes later, so there is no task."""
        vm_id, node = about(call, "vm_id"), about(call, "node")
        if vm_id in self._under_way:
            raise CallRefused("a call for this machine is still under way: nothing was sent")
        runner = self._runner(self._host_of(node, call))
        self._under_way.add(vm_id)
        self._vigils[_key(call)] = self._vigil(call, node)
        try:
            sending.send(call, runner, f"{self._endpoint.name}: {runner.host}")
        except CallRefused:
            self._under_way.discard(vm_id)
            raise

    def _host_of(self, node: str, call: Call) -> str:
        reading = self._reading
        if reading is None or node not in reading.reached:
            raise CallRefused(f"nobody knows the way to node {node}: nothing was sent")
        if reading.manager_id != about(call, "manager"):
            raise CallRefused(f"another manager answers ({reading.manager_id}): nothing was sent")
        return reading.reached[node]

    def _runner(self, host: str) -> Runner:
        try:
            return self._runners(host)
        except HypervisorError as error:
            raise CallRefused(f"{error}; nothing was sent") from error

    def _vigil(self, call: Call, node: str) -> Vigil:
        """Events count from the host's own time in the last reading on, when none was at work."""
        host = None if self._reading is None else self._reading.answers[node].host
        since = calls.moment(host.now) if host is not None and host.now is not None else None
        return Vigil(node, since, self._merges(call))

    def _merges(self, call: Call) -> int | None:
        """Bytes of the files that go, as they were last seen."""
        look = self._looks.get(about(call, "vm_id"))
        wanted = set(calls.listed(call, "gone"))
        sizes = [
            layer.size_bytes
            for vm in (look.seen.virtual_machines if look is not None else ())
            for disk in vm.disks
            for layer in disk.layers
            if layer.path in wanted
        ]
        known = [size for size in sizes if size is not None]
        return sum(known) or None if len(known) == len(sizes) else None

    # Watching -----------------------------------------------------------------------------------

    def watch(self, call: Call, task_id: str | None) -> Watched:
        """By status, slots, files and events; also for a call that another process made.

        Looks no more often than a host can bear, and says in between what it said last.
        """
        del task_id  # there are no tasks
        vigil = self._vigils.setdefault(_key(call), Vigil(about(call, "node")))
        if not vigil.is_due(self._ticks()):
            return vigil.told()
        try:
            found = self._looked(call, vigil)
        except HypervisorError as error:
            vigil.lose(str(error), self._ticks())
            raise
        if found.phase is not Phase.RUNNING:
            self._under_way.discard(about(call, "vm_id"))
        return found

    def _looked(self, call: Call, vigil: Vigil) -> Watched:
        reading = self._reading or self._read(self._now())
        host = reading.reached.get(vigil.node)
        if host is None:
            return self._sought(call, vigil)
        runner = self._runners(host)
        where = f"{self._endpoint.name}: {runner.host}"
        signs = watching.look(call, runner, where, vigil.since)
        if signs.machine is None:
            return self._sought(call, vigil)
        if vigil.since is None and signs.answer.host is not None and signs.answer.host.now:
            vigil.since = calls.moment(signs.answer.host.now)
        return vigil.judged(signs, self._ticks())

    def _sought(self, call: Call, vigil: Vigil) -> Watched:
        """Where the machine is by now; one that is nowhere is judged by whoever reads next."""
        reading = self._read(self._now())
        vm_id = about(call, "vm_id")
        found = next((one for one in cluster.machines(reading) if one.id == vm_id), None)
        if found is not None:
            vigil.node = found.node
            vigil.hasten()
            return vigil.running
        if reading.failed:
            lost = ", ".join(sorted(reading.failed))
            raise HypervisorError(f"{self._endpoint.name}: its machine may be on {lost}")
        return Watched(phase=Phase.OVER)

    def close(self) -> None:
        """Nothing is open between two scripts. What was removed goes on merging."""


def _key(call: Call) -> tuple[str, str]:
    return about(call, "vm_id"), about(call, "checkpoint")


def _refuse_unverified(runners: Runners, endpoint: Endpoint) -> None:
    with closing(runners(parse_address(endpoint.url).host)) as runner:
        if not runner.is_verified:
            raise UsageError(
                f"endpoint {endpoint.name}: {runner.host}: over this connection nobody proves who "
                "answers, so nothing is changed; use https:// and do not switch `tls: verify` off, "
                "or transport: kerberos"
            )
