"""What a person does with the tool on the model of a Hyper-V host, from inventory to journal.

Everything between the scripts' lines and the person is the product: collector, planner, core, hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from snapaudit.hypervisors.hyperv import HYPERV
from snapaudit.hypervisors.hyperv.act import HypervActuator
from snapaudit.hypervisors.hyperv.collect import Runners, collect
from snapaudit.hypervisors.hyperv.runner import Runner
from snapaudit.model.endpoint import Account, Endpoint
from snapaudit.model.inventory import Coverage, CoverageState, Inventory
from snapaudit.model.journal import Event
from snapaudit.model.limits import Limits
from snapaudit.model.outcome import Merging, Outcome, RunReport
from snapaudit.model.plan import Guard, Plan
from snapaudit.ports import Actuator, Progress
from tests.beds.wsman.estate import Checkpoint, Estate, Vm
from tests.beds.wsman.host import Direct, Key, Site
from tests.enforce.fake.clock import Clock
from tests.enforce.fake.office import policy
from tests.enforce.folders import quick_folder

KIND, ENDPOINT = "hyperv", "hv"
URL = "https://hv1.example.org"
CLUSTER = ("HV1", "HV2", "HV3")


def direct(site: Site) -> Runners:
    """Runners without a wire, by host name."""

    def of(host: str) -> Runner:
        return Direct(site.node(host.partition(".")[0].upper()), is_verified=site.is_verified)

    return of


class Platform:
    """`ports.Hypervisor` on the model, with the real one's abilities."""

    kind = KIND
    options: Mapping[str, str] = HYPERV.options
    abilities = HYPERV.abilities

    def __init__(self, runners: Runners, clock: Clock) -> None:
        self.runners, self.clock = runners, clock

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        return collect(self.runners, endpoint, now, progress)

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        clock = self.clock
        return HypervActuator(
            self.runners, endpoint, now=clock.now, ticks=lambda: clock.now().timestamp()
        )


@dataclass
class Office:
    """One state folder, and one host or cluster to look after.

    ``runners`` says how its hosts are reached; by default without a wire.
    """

    folder: Path
    clock: Clock = field(default_factory=Clock)
    is_cluster: bool = False
    limits: Limits = field(default_factory=lambda: Limits(max_share=1.0))
    told: list[Merging] = field(default_factory=list)
    keys: dict[str, set[Key]] = field(default_factory=dict)
    endpoint: Endpoint = field(
        default_factory=lambda: Endpoint(
            name=ENDPOINT, kind=KIND, url=URL, account=Account(username="auditor")
        )
    )
    runners: Runners | None = None
    site: Site = field(init=False)

    def __post_init__(self) -> None:
        nodes = CLUSTER if self.is_cluster else CLUSTER[:1]
        self.site = Site(Estate(self.clock.now, nodes, self.is_cluster))
        prepare(State(self.folder))
        self.source.write_text("version: 1\n", "utf-8")

    @property
    def estate(self) -> Estate:
        return self.site.estate

    @property
    def source(self) -> Path:
        return self.folder / "snapaudit.yaml"

    @property
    def settings(self) -> Settings:
        return Settings(
            endpoints=(self.endpoint,),
            limits=self.limits,
            state=self.folder,
            reports=self.folder,
            source=self.source,
        )

    @property
    def journal(self) -> Record:
        return read_journal(State(self.folder))

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.journal.entries]

    @property
    def _reach(self) -> Runners:
        return self.runners or direct(self.site)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The only platform there is; its endpoint is read without a process of its own."""
        platform = Platform(self._reach, self.clock)
        with (
            patch.object(registry, "hypervisor", lambda _: platform),
            patch.object(registry, "kinds", lambda: (KIND,)),
            patch.object(applying, "collect", self._read),
            patch.object(applying, "Journal", partial(Journal, disk=self.site.peril.disk)),
        ):
            yield

    def _read(
        self,
        endpoints: Iterable[Endpoint],
        now: datetime,
        secret_of: SecretOf,
        progress: Progress,
    ) -> tuple[Inventory, ...]:
        return tuple(self.view(endpoint) for endpoint in endpoints)

    def view(self, endpoint: Endpoint | None = None) -> Inventory:
        """What it shows; for one that does not answer, that it is missing."""
        chosen, now = endpoint or self.endpoint, self.clock.now()
        try:
            return collect(self._reach, chosen, now, lambda _: None)
        except HypervisorError as error:
            return Inventory(
                endpoint=chosen.name,
                hypervisor=KIND,
                collected_at=now,
                coverage=Coverage(state=CoverageState.MISSING, reason=str(error)),
            )

    def plan(self) -> Path:
        """Make and seal a plan, and note what a person who approves it has seen."""
        sent, now = len(self.site.sent), self.clock.now()
        with self.installed():
            seen = audit([self.view()], policy(), now)
            made = make_plan(seen, policy(), self.settings, Wanted(author="ada"), now)
        assert len(self.site.sent) == sent
        found = [(self.estate.vms[one.vm_id], one.snapshot_id) for one in made.actions]
        self.keys[made.id] = {
            self.site.key(vm, vm.checkpoints[target]) for vm, target in found if target is not None
        }
        return write_plan(State(self.folder), made)

    def read(self, path: Path) -> Plan:
        return read_plan(State(self.folder), path)[0]

    def apply(self, path: Path) -> RunReport:
        """Carry the plan out. Raises what `apply` raises, and Killed where the peril says so."""
        chosen = self.read(path)
        self.site.approved = self.keys[chosen.id]
        self.clock.wake()
        means = Means(
            secret_of=lambda _: None,
            secret_of_account=lambda _: None,
            progress=lambda _: None,
            tell=self.told.append,
            note=lambda _: None,
            clock=self.clock,
        )
        with self.installed():
            return apply(chosen, self.settings, policy(), frozenset(), means)

    def only(self, plan: Path, checkpoint: str) -> Path:
        """Decide that nothing but this checkpoint is deleted, and sign it off."""
        document = json.loads(plan.read_text("utf-8"))
        for action in document["actions"]:
            action["decision"] = "apply" if action["snapshot_id"] == checkpoint else "skip"
        plan.write_text(json.dumps(document, indent=2), "utf-8")
        sign_off(self.settings, plan, "bob", self.clock.now())
        return plan


class Desk(Office):
    """An office and one machine with a line of checkpoints, for one fault at a time."""

    vm: Vm

    @property
    def first(self) -> Checkpoint:
        return next(iter(self.vm.checkpoints.values()))

    def ends(self, plan: Path) -> list[Event]:
        """Apply it; how its actions ended, in the order in which they did."""
        return [outcome.event for outcome in self.apply(plan).outcomes]

    def end(self, plan: Path) -> Outcome:
        """Apply it; how its one action ended."""
        [outcome] = self.apply(plan).outcomes
        return outcome

    def apply_until_used(self, plan: Path, most: int = 4) -> None:
        """Apply until the plan is used up."""
        for _ in range(most):
            try:
                self.apply(plan)
            except RefusedError as error:
                if "was carried out already" in str(error):
                    return
                raise
        raise AssertionError(f"not done after {most} runs: {self.events}")

    def refuses(self, plan: Path, guard: Guard, words: str) -> None:
        """Apply it: the first action is refused by that guard, and nothing is sent."""
        outcome = self.apply(plan).outcomes[0]
        assert (outcome.event, outcome.guard) == (Event.REFUSED, guard), outcome.reason
        assert words in outcome.reason
        assert self.site.sent == []

    def refuses_all(self, plan: Path, words: str) -> None:
        """Apply it: the run as a whole is refused, and nothing more is sent."""
        before = len(self.site.sent)
        with pytest.raises(RefusedError, match=words):
            self.apply(plan)
        assert len(self.site.sent) == before


@contextmanager
def desk(
    *names: str,
    disks: int = 1,
    is_cluster: bool = False,
    node: str | None = None,
    of: Callable[[Path], Desk] | None = None,
) -> Iterator[Desk]:
    """One machine with a line of checkpoints; at the end nothing forbidden was asked for."""
    with quick_folder() as folder:
        made = of(folder) if of else Desk(folder, is_cluster=is_cluster)
        made.vm = made.estate.line("web01", *names, disks=disks, node=node)
        yield made
        made.site.sound()
