"""What a person does with the tool on the fake vCenter, from inventory to journal.

Everything between the seam and the person is the product: collector, planner, core, actuator.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from snapaudit import registry
from snapaudit.app import applying
from snapaudit.app.applying import Means, apply
from snapaudit.app.audit import audit
from snapaudit.app.gather import SecretOf
from snapaudit.app.planning import Wanted, make_plan, sign_off
from snapaudit.config.settings import Settings
from snapaudit.enforce.journal import Journal, Record, read_journal
from snapaudit.enforce.sealing import read_plan, write_plan
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import HypervisorError, RefusedError
from snapaudit.hypervisors.vsphere.act import VsphereActuator
from snapaudit.hypervisors.vsphere.collect import collect
from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.model.journal import Event
from snapaudit.model.limits import Limits
from snapaudit.model.outcome import Merging, Outcome, RunReport
from snapaudit.model.plan import Action, Guard, Plan
from snapaudit.model.policy import Remedy
from snapaudit.ports import Actuator, Progress
from tests.enforce.fake.office import policy
from tests.enforce.folders import quick_folder
from tests.hypervisors.vsphere.fake import FakeServer, FakeService, Vm
from tests.hypervisors.vsphere.faketasks import Key, key_of, removing
from tests.hypervisors.vsphere.fakeworld import Vcenter

KIND, ENDPOINT = "vsphere", "vc1"
ABILITIES = Abilities(
    supports=frozenset(Remedy),
    order=MergeOrder.OLDEST_FIRST,
    own_traces=frozenset({"busy", "consolidation"}),
)


class Platform:
    """`ports.Hypervisor` on the fake. Each actuator has a session of its own."""

    kind = KIND
    options: Mapping[str, str] = {}
    abilities = ABILITIES

    def __init__(self, server: FakeServer) -> None:
        self.server = server

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        return collect(FakeService(self.server), endpoint, now, progress)

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        clock = self.server.world.clock
        return VsphereActuator(
            FakeService(self.server),
            endpoint,
            now=clock.now,
            ticks=lambda: clock.now().timestamp(),
        )


@dataclass
class Office:
    """One state folder, and one vCenter to look after."""

    folder: Path
    server: FakeServer = field(default_factory=FakeServer)
    limits: Limits = field(default_factory=lambda: Limits(max_share=1.0))
    told: list[Merging] = field(default_factory=list)
    keys: dict[str, set[Key]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        prepare(State(self.folder))
        self.source.write_text("version: 1\n", "utf-8")

    @property
    def world(self) -> Vcenter:
        return self.server.world

    @property
    def source(self) -> Path:
        return self.folder / "snapaudit.yaml"

    @property
    def settings(self) -> Settings:
        return Settings(
            endpoints=(Endpoint(name=ENDPOINT, kind=KIND, url="https://vc.example.org"),),
            limits=self.limits,
            state=self.folder,
            reports=self.folder,
            source=self.source,
        )

    @property
    def journal(self) -> Record:
        return read_journal(State(self.folder))

    @contextmanager
    def installed(self) -> Iterator[Platform]:
        """The only platform there is; its endpoint is read without a process of its own."""
        platform = Platform(self.server)
        with (
            patch.object(registry, "hypervisor", lambda _: platform),
            patch.object(registry, "kinds", lambda: (KIND,)),
            patch.object(applying, "collect", self._read),
            patch.object(applying, "Journal", partial(Journal, disk=self.server.peril.disk)),
        ):
            yield platform

    def _read(
        self,
        endpoints: Iterable[Endpoint],
        now: datetime,
        secret_of: SecretOf,
        progress: Progress,
    ) -> tuple[Inventory, ...]:
        return tuple(self.view(endpoint) for endpoint in endpoints)

    def view(self, endpoint: Endpoint) -> Inventory:
        """What it shows; for one that does not answer, that it is missing."""
        now = self.world.clock.now()
        try:
            return collect(FakeService(self.server), endpoint, now, lambda _: None)
        except HypervisorError as error:
            return Inventory(
                endpoint=endpoint.name,
                hypervisor=KIND,
                collected_at=now,
                coverage=Coverage(state=CoverageState.MISSING, reason=str(error)),
            )

    def plan(self) -> Path:
        """Make and seal a plan, and note what a person who approves it has seen."""
        sent, now = len(self.server.sent), self.world.clock.now()
        with self.installed():
            seen = audit([self.view(one) for one in self.settings.endpoints], policy(), now)
            made = make_plan(seen, policy(), self.settings, Wanted(author="ada"), now)
        assert len(self.server.sent) == sent
        self.keys[made.id] = {key for action in made.actions for key in self._keys(action)}
        return write_plan(State(self.folder), made)

    def _keys(self, action: Action) -> Iterator[Key]:
        vm = self.world.vms[action.vm_id]
        yield key_of(self.world, vm, None)
        if action.snapshot_id is not None:
            yield key_of(self.world, vm, vm.snaps[action.snapshot_id])

    def read(self, path: Path) -> Plan:
        return read_plan(State(self.folder), path)[0]

    def apply(self, path: Path) -> RunReport:
        """Carry the plan out. Raises what `apply` raises, and Killed where the peril says so."""
        chosen = self.read(path)
        self.server.rules.approved = self.keys[chosen.id]
        self.world.clock.wake()
        means = Means(
            secret_of=lambda _: None,
            secret_of_account=lambda _: None,
            progress=lambda _: None,
            tell=self.told.append,
            note=lambda _: None,
            clock=self.world.clock,
        )
        with self.installed():
            return apply(chosen, self.settings, policy(), frozenset(), means)


class Site(Office):
    """An office and one machine, for one fault at a time."""

    vm: Vm

    def staged(self, *names: str, disks: int = 1) -> Site:
        """A machine with a line of snapshots of these names."""
        self.vm = self.world.line("web01", *names, disks=disks)
        return self

    @property
    def calls(self) -> list[str]:
        return [name for name, _ in self.server.sent]

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.journal.entries]

    def ends(self, plan: Path) -> list[Event]:
        """Apply it; how its actions ended, in the order in which they did."""
        return [outcome.event for outcome in self.apply(plan).outcomes]

    def refuses(self, plan: Path, guard: Guard, words: str) -> Outcome:
        """Apply it: the one action is refused by that guard, and nothing is sent."""
        [outcome] = self.apply(plan).outcomes
        assert (outcome.event, outcome.guard) == (Event.REFUSED, guard), outcome.reason
        assert words in outcome.reason
        assert self.calls == []
        return outcome

    def refuses_or_gone(self, plan: Path) -> None:
        """Apply it: the one action is refused, or its target is not there; nothing is sent."""
        assert set(self.ends(plan)) <= {Event.REFUSED, Event.ALREADY_GONE}
        assert self.calls == []

    def refuses_all(self, plan: Path, words: str) -> None:
        """Apply it: the run as a whole is refused, and nothing more is sent."""
        before = len(self.calls)
        with pytest.raises(RefusedError, match=words):
            self.apply(plan)
        assert len(self.calls) == before

    def keep_only(self, plan: Path, snapshot: str) -> None:
        """Decide that nothing but this snapshot is deleted, and sign it off."""
        document = json.loads(plan.read_text("utf-8"))
        for action in document["actions"]:
            action["decision"] = "apply" if action["snapshot_id"] == snapshot else "skip"
        plan.write_text(json.dumps(document, indent=2), "utf-8")
        sign_off(self.settings, plan, "bob", self.world.clock.now())

    def delete_by_hand(self) -> None:
        """Somebody deletes the latest snapshot by the vSphere Client."""
        assert self.vm.current is not None
        snap = self.vm.snaps[self.vm.current]
        for step in removing(self.world, self.vm, snap):
            step()

    def finish(self, plan: Path, most: int = 4) -> None:
        """Apply until it is used up."""
        for _ in range(most):
            try:
                self.apply(plan)
            except RefusedError as error:
                if "was carried out already" in str(error):
                    return
                raise
        raise AssertionError(f"not done after {most} runs: {self.events}")


@contextmanager
def site(*names: str, disks: int = 1) -> Iterator[Site]:
    """One machine with a line of snapshots; at the end nothing forbidden was asked for."""
    with quick_folder() as folder:
        made = Site(folder).staged(*names, disks=disks)
        yield made
        made.server.sound()
