"""The office: what a person does with the tool, on the fake world, from inventory to journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from snapaudit.app.applying import Means, apply
from snapaudit.app.audit import audit, policy_of
from snapaudit.app.planning import Wanted, make_plan, sign_off
from snapaudit.config.settings import ExemptionSettings, Settings
from snapaudit.enforce.holding import Wish, add
from snapaudit.enforce.journal import Record, read_journal
from snapaudit.enforce.sealing import read_plan, write_plan
from snapaudit.enforce.state import State, prepare
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.finding import Audit
from snapaudit.model.limits import Limits
from snapaudit.model.outcome import RunReport
from snapaudit.model.plan import Plan
from snapaudit.model.policy import Policy
from tests.enforce.fake.ledger import Key, Truth
from tests.enforce.fake.peril import Peril
from tests.enforce.fake.platform import KIND, installed, view
from tests.enforce.fake.witness import Witness
from tests.enforce.fake.world import World

RULES = frozenset({"stale-snapshot", "consolidation-needed"})


@cache
def policy() -> Policy:
    """The two rules of the built-in pack that ask for what enforcement can do."""
    settings = Settings(state=Path("state"), reports=Path("reports"))
    found = policy_of(settings)
    return replace(found, rules=tuple(rule for rule in found.rules if rule.id in RULES))


@dataclass(slots=True)
class Office:
    """One state folder, and a world whose ledger is told what was planned, when and by whom."""

    folder: Path
    world: World
    limits: Limits = field(default_factory=lambda: Limits(max_share=1.0))
    peril: Peril = field(default_factory=Peril)
    truths: dict[str, dict[Key, Truth]] = field(default_factory=dict)
    rules: Policy = field(default_factory=policy)
    witness: Witness = field(init=False)

    def __post_init__(self) -> None:
        prepare(self.state)
        self.source.write_text("version: 1\n", "utf-8")
        self.witness = Witness(self.world, self.state.journal)

    @property
    def source(self) -> Path:
        """The configuration file, as far as its digest goes."""
        return self.folder / "snapaudit.yaml"

    @property
    def state(self) -> State:
        return State(self.folder)

    @property
    def settings(self) -> Settings:
        endpoints = tuple(
            Endpoint(name=name, kind=KIND, url="fake:///") for name in self.world.managers
        )
        return Settings(
            endpoints=endpoints,
            limits=self.limits,
            state=self.folder,
            reports=self.folder,
            source=self.source,
            exemptions=ExemptionSettings(file=self.exemptions),
        )

    @property
    def exemptions(self) -> Path:
        """Where findings are accepted; nothing is until somebody writes it."""
        return self.folder / "exemptions.yaml"

    @property
    def journal(self) -> Record:
        return read_journal(self.state)

    def audit(self) -> Audit:
        inventories = [view(self.world, name) for name in self.world.managers]
        return audit(inventories, self.rules, self.world.clock.now())

    def plan(self, *, worst: int | None = None) -> Path:
        """Make and seal a plan; nothing may be changed by it."""
        self.world.ledger.armed = False
        now = self.world.clock.now()
        with installed(self.world, self.peril, self.witness):
            wanted = Wanted(author="ada", worst=worst)
            made = make_plan(self.audit(), self.rules, self.settings, wanted, now)
        self.truths[made.id] = self.world.truths()
        return write_plan(self.state, made)

    def read(self, path: Path) -> Plan:
        return read_plan(self.state, path)[0]

    def skip(self, path: Path, numbers: Iterable[int]) -> None:
        """Edit the decision of some actions, and sign it off."""
        text = path.read_text("utf-8").split('"decision": "apply"')
        decisions = ["skip" if number in set(numbers) else "apply" for number in range(len(text))]
        pairs = zip(text, decisions, strict=True)
        edited = "".join(f'{part}"decision": "{decision}"' for part, decision in pairs)
        path.write_text(edited.removesuffix(f'"decision": "{decisions[-1]}"'), "utf-8")
        sign_off(self.settings, path, "bob", self.world.clock.now())

    def hold(self, endpoint: str, vm: str, snapshot: str | None) -> None:
        wish = Wish(
            endpoint=endpoint,
            vm=vm,
            snapshot=snapshot,
            owner="eve",
            reason="needed",
            expires_at=None,
        )
        add(self.state, wish, self.world.clock.now())
        self.world.ledger.held.add((endpoint, vm, snapshot))

    def apply(self, path: Path) -> RunReport:
        """Carry the plan out. Raises what `apply` raises, and Killed where the peril says so."""
        chosen = self.read(path)
        self.world.ledger.approve(chosen, self.truths[chosen.id])
        self.world.ledger.armed = True
        means = Means(
            secret_of=lambda _: None,
            secret_of_account=lambda _: None,
            progress=lambda _: None,
            tell=self.witness.hears,
            note=lambda _: None,
            clock=self.world.clock,
        )
        try:
            with installed(self.world, self.peril, self.witness):
                return apply(chosen, self.settings, self.rules, frozenset(), means)
        finally:
            self.world.ledger.armed = False
