"""Hyper-V hosts and clusters as the rest of the program knows them.

Loaded with every configuration, so that whatever talks to a host is loaded only when it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from snapaudit.hypervisors.hyperv import collect, transport
from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.examination import Peer, Probe
from snapaudit.model.inventory import Inventory
from snapaudit.model.policy import Remedy
from snapaudit.ports import Actuator, Progress

OPTIONS = {**collect.OPTIONS, **transport.OPTIONS}


class HypervHypervisor:
    """One host, or one cluster with all its nodes."""

    @property
    def kind(self) -> str:
        """The word in the configuration."""
        return "hyperv"

    @property
    def options(self) -> Mapping[str, str]:
        """What only Hyper-V endpoints know."""
        return OPTIONS

    @property
    def late_modules(self) -> tuple[str, ...]:
        """What reads, with the SDK that most use; the one for JEA is left to those who do."""
        return (
            "snapaudit.hypervisors.hyperv.visiting",
            "snapaudit.hypervisors.hyperv.winrm",
        )

    @property
    def abilities(self) -> Abilities:
        """Checkpoints alone: the platform merges what is left by itself, and nobody else may.

        Oldest first moves each delta once.
        """
        return Abilities(
            supports=frozenset({Remedy.DELETE_SNAPSHOT}),
            order=MergeOrder.OLDEST_FIRST,
            own_traces=frozenset({"busy", "stray-delta", "merge-nearby"}),
        )

    def collect(
        self, endpoint: Endpoint, password: str | None, now: datetime, progress: Progress
    ) -> Inventory:
        """Read every node by a script that changes nothing. See the port's promise."""
        from snapaudit.hypervisors.hyperv.visiting import visit

        return visit(endpoint, password, now, progress)

    def peer(self, endpoint: Endpoint) -> Peer | None:
        """Where WinRM listens; behind a proxy nobody can look."""
        from snapaudit.hypervisors.hyperv.examine import peer_of

        return peer_of(endpoint)

    def examine(
        self, endpoint: Endpoint, password: str | None, enforcing: str | None, now: datetime
    ) -> Iterator[Probe]:
        """Listener, login, service, rights, clock and the other nodes. See `Examinable`."""
        from snapaudit.hypervisors.hyperv.examine import examine

        return examine(endpoint, password, enforcing, now)

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        """A hand that may remove checkpoints. It is not even loaded before."""
        from snapaudit.hypervisors.hyperv.visiting import hand

        return hand(endpoint, password)
