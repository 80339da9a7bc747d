"""A hand on one machine with two checkpoints, and the action that is to take the older one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from snapaudit.enforce.identity import expectation
from snapaudit.hypervisors.hyperv.act import HypervActuator
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.model.plan import Action, Bytes, Decision, SnapshotId, VmId
from snapaudit.model.policy import Remedy
from tests.beds.wsman.estate import Checkpoint, Estate, Vm
from tests.beds.wsman.host import Site
from tests.enforce.fake.clock import Clock
from tests.hypervisors.hyperv.office import CLUSTER, ENDPOINT, KIND, URL, direct

HOST = Endpoint(name=ENDPOINT, kind=KIND, url=URL)


@dataclass
class Bench:
    """One machine, and a hand that goes by the same clock."""

    clock: Clock
    site: Site
    vm: Vm
    hand: HypervActuator

    @property
    def estate(self) -> Estate:
        return self.site.estate

    @property
    def target(self) -> Checkpoint:
        return next(iter(self.vm.checkpoints.values()))

    def seen(self) -> Inventory:
        return self.hand.observe(VmId(self.vm.id))

    def action(self, seen: Inventory, kind: Remedy = Remedy.DELETE_SNAPSHOT) -> Action:
        """The action that takes the target as it is seen now."""
        return action_on(seen, self.vm.id, self.target.id, kind)

    def call(self) -> Call:
        """What `next_call` gives for the target as it is now."""
        seen = self.seen()
        call = self.hand.next_call(self.action(seen), seen, ())
        assert call is not None
        return call

    def sent(self) -> Call:
        """The call, made."""
        call = self.call()
        self.hand.send(call)
        return call

    def watched(self, call: Call, seconds: float) -> Watched:
        """What watching says that much later; looked at now and then until it ends."""
        until = self.clock.now() + timedelta(seconds=seconds)
        found = self.hand.watch(call, None)
        while found.phase is Phase.RUNNING and self.clock.now() < until:
            self.clock.skip(timedelta(seconds=5))
            found = self.hand.watch(call, None)
        return found

    def another_hand(self) -> HypervActuator:
        """A hand of another process."""
        return a_hand(self.site, self.clock)

    @property
    def scripts(self) -> list[str]:
        return [script for _, script, _ in self.site.asked]


def action_on(
    seen: Inventory, vm_id: str, checkpoint: str, kind: Remedy = Remedy.DELETE_SNAPSHOT
) -> Action:
    vm = next(one for one in seen.virtual_machines if one.id == vm_id)
    snapshot = next(one for one in vm.snapshots if one.id == checkpoint)
    return Action(
        id="p-1",
        kind=kind,
        endpoint=ENDPOINT,
        vm_id=VmId(vm_id),
        vm_name=vm.name,
        snapshot_id=SnapshotId(checkpoint),
        snapshot_name=snapshot.name,
        expects=expectation(seen, vm, snapshot),
        host_id=vm.host_id,
        because=(),
        datastore_id=None,
        datastore_ids=(),
        frees_bytes=Bytes(min=0, max=0),
        needs_bytes=0,
        merges_bytes=0,
        decision=Decision.APPLY,
    )


def a_hand(site: Site, clock: Clock) -> HypervActuator:
    return HypervActuator(direct(site), HOST, now=clock.now, ticks=lambda: clock.now().timestamp())


@contextmanager
def bench(
    *names: str, is_cluster: bool = False, node: str = "HV1", disks: int = 1
) -> Iterator[Bench]:
    """At the end nothing forbidden was asked for."""
    clock = Clock()
    nodes = CLUSTER if is_cluster else CLUSTER[:1]
    site = Site(Estate(clock.now, nodes, is_cluster))
    vm = site.estate.line("web01", *(names or ("a", "b")), node=node, disks=disks)
    yield Bench(clock, site, vm, a_hand(site, clock))
    site.sound()
