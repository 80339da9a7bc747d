"""A hand that can take a merge back, with a fate of its own for that call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from snapaudit.errors import Unreachable
from snapaudit.model.acting import Call, Phase, Watched
from snapaudit.model.inventory import Inventory, VirtualMachine
from snapaudit.model.plan import Action, VmId
from tests.enforce.planning import line, view

MERGE = Call(name="commit", about={"vm_id": "id-web01", "disk": "vda"})
STOP = Call(name="abort", about={"vm_id": "id-web01", "disk": "vda"}, completes=True)
IDLE = line("web01", "40d", "30d")


@dataclass
class Hand:
    """``machine`` is what stands there; ``fate`` what a call brings about."""

    machine: VirtualMachine = field(default_factory=lambda: replace(IDLE, busy=True))
    fate: Callable[[Hand], None] = lambda hand: hand.becomes(IDLE)
    watched: list[Watched] = field(default_factory=list)
    sent: list[Call] = field(default_factory=list)
    is_blind: bool = False

    def becomes(self, machine: VirtualMachine) -> None:
        self.machine = machine

    def observe(self, vm_id: VmId) -> Inventory:
        if self.is_blind:
            raise Unreachable("kvm1: nobody answers")
        return view(self.machine)

    def next_call(self, action: Action, seen: Inventory, made: Sequence[Call]) -> Call | None:
        raise AssertionError("nothing but the stop is to be sent")

    def send(self, call: Call) -> str | None:
        self.sent.append(call)
        self.fate(self)
        return "job-2"

    def watch(self, call: Call, task_id: str | None) -> Watched:
        if self.is_blind:
            raise Unreachable("kvm1: nobody answers")
        return self.watched.pop(0) if self.watched else Watched(phase=Phase.OVER)

    def stop_of(self, merge: Call) -> Call | None:
        return STOP if merge == MERGE else None

    def close(self) -> None:
        raise AssertionError("whoever made the hand closes it")
