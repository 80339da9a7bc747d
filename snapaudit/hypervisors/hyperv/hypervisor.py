"""Hyper-V hosts and clusters as the rest of the program knows them.

Loaded with every configuration, so that whatever talks to a host is loaded only when it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from snapaudit.hypervisors.hyperv import collect, transport
from snapaudit.model.acting import Abilities, MergeOrder
from snapaudit.model.endpoint import Endpoint
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

    def actuator(self, endpoint: Endpoint, password: str | None) -> Actuator:
        """A hand that may remove checkpoints. It is not even loaded before."""
        from snapaudit.hypervisors.hyperv.visiting import hand

        return hand(endpoint, password)
