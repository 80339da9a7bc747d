"""XenServer and XCP-ng as a hypervisor: one endpoint is one pool, read through its coordinator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime

from snapaudit.hypervisors.xen.client import Client
from snapaudit.hypervisors.xen.reading import read_pool
from snapaudit.hypervisors.xen.translate import XEN, inventory
from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.examination import Peer, Probe
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Remedy
from snapaudit.ports import Actuator, Progress, Step

OPTIONS = {
    "follow_master": "true: go on, once, to the coordinator that a member of the pool names",
    "json": "false: read by XML-RPC alone, which is five times slower and larger",
}


class XenHypervisor:
    """XenServer and XCP-ng through the XAPI."""

    @property
    def kind(self) -> str:
        """The word in the configuration."""
        return XEN

    @property
    def options(self) -> Mapping[str, str]:
        """What only Xen endpoints know."""
        return OPTIONS

    @property
    def late_modules(self) -> tuple[str, ...]:
        """The SDK."""
        return ("XenAPI",)

    @property
    def abilities(self) -> Abilities:
        """Snapshots alone; what no snapshot needs is merged by the storage's own collector.

        Oldest first: the collector then merges each image once into the one below.
        """
        return Abilities(
            supports=frozenset({Remedy.DELETE_SNAPSHOT}),
            order=MergeOrder.OLDEST_FIRST,
            own_traces=frozenset({"busy"}),
        )

    def peer(self, endpoint: Endpoint) -> Peer | None:
        """Where the coordinator listens."""
        from snapaudit.hypervisors.xen.examine import peer_of

        return peer_of(endpoint)

    def examine(
        self, endpoint: Endpoint, password: str | None, enforcing: str | None, now: datetime
    ) -> Iterator[Probe]:
        """Both accounts, by sessions that read. See `Examinable`."""
        del now
        from snapaudit.hypervisors.xen.examine import examine

        return examine(endpoint, password, enforcing)

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        """Read the pool by its database's bulk calls. No storage is scanned."""

        def seen(name: str, count: int) -> None:
            progress(Step(endpoint=endpoint.name, phase=f"reading {name}", seen=count))

        progress(Step(endpoint=endpoint.name, phase="connecting"))
        with closing(Client(endpoint, endpoint.account, password)) as client:
            client.log_in()
            pool = read_pool(client, seen)
            is_verified = client.is_verified
        return inventory(pool, endpoint=endpoint, collected_at=now, is_verified=is_verified)

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        """A session that may delete. What can change things is not even loaded before."""
        from snapaudit.hypervisors.xen.act import XenActuator

        return XenActuator(endpoint, password)
