"""vCenter and ESXi as the rest of the program knows them.

Loaded with every configuration, so that whatever talks to a server is loaded only when it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.examination import Peer, Probe
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Remedy
from snapaudit.ports import Actuator, Progress

OPTIONS = {
    "tags": "false: do not read tags, which takes the REST interface of a vCenter",
    "creators": "false: do not ask for tasks to learn who made a snapshot",
    "search_orphans": "true: search every datastore for disks that no machine uses; takes long",
    "managed_by": "extension keys, with commas, of products whose machines may be changed",
}


class VsphereHypervisor:
    """A vCenter with all it manages, or a single ESXi host."""

    @property
    def kind(self) -> str:
        """The word in the configuration."""
        return "vsphere"

    @property
    def options(self) -> Mapping[str, str]:
        """What only vSphere endpoints know."""
        return OPTIONS

    @property
    def late_modules(self) -> tuple[str, ...]:
        """What reads, with the SDK."""
        return (
            "snapaudit.hypervisors.vsphere.visiting",
            "snapaudit.hypervisors.vsphere.client",
        )

    @property
    def abilities(self) -> Abilities:
        """Snapshots and unexplained deltas; from the base upwards each delta is merged once."""
        return Abilities(
            supports=frozenset(Remedy),
            order=MergeOrder.OLDEST_FIRST,
            own_traces=frozenset({"busy"}),
        )

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        """Read the endpoint by a session that cannot change anything. See the port's promise."""
        from snapaudit.hypervisors.vsphere.visiting import visit

        return visit(endpoint, password, now, progress)

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        """A session that may act. What can change things is not even loaded before."""
        from snapaudit.hypervisors.vsphere.visiting import hand

        return hand(endpoint, password)

    def peer(self, endpoint: Endpoint) -> Peer | None:
        """Where it listens."""
        from snapaudit.hypervisors.vsphere.examine import peer_of

        return peer_of(endpoint)

    def examine(
        self, endpoint: Endpoint, password: str | None, enforcing: str | None, now: datetime
    ) -> Iterator[Probe]:
        """Login, rights, clock, versions and what is visible; both accounts only read."""
        from snapaudit.hypervisors.vsphere.examine import examine

        return examine(endpoint, password, enforcing, now)
