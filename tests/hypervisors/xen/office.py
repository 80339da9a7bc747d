"""What a person does with the tool on a pool, from inventory to journal, over real connections.

Everything between the server and the person is the product: client, collector, planner, core,
actuator. Only the clock that it waits by is one that a wait moves on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from snapaudit import registry
from snapaudit.app import applying
from snapaudit.app.applying import Means, apply
from snapaudit.app.audit import audit
from snapaudit.app.gather import SecretOf
from snapaudit.app.planning import Wanted, make_plan, sign_off
from snapaudit.app.reading import missing
from snapaudit.config.settings import Settings
from snapaudit.enforce.ground import Ground, Patience
from snapaudit.enforce.journal import Journal, Record, read_journal
from snapaudit.enforce.sealing import read_plan, write_plan
from snapaudit.enforce.state import State, prepare
from snapaudit.errors import HypervisorError, RefusedError
from snapaudit.hypervisors.xen.act import XenActuator
from snapaudit.hypervisors.xen.hypervisor import XenHypervisor
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.model.journal import Event
from snapaudit.model.limits import Limits
from snapaudit.model.outcome import Merging, Outcome, RunReport
from snapaudit.model.plan import Guard, Plan
from snapaudit.model.policy import Policy
from snapaudit.ports import Actuator, Progress
from tests.beds.xapi.server import XapiBed
from tests.enforce.fake.office import policy
from tests.enforce.fake.peril import Peril
from tests.hypervisors.xen.visiting import PASSWORD, endpoint

CHANGING = ("Async.VM.hard_shutdown", "Async.VM.destroy", "Async.VDI.destroy")
MOST_RUNS = 4


@dataclass
class Clock:
    """The real time, and as much later as somebody has waited; ``passes``: what happens then."""

    waited: float = 0.0
    passes: Callable[[], object] = lambda: None

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.waited)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.passes()

    def ticks(self) -> float:
        return self.now().timestamp()


def with_memory() -> Policy:
    """Rules that mean snapshots with memory too."""
    found = policy()
    return replace(found, rules=tuple(replace(rule, with_memory=True) for rule in found.rules))


@dataclass
class Office:
    """One state folder, and one pool to look after."""

    folder: Path
    bed: XapiBed
    limits: Limits = field(default_factory=lambda: Limits(max_share=1.0))
    clock: Clock = field(default_factory=Clock)
    peril: Peril = field(default_factory=Peril)
    rules: Policy = field(default_factory=policy)
    told: list[Merging] = field(default_factory=list)
    password: str = PASSWORD
    patience: Patience = field(default_factory=Patience)
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        prepare(State(self.folder))
        self.source.write_text("version: 1\n", "utf-8")
        self.bed.office.clock = self.clock.ticks

    @property
    def source(self) -> Path:
        return self.folder / "snapaudit.yaml"

    @property
    def endpoint(self) -> Endpoint:
        return endpoint(self.bed, **self.more)

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
    def sent(self) -> list[str]:
        """The calls that change something, as the server was asked for them."""
        return [method for method in self.bed.asked if method in CHANGING]

    # The tool -----------------------------------------------------------------------------------

    @contextmanager
    def installed(self) -> Iterator[None]:
        """The only platform there is; its endpoint is read without a process of its own."""
        platform = _Platform(self.clock)
        with (
            patch.object(registry, "hypervisor", lambda _: platform),
            patch.object(registry, "kinds", lambda: ("xen",)),
            patch.object(applying, "collect", self._read),
            patch.object(applying, "Ground", partial(Ground, patience=self.patience)),
            patch.object(applying, "Journal", partial(Journal, disk=self.peril.disk)),
        ):
            yield

    def _read(
        self,
        endpoints: Iterable[Endpoint],
        now: datetime,
        secret_of: SecretOf,
        progress: Progress,
    ) -> tuple[Inventory, ...]:
        return tuple(self.view(each) for each in endpoints)

    def view(self, each: Endpoint) -> Inventory:
        """What it shows; for one that does not answer, that it is missing."""
        now = self.clock.now()
        try:
            return XenHypervisor().collect(each, self.password, now, lambda _: None)
        except HypervisorError as error:
            return missing(each, str(error), now)

    def plan(self) -> Path:
        """Make and seal a plan; nothing is changed by it."""
        before, now = list(self.sent), self.clock.now()
        with self.installed():
            seen = audit([self.view(self.endpoint)], self.rules, now)
            made = make_plan(seen, self.rules, self.settings, Wanted(author="ada"), now)
        assert self.sent == before
        return write_plan(State(self.folder), made)

    def read(self, path: Path) -> Plan:
        return read_plan(State(self.folder), path)[0]

    def keep_only(self, path: Path, *snapshots: str) -> None:
        """Decide that nothing but these snapshots are deleted, and sign it off."""
        document = json.loads(path.read_text("utf-8"))
        for action in document["actions"]:
            wanted = action["snapshot_name"] in snapshots
            action["decision"] = "apply" if wanted else "skip"
        path.write_text(json.dumps(document, indent=2), "utf-8")
        sign_off(self.settings, path, "bob", self.clock.now())

    def apply(self, path: Path) -> RunReport:
        """Carry the plan out. Raises what `apply` raises, and Killed where the peril says so."""
        means = Means(
            secret_of=lambda _: self.password,
            secret_of_account=lambda _: self.password,
            progress=lambda _: None,
            tell=self.told.append,
            note=lambda _: None,
            clock=self.clock,
        )
        with self.installed():
            return apply(self.read(path), self.settings, self.rules, frozenset(), means)

    def ends(self, path: Path) -> list[Event]:
        """Apply it; how its actions ended, in the order in which they did."""
        return [outcome.event for outcome in self.apply(path).outcomes]

    def finish(self, path: Path) -> None:
        """Apply until it is used up, without anybody's help."""
        for _ in range(MOST_RUNS):
            try:
                self.apply(path)
            except RefusedError as error:
                if "was carried out already" in str(error):
                    return
                raise
        raise AssertionError(f"not done after {MOST_RUNS} runs: {self.events}")

    def refuses(self, path: Path, guard: Guard, words: str) -> Outcome:
        """Apply it: the one action is refused by that guard, and nothing is sent."""
        [outcome] = self.apply(path).outcomes
        assert (outcome.event, outcome.guard) == (Event.REFUSED, guard), outcome.reason
        assert words in outcome.reason
        assert self.sent == []
        return outcome

    def refuses_all(self, path: Path, words: str) -> None:
        """Apply it: the run as a whole is refused, and nothing more is sent."""
        before = list(self.sent)
        with pytest.raises(RefusedError, match=words):
            self.apply(path)
        assert self.sent == before


class _Platform(XenHypervisor):
    """The product, with an actuator that knows the clock its waits move on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        return XenActuator(endpoint, password, clock=self._clock.ticks)
