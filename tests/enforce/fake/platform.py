"""The fake world as a platform of its own, in the places where a run would reach outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from unittest.mock import patch

from snapaudit import registry
from snapaudit.app import applying
from snapaudit.app.gather import SecretOf
from snapaudit.enforce.journal import Journal
from snapaudit.model.acting import Abilities
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory
from snapaudit.ports import Actuator, Progress
from tests.enforce.fake.actuator import ABILITIES, FakeActuator
from tests.enforce.fake.peril import Peril
from tests.enforce.fake.view import collect, missing
from tests.enforce.fake.witness import Witness
from tests.enforce.fake.world import World

KIND = "fake"


class FakePlatform:
    """`ports.Hypervisor` on the fake world. Nobody gets an actuator from it in dry mode."""

    kind = KIND
    options: Mapping[str, str] = {}

    def __init__(self, world: World, peril: Peril, witness: Witness) -> None:
        self.world, self.peril, self.witness = world, peril, witness

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        return collect(self.world, self.world.managers[endpoint.name])

    @property
    def abilities(self) -> Abilities:
        return ABILITIES

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        if not self.world.ledger.armed:
            self.world.ledger.object_to(f"{endpoint.name}: an actuator in dry mode")
        manager = self.world.managers[endpoint.name]
        return FakeActuator(self.world, manager, self.peril, self.witness)


@contextmanager
def installed(world: World, peril: Peril, witness: Witness) -> Iterator[None]:
    """The only platform there is; endpoints are read without a process of their own."""
    platform = FakePlatform(world, peril, witness)

    def read(
        endpoints: Iterable[Endpoint], now: datetime, secret_of: SecretOf, progress: Progress
    ) -> tuple[Inventory, ...]:
        return tuple(view(world, endpoint.name) for endpoint in endpoints)

    with (
        patch.object(registry, "hypervisor", lambda _: platform),
        patch.object(registry, "kinds", lambda: (KIND,)),
        patch.object(applying, "collect", read),
        patch.object(applying, "Journal", partial(Journal, disk=peril.disk)),
    ):
        yield


def view(world: World, endpoint: str) -> Inventory:
    """What the endpoint shows; for one that does not answer, that it is missing."""
    world.settle()
    manager = world.managers[endpoint]
    return collect(world, manager) if manager.reachable else missing(world, manager)
