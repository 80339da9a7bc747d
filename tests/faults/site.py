"""A small site on the fake manager, for one fault at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from snapaudit.errors import RefusedError
from snapaudit.model.journal import Event
from snapaudit.model.outcome import RunReport
from snapaudit.model.plan import Guard
from tests.enforce.fake.builders import machine, manager
from tests.enforce.fake.office import Office
from tests.enforce.fake.things import Machine, Manager
from tests.enforce.fake.world import World
from tests.enforce.folders import quick_folder


class Site:
    """One office with a host and a machine on it; more of both where a test asks for them."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.world = World()
        self.host: Manager = manager(self.world)
        self.vm: Machine = machine(self.world, self.host, **changes)
        self.office = Office(folder, self.world)

    @property
    def calls(self) -> list[str]:
        """The mutating calls that were sent, in their order."""
        return [sent.call.name for sent in self.world.ledger.sent]

    def in_a_while(self, seconds: float, happens: Callable[[], object]) -> None:
        """Let something happen by itself, while the run is at work."""
        at = self.world.clock.now().timestamp() + seconds
        moment = self.world.clock.now().fromtimestamp(at, self.world.clock.now().tzinfo)
        self.world.later.append((moment, happens))

    def refuses(self, plan: Path, guard: Guard, words: str) -> RunReport:
        """Apply it: the one action is refused by that guard, and nothing is sent."""
        report = self.office.apply(plan)
        [outcome] = report.outcomes
        assert (outcome.event, outcome.guard) == (Event.REFUSED, guard)
        assert words in outcome.reason
        assert self.calls == []
        return report

    def refuses_all(self, plan: Path, words: str) -> None:
        """Apply it: the run as a whole is refused, and nothing more is sent."""
        before = len(self.calls)
        with pytest.raises(RefusedError, match=words):
            self.office.apply(plan)
        assert len(self.calls) == before

    def ends(self, plan: Path) -> list[Event]:
        """Apply it; how its actions ended, in the order in which they did."""
        return [outcome.event for outcome in self.office.apply(plan).outcomes]

    def more(self, count: int, **changes: Any) -> list[Machine]:
        """Further machines, on the same datastore unless another is named."""
        return [
            machine(self.world, self.host, f"app{number:02}", **changes)
            for number in itertools.islice(itertools.count(1), count)
        ]


@contextmanager
def site(**changes: Any) -> Iterator[Site]:
    with quick_folder() as folder:
        made = Site(folder, **changes)
        yield made
        assert made.world.ledger.violations == []
