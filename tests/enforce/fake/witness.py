"""The witness: holds what the journal says against what was sent and what is so."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from snapaudit.model.acting import Call
from snapaudit.model.inventory import PowerState
from snapaudit.model.journal import Event
from snapaudit.model.outcome import Merging
from tests.enforce.fake.ledger import Ledger
from tests.enforce.fake.things import Machine, Manager
from tests.enforce.fake.world import World


@dataclass(frozen=True, slots=True)
class Before:
    """A machine just before the first call of an action."""

    machine: Machine
    target: tuple[str, ...]
    siblings: frozenset[str]
    power: PowerState


@dataclass(slots=True)
class Witness:
    """Objects, through the ledger, to calls without an intent and to false words in the journal."""

    world: World
    journal: Path
    befores: dict[str, Before] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger

    def sees_call(self, manager: Manager, call: Call) -> None:
        """INV-14, INV-15: right before a call, its intent is the last line, and only once."""
        raw = self.journal.read_bytes().splitlines(keepends=True)
        entry = json.loads(raw[-1]) if raw and raw[-1].endswith(b"\n") else {}
        if entry.get("event") != Event.INTENT:
            return self.ledger.object_to(f"{call.name}: no intent before it")
        if entry["detail"]["call"] != call.name or call_of_line(entry) != dict(call.about):
            self.ledger.object_to(f"{call.name}: the intent before it is for {entry['detail']}")
        if entry["seq"] in self.used:
            self.ledger.object_to(f"{call.name}: a second call for intent {entry['seq']}")
        self.used.add(entry["seq"])
        self._remember(str(entry["action_id"]), manager, call)
        return None

    def _remember(self, action_id: str, manager: Manager, call: Call) -> None:
        machine = manager.machines.get(str(call.about["vm"]))
        name = call.about["snapshot"]
        if machine is None or (action_id in self.befores and self._had_effect(call)):
            return
        target = () if name not in machine.snaps else (machine.snaps[str(name)].identity,)
        rest = frozenset(snap.identity for snap in machine.snaps.values()) - set(target)
        self.befores[action_id] = Before(machine, target, rest, machine.power)

    def _had_effect(self, call: Call) -> bool:
        """Whether an earlier call for the same target may have done something."""
        self.world.learn()
        return any(not s.harmless and s.call.about == call.about for s in self.ledger.sent)

    def hears(self, sign: Merging) -> None:
        """INV-17: what is called done is done, at that very moment."""
        before = self.befores.get(sign.action_id)
        if sign.phase == Event.DONE and before is not None:
            self.check_done(sign.action_id, before, with_power=True)

    def check_done(self, action_id: str, before: Before, *, with_power: bool) -> None:
        machine = before.machine
        present = {snap.identity for snap in machine.snaps.values()}
        if not present.isdisjoint(before.target):
            self.ledger.object_to(f"{action_id} is called done, and its target is there")
        if not before.siblings <= present | self.world.removed:
            self.ledger.object_to(f"{action_id} is called done, and a sibling is gone")
        if machine.phantoms():
            self.ledger.object_to(f"{action_id} is called done, and an image is left")
        if with_power and machine.power is not before.power:
            self.ledger.object_to(f"{action_id} is called done, and the machine changed its state")


def call_of_line(entry: dict[str, object]) -> dict[str, object]:
    detail = entry["detail"]
    assert isinstance(detail, dict)
    return {
        key.removeprefix("about."): value
        for key, value in detail.items()
        if key.startswith("about.")
    }
