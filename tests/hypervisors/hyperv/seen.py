"""From rows to an inventory, and the parts of it that tests look at."""

from __future__ import annotations

from typing import Any

from snapaudit.hypervisors.hyperv.cluster import Reading
from snapaudit.hypervisors.hyperv.rows import Answer
from snapaudit.hypervisors.hyperv.translate import inventory
from snapaudit.model.endpoint import Endpoint
from snapaudit.model.inventory import Inventory, Snapshot, VirtualMachine
from tests.builders import NOW
from tests.hypervisors.hyperv.hrows import answer

ENDPOINT = Endpoint(name="hv", kind="hyperv", url="https://hv1.example.net:5986")


def reading(*answers: Answer, **changes: Any) -> Reading:
    """Answers of nodes, by the names that they tell."""
    by_node = {one.host.name.lower(): one for one in answers if one.host is not None}
    fields: dict[str, Any] = {"clock_skew_seconds": 0.0, "is_verified": True, **changes}
    return Reading(answers=by_node, **fields)


def read(*answers: Answer, **changes: Any) -> Inventory:
    """The inventory of some nodes' answers."""
    return inventory(reading(*answers, **changes), endpoint=ENDPOINT, collected_at=NOW)


def read_rows(*rows: object, **changes: Any) -> Inventory:
    """The inventory of one host with these rows."""
    return read(answer(*rows), **changes)


def machine(found: Inventory, name: str = "web") -> VirtualMachine:
    return next(vm for vm in found.virtual_machines if vm.name == name)


def snapshot(found: Inventory, name: str = "s1") -> Snapshot:
    every = (shot for vm in found.virtual_machines for shot in vm.snapshots)
    return next(shot for shot in every if shot.name == name)


def words(protections: tuple[str, ...]) -> set[str]:
    return {one.partition(": ")[0] for one in protections}
